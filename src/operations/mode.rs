//! File modes: octal, as text.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// Permission bits, written as `"0644"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(u32);

impl Mode {
    /// For everybody to read, and for the owner to write.
    pub const USUAL: Self = Self(0o644);
    /// For the owner only.
    pub const PRIVATE: Self = Self(0o600);

    /// From octal digits, as `stat` prints them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (3..=4).contains(&text.len()) || (text.len() == 5 && text.starts_with('0'));
        let digits = !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        (fits && digits)
            .then(|| u32::from_str_radix(text, 8).ok())
            .flatten()
            .map(Self)
    }

    /// As `stat -c %a` prints it, without leading zeros.
    #[must_use]
    pub fn from_stat(text: &str) -> Option<Self> {
        u32::from_str_radix(text, 8).ok().map(Self)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Mode;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mode in quotes, such as \"0644\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Mode, E> {
                Mode::parse(text).ok_or_else(|| {
                    E::custom(format!(
                        "`{text}` is not a mode: write octal digits in quotes, such as \"0644\""
                    ))
                })
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Mode, E> {
                Err(E::custom(format!(
                    "the mode is read as the number {number}: write it in quotes, such as \"0644\""
                )))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl JsonSchema for Mode {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Mode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-7]{3,4}$" })
    }
}
