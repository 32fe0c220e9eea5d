//! Global secondary indexes of a table.

use std::fmt;

use aws_sdk_dynamodb::types as sdk;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Capacity, Key};

/// A global secondary index: the table's items, found by other attributes
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Attribute that items are found by
    pub partition_key: Key,
    /// Attribute that those with the same partition key are ordered by
    pub sort_key: Option<Key>,
    /// Which attributes of an item the index has
    #[serde(default)]
    #[schemars(extend("default" = "all"))]
    pub projection: Projection,
    /// With `include`: names of the attributes, beside the keys
    #[serde(default)]
    pub include: Vec<String>,
    /// Read capacity units, of a provisioned table
    #[schemars(range(min = 1))]
    pub read_capacity: Option<i64>,
    /// Write capacity units, of a provisioned table
    #[schemars(range(min = 1))]
    pub write_capacity: Option<i64>,
}

/// Which attributes an index has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// All of them.
    #[default]
    All,
    /// The keys of the table and of the index.
    KeysOnly,
    /// The keys, and those under `include`.
    Include,
}

impl Index {
    /// Of an index of a provisioned table.
    #[must_use]
    pub fn capacity(&self) -> Option<Capacity> {
        Some(Capacity {
            read: self.read_capacity?,
            write: self.write_capacity?,
        })
    }

    /// The same index but for its capacity: what cannot be changed is the same.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.fixed() == other.fixed()
    }

    fn fixed(&self) -> (&Key, Option<&Key>, Projection, Vec<&String>) {
        let mut include: Vec<_> = self.include.iter().collect();
        include.sort();
        let sort_key = self.sort_key.as_ref();
        (&self.partition_key, sort_key, self.projection, include)
    }

    pub(super) fn projection(&self) -> sdk::Projection {
        let projection = sdk::Projection::builder().projection_type(match self.projection {
            Projection::All => sdk::ProjectionType::All,
            Projection::KeysOnly => sdk::ProjectionType::KeysOnly,
            Projection::Include => sdk::ProjectionType::Include,
        });
        let include = Some(self.include.clone()).filter(|names| !names.is_empty());
        projection.set_non_key_attributes(include).build()
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.partition_key)?;
        if let Some(key) = &self.sort_key {
            write!(f, ", {key}")?;
        }
        match self.projection {
            Projection::All => {}
            Projection::KeysOnly => f.write_str(", keys only")?,
            Projection::Include => {
                let mut include = self.include.clone();
                include.sort();
                write!(f, ", with {}", include.join(" "))?;
            }
        }
        match self.capacity() {
            Some(capacity) => write!(f, ", {}/{} units", capacity.read, capacity.write),
            None => Ok(()),
        }
    }
}
