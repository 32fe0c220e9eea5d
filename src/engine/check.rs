//! What can be told offline: every spec against its kind, with nothing known of other resources.

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::{Errors, World};
use crate::contract::Kind;
use crate::playbook::{Facts, Playbook};

/// Checks every declaration, without touching anything outside this machine.
///
/// # Errors
/// Every problem found, in the order of the file.
pub fn check(playbook: &Playbook, kinds: &[Arc<dyn Kind>], facts: &Facts) -> Result<(), Errors> {
    let mut errors = Errors::default();
    for declaration in playbook.declarations.values() {
        let Some(kind) = kinds
            .iter()
            .find(|kind| kind.name() == declaration.address.kind)
        else {
            continue;
        };
        let node = playbook.evaluate(declaration, &World::default(), facts);
        let checked = node.and_then(|node| kind.check(&node));
        if let Err(found) = checked {
            errors.0.extend(found.0);
        }
    }
    errors.0.sort_by_key(|error| {
        error
            .location()
            .map(|at| (at.source.path.clone(), at.line, at.column))
    });
    // What is wrong with one of `for_each` is wrong with the others.
    let mut seen = HashSet::new();
    errors.0.retain(|error| seen.insert(error.to_string()));
    errors.into_result(())
}
