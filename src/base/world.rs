//! What is known of every resource at one moment of a plan or an apply.

use std::collections::BTreeMap;

use super::{Address, Outputs};

/// What is known of one resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Its outputs; `None` while it does not exist yet.
    pub outputs: Option<Outputs>,
    /// Outputs that a pending change makes unknown.
    pub unsettled: Vec<String>,
    /// In a world as it is at present: outputs that a pending change makes others.
    pub changing: Vec<String>,
}

/// What is known of all resources: declared ones, and existing ones that the playbook names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World(pub BTreeMap<Address, Known>);

impl World {
    /// An output that is known now.
    #[must_use]
    pub fn output(&self, address: &Address, name: &str) -> Option<&serde_json::Value> {
        let known = self.0.get(address)?;
        if known.unsettled.iter().any(|unsettled| unsettled == name) {
            return None;
        }
        known.outputs.as_ref()?.0.get(name)
    }

    /// The same with every resource as it is at present, whatever is going to change.
    #[must_use]
    pub fn at_present(&self) -> Self {
        let mut present = self.clone();
        for known in present.0.values_mut() {
            known.changing = std::mem::take(&mut known.unsettled);
        }
        present
    }

    /// An output that is known now and that no pending change makes another.
    #[must_use]
    pub fn settled(&self, address: &Address, name: &str) -> Option<&serde_json::Value> {
        let known = self.0.get(address)?;
        if known.changing.iter().any(|changing| changing == name) {
            return None;
        }
        self.output(address, name)
    }

    /// The `id` of a resource that a typed field names (`key_pair: de3`), if it exists already.
    #[must_use]
    pub fn id(&self, kind: &str, name: &str) -> Option<&str> {
        self.output(&Address::new(kind, name), "id")
            .and_then(serde_json::Value::as_str)
    }

    /// Records a resource that exists.
    pub fn know(&mut self, address: Address, outputs: Outputs) {
        self.0.insert(
            address,
            Known {
                outputs: Some(outputs),
                ..Known::default()
            },
        );
    }
}
