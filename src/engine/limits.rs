//! The playbook's own limits, held before anything is planned.

use crate::base::{Error, Errors};
use crate::playbook::Playbook;

/// Refuses a playbook that declares more of a kind than its `limits:` allow.
pub(super) fn check(playbook: &Playbook) -> Result<(), Errors> {
    let mut errors = Errors::default();
    for (kind, (most, at)) in &playbook.limits {
        let count = playbook
            .declarations
            .keys()
            .filter(|it| it.kind == *kind)
            .count();
        if u64::try_from(count).unwrap_or(u64::MAX) > *most {
            let message =
                format!("the playbook declares {count} `{kind}`, and its limit is {most}");
            errors.push(Error::playbook(message, at).hint("declare fewer, or raise the limit"));
        }
    }
    errors.into_result(())
}
