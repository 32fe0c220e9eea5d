//! The tags that a resource should carry: the playbook's, its own, and the ones that say whose it is.

use std::fmt::Write as _;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::base::Node;
use crate::contract::{Context, Found, Ownership, Tags, tags as keys};
use crate::playbook::Declaration;

/// Bytes of the spec's hash that are written: enough to tell two specs apart.
const SPEC_BYTES: usize = 8;

/// The tags of a declared resource. A lease that still has more than half its time to go is left
/// as `live` has it, so that a plan of an unchanged stack stays empty.
pub(super) fn tags(
    cx: &Context,
    declaration: &Declaration,
    node: &Node,
    live: Option<&Found>,
    now: Timestamp,
) -> Tags {
    let mut user = cx.tags.clone();
    user.extend(declaration.tags.clone());
    let standing = live.and_then(|live| live.tags.value(keys::LEASE));
    let until = cx.lease_until.as_deref();
    let until = until.map(|until| lease(until, standing, now));
    let ownership = Ownership {
        stack: &cx.stack,
        address: &declaration.address,
        spec: Some(&spec_hash(node)),
        lease_until: until.as_deref(),
        protect: declaration.protect,
        keep: declaration.keep,
    };
    keys::wanted(&ownership, &user)
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
    digest
        .iter()
        .take(SPEC_BYTES)
        .fold(String::new(), |mut hex, byte| {
            // Writing to a `String` cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
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
