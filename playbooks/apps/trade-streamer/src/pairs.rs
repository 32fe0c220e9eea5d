//! The pairs that are followed; elsewhere a pair is its index in this list.

use std::collections::HashMap;

/// Trading pairs by name and by index
#[derive(Debug)]
pub(crate) struct Pairs {
    names: Vec<String>,
    indexes: HashMap<String, usize>,
}

impl Pairs {
    /// Of names in any order; a name that is there twice counts once
    pub(crate) fn new(wanted: impl IntoIterator<Item = String>) -> Self {
        let mut names = Vec::new();
        let mut indexes = HashMap::new();
        for name in wanted {
            indexes.entry(name.clone()).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            });
        }
        Self { names, indexes }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn name(&self, pair: usize) -> &str {
        &self.names[pair]
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        self.indexes.get(name).copied()
    }
}
