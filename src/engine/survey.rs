//! What is there: every kind listed at once, and sorted by who owns what.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;

use super::{Event, Observer};
use crate::base::{Address, Error, ErrorKind, Errors, Outputs};
use crate::contract::{Context, Found, Kind, Stage, Wanted, tags as keys};

/// The account as the stack sees it.
#[derive(Default)]
pub(super) struct Survey {
    /// What the stack owns, by address.
    pub(super) owned: BTreeMap<Address, Found>,
    /// What the playbook names and does not declare, by kind and the name it used.
    pub(super) external: BTreeMap<Address, Outputs>,
}

/// Lists every kind at once.
///
/// # Errors
/// Each listing that failed, as [`crate::base::ErrorKind::Unknown`]: nothing may be concluded then.
/// Also two resources that claim the same address.
pub(super) async fn survey(
    cx: &Context,
    kinds: &[Arc<dyn Kind>],
    wanted: &BTreeMap<&'static str, Wanted>,
    observer: &dyn Observer,
) -> Result<Survey, Errors> {
    let nothing = Wanted::default();
    let listings = kinds
        .iter()
        .filter(|kind| kind.stage() == Stage::Account)
        .map(|kind| async {
            let started = Instant::now();
            let wanted = wanted.get(kind.name()).unwrap_or(&nothing);
            let listed = kind.discover(cx, wanted).await;
            if let Ok(found) = &listed {
                observer.event(&Event::Discovered {
                    kind: kind.name().to_owned(),
                    count: found.len(),
                    elapsed: started.elapsed(),
                });
            }
            (kind.name(), wanted, listed)
        });
    let mut errors = Errors::default();
    let mut survey = Survey::default();
    for (kind, wanted, listed) in join_all(listings).await {
        match listed {
            Ok(found) => survey.sort(cx, kind, wanted, found, &mut errors),
            Err(error) => {
                let unknown = error.as_kind(ErrorKind::Unknown);
                errors.push(unknown.context(format!("listing `{kind}`")));
            }
        }
    }
    errors.into_result(survey)
}

impl Survey {
    fn sort(
        &mut self,
        cx: &Context,
        kind: &str,
        wanted: &Wanted,
        found: Vec<Found>,
        errors: &mut Errors,
    ) {
        for found in found {
            for name in &wanted.external {
                if found.id == *name || found.name.as_deref() == Some(name) {
                    self.external
                        .insert(Address::new(kind, name), found.outputs.clone());
                }
            }
            if found.tags.value(keys::STACK) != Some(&cx.stack) {
                continue;
            }
            let owner = found.tags.owner().map(|owner| owner.address);
            let Some(address) = owner.filter(|address| address.kind == kind) else {
                errors.push(nameless(cx, kind, &found));
                continue;
            };
            if let Some(other) = self.owned.get(&address) {
                let message = format!("two resources claim to be `{address}`");
                errors.push(
                    Error::failed(message)
                        .note(format!(
                            "`{}` and `{}` carry the same ownership tags",
                            other.id, found.id
                        ))
                        .hint("remove the tag `tidewalk:stack` from the one that is not tidewalk's")
                        .of(&address),
                );
                continue;
            }
            self.owned.insert(address, found);
        }
    }
}

/// It is the stack's, and its tags do not tell which of the stack's resources it is.
fn nameless(cx: &Context, kind: &str, found: &Found) -> Error {
    let says = match found.tags.value(keys::ADDRESS) {
        Some(address) => format!("its tag `{}` says `{address}`", keys::ADDRESS),
        None => format!("it has no tag `{}`", keys::ADDRESS),
    };
    let id = &found.id;
    let what = format!("`{id}` belongs to stack `{}`, but {says}", cx.stack);
    let hint = format!(
        "set its tag `{}` to `{kind}.NAME`, or remove its tag `{}` if it is not tidewalk's",
        keys::ADDRESS,
        keys::STACK
    );
    Error::failed(what).hint(hint)
}
