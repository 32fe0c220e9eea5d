//! Tags, and the ownership that is written in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Address, Diff, Shown};

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

/// Tag key: which of the settings that AWS tells in calls of their own were declared.
pub const SETTINGS: &str = "tidewalk:settings";
/// Tag key: the name servers of a hosted zone, which never change.
pub const NAME_SERVERS: &str = "tidewalk:name-servers";

/// Who owns a resource, as its tags say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The stack.
    pub stack: String,
    /// The address in the stack.
    pub address: Address,
}

/// A resource's tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
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
        let address = read_address(self.value(ADDRESS)?)?;
        Some(Owner { stack, address })
    }

    /// Takes over what [`changes`] to `wanted` sets and removes.
    pub fn apply(&mut self, wanted: &Self) {
        let (set, unset) = changes(self, wanted);
        self.0.extend(set);
        self.0.retain(|key, _| !unset.contains(key));
    }

    /// A tag that is `true`.
    #[must_use]
    pub fn is_set(&self, key: &str) -> bool {
        self.value(key) == Some("true")
    }
}
/// Tag key: the playbook's own tag keys, so that one that is no longer wanted can be removed.
/// Separated by `//`: a comma is refused in the tags of some services (IAM).
pub const MANAGED: &str = "tidewalk:tags";

/// Between a name and its `for_each` key: brackets are refused in the tags of most services.
const KEY_MARK: char = '@';

const PREFIX: &str = "tidewalk:";
/// Between the names in one tag.
pub const SEPARATOR: &str = "//";
const LONGEST_VALUE: usize = 256;

/// What ownership tags say of one resource.
#[derive(Clone, Copy, Debug)]
pub struct Ownership<'a> {
    /// The stack.
    pub stack: &'a str,
    /// The address.
    pub address: &'a Address,
    /// Hash of the spec.
    pub spec: Option<&'a str>,
    /// End of the lease, RFC 3339.
    pub lease_until: Option<&'a str>,
    /// Destroy must leave it and say so.
    pub protect: bool,
    /// It survives destroy by intent.
    pub keep: bool,
}

/// An address as tags carry it: `instances.node@a` for `instances.node[a]`.
#[must_use]
pub fn written_address(address: &Address) -> String {
    match address.split_key() {
        (name, Some(key)) => format!("{}.{name}{KEY_MARK}{key}", address.kind),
        (_, None) => address.to_string(),
    }
}

/// The address that [`written_address`] wrote.
#[must_use]
pub fn read_address(written: &str) -> Option<Address> {
    let address: Address = written.parse().ok()?;
    Some(match address.name.split_once(KEY_MARK) {
        Some((name, key)) => Address::new(address.kind, format!("{name}[{key}]")),
        None => address,
    })
}

/// The tags a resource should carry: ownership, and the user's own (`user` has the playbook's and
/// the resource's already merged).
#[must_use]
pub fn wanted(ownership: &Ownership<'_>, user: &BTreeMap<String, String>) -> Tags {
    let mut tags = user.clone();
    let mut own = |key: &str, value: String| tags.insert(key.to_owned(), value);
    own(STACK, ownership.stack.to_owned());
    own(ADDRESS, written_address(ownership.address));
    if let Some(spec) = ownership.spec {
        own(SPEC, spec.to_owned());
    }
    if let Some(until) = ownership.lease_until {
        own(LEASE, until.to_owned());
    }
    if ownership.protect {
        own(PROTECT, "true".to_owned());
    }
    if ownership.keep {
        own(KEEP, "true".to_owned());
    }
    let managed = user.keys().filter(|key| !key.contains(SEPARATOR));
    let managed = managed.cloned().collect::<Vec<_>>().join(SEPARATOR);
    if !managed.is_empty() && managed.chars().count() <= LONGEST_VALUE {
        own(MANAGED, managed);
    }
    Tags(tags)
}

