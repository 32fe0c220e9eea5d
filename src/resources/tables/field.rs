//! Fields of a table that are words or pairs.

use std::fmt;

use aws_sdk_dynamodb::types as sdk;
use schemars::JsonSchema;
use serde::Deserialize;

/// An attribute that items are found by
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Name of the attribute, 1 to 255 characters
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Type of its values
    #[serde(default)]
    #[schemars(extend("default" = "string"))]
    pub r#type: KeyType,
}

/// A type of key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// Text.
    #[default]
    String,
    /// A number.
    Number,
    /// Bytes.
    Binary,
}

impl KeyType {
    /// As the API has it.
    pub(super) fn sdk(self) -> sdk::ScalarAttributeType {
        match self {
            Self::String => sdk::ScalarAttributeType::S,
            Self::Number => sdk::ScalarAttributeType::N,
            Self::Binary => sdk::ScalarAttributeType::B,
        }
    }

    pub(super) fn read(kind: &sdk::ScalarAttributeType) -> Self {
        match kind {
            sdk::ScalarAttributeType::N => Self::Number,
            sdk::ScalarAttributeType::B => Self::Binary,
            _ => Self::String,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.r#type {
            KeyType::String => "string",
            KeyType::Number => "number",
            KeyType::Binary => "binary",
        };
        write!(f, "{} ({kind})", self.name)
    }
}

/// How a table is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BillingMode {
    /// By request.
    #[default]
    OnDemand,
    /// By the capacity that is set aside.
    Provisioned,
}

impl fmt::Display for BillingMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnDemand => "on_demand",
            Self::Provisioned => "provisioned",
        })
    }
}

/// Capacity that is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// Read capacity units.
    pub read: i64,
    /// Write capacity units.
    pub write: i64,
}

/// What a change stream tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StreamView {
    /// The keys of the item.
    KeysOnly,
    /// The item as it is now.
    NewImage,
    /// The item as it was.
    OldImage,
    /// Both.
    NewAndOldImages,
}

impl StreamView {
    pub(super) fn sdk(self) -> sdk::StreamViewType {
        match self {
            Self::KeysOnly => sdk::StreamViewType::KeysOnly,
            Self::NewImage => sdk::StreamViewType::NewImage,
            Self::OldImage => sdk::StreamViewType::OldImage,
            Self::NewAndOldImages => sdk::StreamViewType::NewAndOldImages,
        }
    }

    pub(super) fn read(view: &sdk::StreamViewType) -> Self {
        match view {
            sdk::StreamViewType::NewImage => Self::NewImage,
            sdk::StreamViewType::OldImage => Self::OldImage,
            sdk::StreamViewType::NewAndOldImages => Self::NewAndOldImages,
            _ => Self::KeysOnly,
        }
    }
}

impl fmt::Display for StreamView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeysOnly => "keys_only",
            Self::NewImage => "new_image",
            Self::OldImage => "old_image",
            Self::NewAndOldImages => "new_and_old_images",
        })
    }
}

/// What a table is optimised for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableClass {
    /// Use.
    #[default]
    Standard,
    /// Storage.
    InfrequentAccess,
}

impl TableClass {
    pub(super) fn sdk(self) -> sdk::TableClass {
        match self {
            Self::Standard => sdk::TableClass::Standard,
            Self::InfrequentAccess => sdk::TableClass::StandardInfrequentAccess,
        }
    }
}

impl fmt::Display for TableClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standard => "standard",
            Self::InfrequentAccess => "infrequent_access",
        })
    }
}
