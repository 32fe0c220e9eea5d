//! The text of a companion record: the ownership that other resources have as tags.
//!
//! `tidewalk stack=NAME;address=records.NAME;spec=HASH`, with `lease`, `protect` and `keep` where
//! they are set. Anybody can look it up, so it has nothing else.

use std::collections::BTreeMap;

use super::values::{quoted, unquoted};
use crate::aws::{Tags, tags};

const BEGIN: &str = "tidewalk ";
const PREFIX: &str = "tidewalk:";
const KEPT: [&str; 6] = [
    tags::STACK,
    tags::ADDRESS,
    tags::SPEC,
    tags::LEASE,
    tags::PROTECT,
    tags::KEEP,
];

/// Those of a resource's tags that a record can keep.
pub(super) fn kept(tags: &Tags) -> Tags {
    let kept = tags
        .0
        .iter()
        .filter(|(key, _)| KEPT.contains(&key.as_str()));
    Tags(
        kept.map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}

/// The value of the TXT record, as Route 53 takes it.
pub(super) fn value(tags: &Tags) -> String {
    let pairs = KEPT.iter().filter_map(|key| {
        let value = tags.value(key)?;
        Some(format!("{}={value}", key.strip_prefix(PREFIX)?))
    });
    quoted(&format!("{BEGIN}{}", pairs.collect::<Vec<_>>().join(";")))
}

/// The tags in such a value; `None` for other text.
pub(super) fn read(value: &str) -> Option<Tags> {
    let text = unquoted(value);
    let pairs = text.strip_prefix(BEGIN)?.split(';');
    let pairs = pairs.filter_map(|pair| pair.split_once('='));
    let tags: BTreeMap<String, String> = pairs
        .map(|(key, value)| (format!("{PREFIX}{key}"), value.to_owned()))
        .collect();
    Some(Tags(tags))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ownership_is_read_as_it_was_written() {
        let mut tags = Tags::default();
        for (key, value) in [
            (tags::STACK, "site"),
            (tags::ADDRESS, "records.www@eu"),
            (tags::LEASE, "2026-01-01T00:00:00Z"),
        ] {
            tags.0.insert(key.to_owned(), value.to_owned());
        }
        let value = value(&tags);
        assert!(value.starts_with("\"tidewalk stack=site;address=records.www@eu"));
        assert_eq!(read(&value), Some(tags));
        assert_eq!(read("\"v=spf1 -all\""), None);
    }
}
