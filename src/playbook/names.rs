//! The names that expressions may use: variables, and what each section declares.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::{IndexMap, IndexSet};

use crate::base::{Address, OutputMeaning};

/// The keys of one declared name: `None` without `for_each`.
pub(super) type Keys = Option<IndexSet<String>>;

/// All names of one playbook.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Declared variables; those that are secret are marked.
    pub(super) vars: IndexMap<String, bool>,
    /// Every section there is, with the names declared in it.
    pub(super) sections: BTreeMap<String, IndexMap<String, Keys>>,
    /// The sections that only ask about the account, whose answers `for_each` may read.
    pub(super) questions: BTreeSet<&'static str>,
    /// Names whose keys an answer about the account will tell, by section.
    pub(super) pending: BTreeSet<(String, String)>,
    /// What is made by an entry that stands for more than itself, as section and name.
    pub(super) made: BTreeSet<(String, String)>,
    /// The outputs that entries of a section have of what they stand for, each with its section.
    pub(super) borrows: BTreeMap<String, &'static [(&'static str, OutputMeaning)]>,
    /// The outputs that the resources of a section have, where that is known.
    pub(super) outputs: BTreeMap<String, Vec<&'static str>>,
}

impl Names {
    /// `name` (or `name[key]`) is declared in `kind`.
    pub(super) fn declares(&self, address: &Address) -> bool {
        let (base, key) = address.split_key();
        match (self.keys(&address.kind, base), key) {
            (Some(None), None) => true,
            (Some(Some(keys)), Some(key)) => keys.contains(key),
            _ => false,
        }
    }

    /// What is declared under this name, `None` when nothing is.
    pub(super) fn keys(&self, kind: &str, name: &str) -> Option<&Keys> {
        self.sections.get(kind)?.get(name)
    }

    /// What has the output that is read of `address`, where that is another resource.
    pub(super) fn lender(&self, address: &Address, output: &str) -> Option<Address> {
        let mut borrows = self.borrows.get(&address.kind)?.iter();
        let (kind, _) = borrows.find(|(_, (name, _))| *name == output)?;
        let (base, _) = address.split_key();
        let is_made = self.made.contains(&((*kind).to_owned(), base.to_owned()));
        is_made.then(|| Address::new(*kind, &address.name))
    }

    /// The outputs that `address` has of others.
    pub(super) fn lent(&self, address: &Address) -> impl Iterator<Item = &'static str> {
        let borrows = self.borrows.get(&address.kind).copied().unwrap_or_default();
        let names = borrows.iter().map(|(_, (name, _))| *name);
        names.filter(|name| self.lender(address, name).is_some())
    }

    /// The keys of this name are still to be told.
    pub(super) fn is_pending(&self, kind: &str, name: &str) -> bool {
        let mut pending = self.pending.iter();
        pending.any(|(its, other)| its == kind && other == name)
    }

    /// All addresses that `kind.name.key`, as far as given, stands for.
    pub(super) fn addresses(&self, kind: &str, path: &[String]) -> Vec<Address> {
        let Some(section) = self.sections.get(kind) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, keys) in section {
            if path.first().is_some_and(|wanted| wanted != name) {
                continue;
            }
            match keys {
                None => found.push(Address::new(kind, name)),
                Some(keys) => {
                    for key in keys {
                        if path.get(1).is_none_or(|wanted| wanted == key) {
                            found.push(keyed(kind, name, key));
                        }
                    }
                }
            }
            if !path.is_empty() {
                break;
            }
        }
        found
    }

    /// The addresses of a section as they are written, for suggestions.
    pub(super) fn all(&self) -> BTreeSet<String> {
        let kinds = self.sections.keys();
        let all = kinds.flat_map(|kind| self.addresses(kind, &[]));
        all.map(|address| address.to_string()).collect()
    }
}

/// The address of one of the resources that `for_each` makes.
pub(super) fn keyed(kind: &str, name: &str, key: &str) -> Address {
    Address::new(kind, format!("{name}[{key}]"))
}

/// Letters, digits, `_`, `-` and `.`; starting with a letter, a digit or `_`.
pub(super) fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.len() <= 128
        && text.chars().all(allowed)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}
