//! Whether a playbook has anything to do with an AWS account.

use std::path::Path;
use std::sync::Arc;

use super::journal;
use crate::base::Result;
use crate::contract::{Kind, Stage};
use crate::playbook::Playbook;

/// All that the playbook has is outside AWS (hosts by their addresses), it names no region and no
/// account, and this machine has never applied it with anything else: no account is asked for, and
/// none is looked at.
///
/// # Errors
/// When the journal in `local` cannot be read.
pub fn stands_alone(playbook: &Playbook, kinds: &[Arc<dyn Kind>], local: &Path) -> Result<bool> {
    let of_account = |name: &str| {
        let kind = kinds.iter().find(|kind| kind.name() == name);
        kind.is_none_or(|kind| kind.stage() == Stage::Account)
    };
    let named = playbook.region.is_some() || playbook.account.is_some();
    if named
        || playbook.declarations.values().any(|it| {
            of_account(&it.address.kind) || it.references.iter().any(|other| !other.declared)
        })
    {
        return Ok(false);
    }
    let entries = journal::read(local, &playbook.stack)?;
    Ok(!entries.iter().any(|entry| of_account(&entry.address.kind)))
}
