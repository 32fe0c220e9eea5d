//! One declared resource, and what it refers to.

use std::collections::BTreeMap;

use super::setups::Setup;
use crate::base::{Address, Location, Node};

/// A resource as the playbook declares it; its expressions are not evaluated.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Its address; with `[KEY]` when `for_each` made it.
    pub address: Address,
    /// Where its name was written.
    pub at: Location,
    /// The spec, without the keys that every resource may have.
    pub body: Node,
    /// The item of `for_each` that this one is made for.
    pub each: Option<Each>,
    /// `protect: true`: destroy leaves it and says so.
    pub protect: bool,
    /// `keep: true`: destroy leaves it, as intended.
    pub keep: bool,
    /// `serial:`: so many of its `for_each` at once, and no further after a failure.
    pub serial: Option<usize>,
    /// Its own `tags:`; they win over the playbook's.
    pub tags: BTreeMap<String, String>,
    /// Everything it refers to, in the order it was found.
    pub references: Vec<Reference>,
    /// The setups whose operations come before its own.
    pub(super) setups: Vec<Setup>,
}

/// One item of `for_each`.
#[derive(Clone, Debug)]
pub struct Each {
    /// The item's key: the text itself in a list.
    pub key: String,
    /// The item's value: the text again in a list.
    pub value: Node,
}

/// One resource named by another.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// What is named.
    pub target: Address,
    /// Where.
    pub at: Location,
    /// In which way.
    pub how: How,
    /// The playbook declares it; otherwise it is looked up in the account and never changed.
    pub declared: bool,
    /// The resource attaches itself to the target (an address to an instance).
    pub attaches: bool,
}

/// The way in which a resource is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// In a field whose type says that it names a resource.
    Typed,
    /// In an expression.
    Expression,
    /// In `depends_on:`.
    DependsOn,
}