/// Adds the tags that differ: `tags.Owner`, `protect`, `keep`, `lease`. The spec's
/// hash, a kind's own notes, AWS's and other people's tags are no difference.
#[must_use]
pub fn diff(mut diff: Diff, live: &Tags, wanted: &Tags) -> Diff {
    for (key, value) in &wanted.0 {
        let old = live.value(key);
        let field = match key.as_str() {
            PROTECT | KEEP => key[PREFIX.len()..].to_owned(),
            LEASE => "lease".to_owned(),
            key if key.starts_with(PREFIX) => continue,
            key => format!("tags.{key}"),
        };
        diff = diff.field(&field, quoted(old), quoted(Some(value)));
    }
    for key in surplus(live, wanted) {
        let field = match key.strip_prefix(PREFIX) {
            Some(own) => own.to_owned(),
            None => format!("tags.{key}"),
        };
        diff = diff.field(&field, quoted(live.value(key)), Shown::Absent);
    }
    diff
}

/// A tag may be empty, which is not the same as absent.
fn quoted(value: Option<&str>) -> Shown {
    match value {
        Some("") => Shown::Text("\"\"".to_owned()),
        value => Shown::option(value),
    }
}

/// What to set and which keys to remove to get from `live` to `wanted`.
#[must_use]
pub fn changes(live: &Tags, wanted: &Tags) -> (BTreeMap<String, String>, Vec<String>) {
    let differs = |(key, value): &(&String, &String)| live.value(key) != Some(value);
    let set = wanted.0.iter().filter(differs);
    let set = set.map(|(key, value)| (key.clone(), value.clone()));
    let unset = surplus(live, wanted).into_iter().map(str::to_owned);
    (set.collect(), unset.collect())
}

/// Keys that were set by an earlier apply and are wanted no more.
fn surplus<'a>(live: &'a Tags, wanted: &Tags) -> Vec<&'a str> {
    let managed = live.value(MANAGED).unwrap_or_default().split(SEPARATOR);
    let own = [PROTECT, KEEP, LEASE].into_iter();
    managed
        .chain(own)
        .filter(|key| !wanted.0.contains_key(*key))
        .filter_map(|key| live.0.get_key_value(key))
        .map(|(key, _)| key.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn of(user: &[(&str, &str)], protect: bool, lease: Option<&str>) -> Tags {
        let address = Address::new("instances", "a");
        let ownership = Ownership {
            stack: "s",
            address: &address,
            spec: Some("1"),
            lease_until: lease,
            protect,
            keep: false,
        };
        wanted(&ownership, &tags(user))
    }

    #[test]
    fn addresses_are_written_without_brackets() {
        let keyed = Address::new("instances", "node[jane@x.org]");
        assert_eq!(written_address(&keyed), "instances.node@jane@x.org");
        assert_eq!(read_address("instances.node@jane@x.org"), Some(keyed));
        let plain = Address::new("instances", "node");
        assert_eq!(read_address(&written_address(&plain)), Some(plain));
    }

    #[test]
    fn only_our_own_tags_are_compared() {
        let mut live = of(
            &[("Owner", "a"), ("Old", "x"), ("Empty", "")],
            true,
            Some("1"),
        );
        live.0.extend(tags(&[
            ("aws:x", "1"),
            ("Theirs", "y"),
            (HOST_KEY, "k"),
            (SPEC, "9"),
        ]));
        let wanted = of(
            &[("Owner", "b"), ("New", "n"), ("Empty", "")],
            false,
            Some("2"),
        );
        let diff = diff(Diff::default(), &live, &wanted);
        let shown: Vec<_> = diff
            .changes
            .iter()
            .map(|change| format!("{} {} {}", change.field, change.old, change.new))
            .collect();
        assert_eq!(
            shown,
            [
                "tags.New (none) n",
                "tags.Owner a b",
                "lease 1 2",
                "tags.Old x (none)",
                "protect true (none)"
            ]
        );
        let (set, unset) = changes(&live, &wanted);
        assert_eq!(unset, ["Old", PROTECT]);
        assert!(set.contains_key(SPEC) && set.contains_key(LEASE) && !set.contains_key("Empty"));
    }
}
