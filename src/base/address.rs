//! The name of one declared resource: its section and its name in the section.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Error;

/// A resource's address, written `SECTION.NAME` (`instances.server`), or `SECTION.NAME[KEY]` for
/// one made by `for_each`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    /// The section of the playbook, such as `instances`.
    pub kind: String,
    /// The name within the section, such as `server` or `node[a]`.
    pub name: String,
}

impl Address {
    /// Joins a section and a name.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            name: name.into(),
        }
    }

    /// The address of what stood here until a new one took its place, and goes once nothing uses
    /// it: `networks.main=vpc-1`. No playbook can declare it.
    #[must_use]
    pub fn deposed(&self, id: &str) -> Self {
        Self::new(&self.kind, format!("{}={id}", self.name))
    }

    /// It is such an address.
    #[must_use]
    pub fn is_deposed(&self) -> bool {
        self.name.contains('=')
    }

    /// The name before a `[KEY]`, and the key of a resource made by `for_each`.
    #[must_use]
    pub fn split_key(&self) -> (&str, Option<&str>) {
        match self
            .name
            .strip_suffix(']')
            .and_then(|name| name.split_once('['))
        {
            Some((base, key)) => (base, Some(key)),
            None => (&self.name, None),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.name)
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once('.') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(Self::new(kind, name)),
            _ => Err(Error::usage(format!("`{text}` is not an address"))
                .hint("write SECTION.NAME, such as `instances.server`")),
        }
    }
}

impl TryFrom<String> for Address {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}
