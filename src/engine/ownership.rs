//! The tags that a resource should carry: the playbook's, its own, and the ones that say whose it is.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::base::Node;
use crate::contract::{Context, Found, Tags, tags as keys};
use crate::playbook::Declaration;

/// Hexadecimal digits of the spec's hash that are written: enough to tell two specs apart.
const SPEC_DIGITS: usize = 16;

/// The tags of a declared resource. A lease that still has more than half its time to go is left
/// as `live` has it, so that a plan of an unchanged stack stays empty.
pub(super) fn tags(
    cx: &Context,
    declaration: &Declaration,
    node: &Node,
    live: Option<&Found>,
    now: Timestamp,
) -> Tags {
    let mut tags = cx.tags.clone();
    tags.extend(declaration.tags.clone());
    tags.insert(keys::STACK.to_owned(), cx.stack.clone());
    tags.insert(keys::ADDRESS.to_owned(), declaration.address.to_string());
    tags.insert(keys::SPEC.to_owned(), spec_hash(node));
    if declaration.protect {
        tags.insert(keys::PROTECT.to_owned(), "true".to_owned());
    }
    if declaration.keep {
        tags.insert(keys::KEEP.to_owned(), "true".to_owned());
    }
    if let Some(until) = &cx.lease_until {
        let standing = live.and_then(|live| live.tags.value(keys::LEASE));
        tags.insert(keys::LEASE.to_owned(), lease(until, standing, now));
    }
    Tags(tags)
}

fn lease(until: &str, standing: Option<&str>, now: Timestamp) -> String {
    let times = (
        until.parse::<Timestamp>(),
        standing.and_then(|it| it.parse::<Timestamp>().ok()),
    );
    match (times, standing) {
        ((Ok(fresh), Some(old)), Some(standing))
            if old <= fresh && now.duration_until(old) * 2 > now.duration_until(fresh) =>
        {
            standing.to_owned()
        }
        _ => until.to_owned(),
    }
}

fn spec_hash(node: &Node) -> String {
    let digest = Sha256::digest(node.to_shown_json().to_string());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    hex[..SPEC_DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_renewed_once_half_of_it_is_gone() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let fresh = "2026-01-31T00:00:00Z";
        assert_eq!(lease(fresh, None, now), fresh);
        assert_eq!(
            lease(fresh, Some("2026-01-10T00:00:00Z"), now),
            fresh,
            "10 of 30 days left"
        );
        assert_eq!(
            lease(fresh, Some("2026-01-30T00:00:00Z"), now),
            "2026-01-30T00:00:00Z"
        );
        assert_eq!(
            lease(fresh, Some("2026-03-30T00:00:00Z"), now),
            fresh,
            "the lease was shortened"
        );
    }
}
