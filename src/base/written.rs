//! Parts of a playbook that nobody wrote: made for what somebody did write, and placed there.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::node::Entry;
use super::{Location, Node, Value};

/// The entries of the sections of a playbook, by section and name; nothing evaluated.
pub type Sections = IndexMap<String, IndexMap<String, Entry>>;

/// A mapping that is made for an entry of a playbook.
#[derive(Clone, Debug)]
pub struct Written {
    at: Location,
    map: IndexMap<String, Entry>,
}

impl Written {
    /// An empty one for what stands at `at`.
    #[must_use]
    pub fn at(at: &Location) -> Self {
        Self {
            at: at.clone(),
            map: IndexMap::new(),
        }
    }

    /// With a value that is made up for it; a text may be an expression.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<Json>) -> Self {
        let entry = Entry {
            key_at: self.at.clone(),
            node: Node::from_json(&self.at, &value.into()),
        };
        self.taking(key, Some(entry))
    }

    /// With an entry that was written somewhere else, if there is one.
    #[must_use]
    pub fn taking(mut self, key: &str, entry: Option<Entry>) -> Self {
        if let Some(entry) = entry {
            self.map.insert(key.to_owned(), entry);
        }
        self
    }

    /// As a value.
    #[must_use]
    pub fn node(self) -> Node {
        Node::new(&self.at, Value::Map(self.map.into()))
    }

    /// As an entry whose key stands at the same place.
    #[must_use]
    pub fn entry(self) -> Entry {
        Entry {
            key_at: self.at.clone(),
            node: self.node(),
        }
    }
}

/// What an entry of a playbook stands for.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// The entry itself, with what it says of the others taken out.
    pub spec: Node,
    /// The others, by section and name.
    pub others: Vec<(&'static str, String, Node)>,
}
