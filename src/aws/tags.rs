//! Tags, and the ownership that is written in them.

use std::collections::BTreeMap;

use crate::base::Address;

/// Tag key: name of the stack that owns the resource.
pub const STACK: &str = "tidewalk:stack";
/// Tag key: the resource's address in its playbook.
pub const ADDRESS: &str = "tidewalk:address";
/// Tag key: hash of the spec that was last applied.
pub const SPEC: &str = "tidewalk:spec";
/// Tag key: end of the stack's lease, RFC 3339.
pub const LEASE: &str = "tidewalk:lease";
/// Tag key: `true` when destroy must leave the resource and say so.
pub const PROTECT: &str = "tidewalk:protect";
/// Tag key: `true` when the resource survives destroy by intent.
pub const KEEP: &str = "tidewalk:keep";
/// Tag key: the public host key that connections are pinned to.
pub const HOST_KEY: &str = "tidewalk:host-key";

/// Who owns a resource, as its tags say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The stack.
    pub stack: String,
    /// The address in the stack.
    pub address: Address,
}

/// A resource's tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(pub BTreeMap<String, String>);

impl Tags {
    /// The value of a tag.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The owner, when both ownership tags are there and readable.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        let stack = self.value(STACK)?.to_owned();
        let address = self.value(ADDRESS)?.parse().ok()?;
        Some(Owner { stack, address })
    }

    /// A tag that is `true`.
    #[must_use]
    pub fn is_set(&self, key: &str) -> bool {
        self.value(key) == Some("true")
    }
}
