//! Who must come before whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Address;

/// Addresses, and for each the ones that must be in place before it. Has no cycles: the playbook
/// was checked for them when it was loaded.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    needs: BTreeMap<Address, BTreeSet<Address>>,
    /// For some, those whose turn is before without being needed.
    follows: BTreeMap<Address, BTreeSet<Address>>,
}

impl Graph {
    /// Adds an address that needs nothing yet.
    pub fn add(&mut self, address: &Address) {
        self.needs.entry(address.clone()).or_default();
    }

    /// Says that `dependent` needs `needed` in place before its turn.
    pub fn need(&mut self, dependent: &Address, needed: &Address) {
        if dependent != needed {
            self.add(needed);
            self.needs
                .entry(dependent.clone())
                .or_default()
                .insert(needed.clone());
        }
    }

    /// Says that `later` has its turn after `earlier`, though it does not need it: without effect
    /// where one of them is not in the graph.
    pub fn follow(&mut self, later: &Address, earlier: &Address) {
        self.follows
            .entry(later.clone())
            .or_default()
            .insert(earlier.clone());
    }

    /// The same, with no order but the one that needs make.
    #[must_use]
    pub fn unordered(&self) -> Self {
        Self {
            needs: self.needs.clone(),
            follows: BTreeMap::new(),
        }
    }

    /// It is one of these.
    #[must_use]
    pub fn has(&self, address: &Address) -> bool {
        self.needs.contains_key(address)
    }

    /// All addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.needs.keys()
    }

    /// What `address` needs directly.
    pub fn needs(&self, address: &Address) -> impl Iterator<Item = &Address> {
        self.needs.get(address).into_iter().flatten()
    }

    /// What `address` needs or follows, once each.
    pub fn before(&self, address: &Address) -> impl Iterator<Item = &Address> {
        let needs = self.needs.get(address);
        let follows = self.follows.get(address).into_iter().flatten();
        let only_followed = follows.filter(move |it| {
            self.needs.contains_key(*it) && !needs.is_some_and(|needs| needs.contains(*it))
        });
        needs.into_iter().flatten().chain(only_followed)
    }

    /// For every address, who needs or follows it directly.
    #[must_use]
    pub fn dependents(&self) -> BTreeMap<&Address, Vec<&Address>> {
        let mut dependents: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
        for dependent in self.needs.keys() {
            for needed in self.before(dependent) {
                dependents.entry(needed).or_default().push(dependent);
            }
        }
        dependents
    }

    /// All addresses, each after what it needs; ties by name.
    #[must_use]
    pub fn order(&self) -> Vec<Address> {
        let mut order = Vec::new();
        let mut placed: BTreeSet<&Address> = BTreeSet::new();
        while placed.len() < self.needs.len() {
            let before = placed.len();
            for address in self.needs.keys() {
                if !placed.contains(address) && self.before(address).all(|it| placed.contains(it)) {
                    placed.insert(address);
                    order.push(address.clone());
                }
            }
            if placed.len() == before {
                break;
            }
        }
        order
    }

    /// Only `wanted` and what it needs, directly or not.
    #[must_use]
    pub fn only(&self, wanted: &[Address]) -> Self {
        let mut kept = Self::default();
        let mut open: Vec<&Address> = wanted.iter().collect();
        while let Some(address) = open.pop() {
            if kept.needs.contains_key(address) {
                continue;
            }
            let needs = self.needs.get(address).cloned().unwrap_or_default();
            kept.needs.insert(address.clone(), needs);
            open.extend(self.needs(address));
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keeps_what_is_needed_on_the_way() {
        let address = |name: &str| Address::new("toys", name);
        let mut graph = Graph::default();
        graph.need(&address("c"), &address("b"));
        graph.need(&address("b"), &address("a"));
        graph.add(&address("z"));
        let names: Vec<_> = graph.only(&[address("b")]).addresses().cloned().collect();
        assert_eq!(names, [address("a"), address("b")]);
    }
}
