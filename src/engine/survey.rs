//! What is there: every kind in use listed at once, and sorted by who owns what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;

use super::{Event, Observer};
use crate::base::{Address, Error, ErrorKind, Errors, Outputs, Result};
use crate::contract::{
    Arn, Context, Found, Kind, Stage, Tagged, TaggedResource, Wanted, tags as keys,
};

/// The account as the stack sees it.
#[derive(Default)]
pub(super) struct Survey {
    /// What the stack owns, by address.
    pub(super) owned: BTreeMap<Address, Found>,
    /// What the playbook names and does not declare, by kind and the name it used.
    pub(super) external: BTreeMap<Address, Outputs>,
    /// The kinds that were listed.
    pub(super) listed: BTreeSet<&'static str>,
    /// Those of them that the playbook or the journal has some of.
    pub(super) in_use: BTreeSet<&'static str>,
}

/// Lists every kind that may be in use, all at once: what the playbook declares or names
/// (`wanted`), what the journal remembers, what the Tagging API tells the stack has, and what the
/// Tagging API cannot tell; for the `whole` stack also what it tells in part.
///
/// # Errors
/// Each listing that failed, as [`crate::base::ErrorKind::Unknown`]: nothing may be concluded then.
/// Also two resources that claim the same address.
pub(super) async fn survey(
    cx: &Context,
    kinds: &[Arc<dyn Kind>],
    wanted: &BTreeMap<&'static str, Wanted>,
    remembered: &BTreeSet<String>,
    whole: bool,
    observer: &dyn Observer,
) -> Result<Survey, Errors> {
    if !cx.has_account() {
        return Ok(Survey::default());
    }
    let told = kinds.iter().filter(|kind| !kind.tagged_in_part());
    let tagged = if whole {
        Tagged::default()
    } else {
        Tagged::under(told.filter_map(|kind| kind.arn()))
    };
    let kinds = kinds.iter();
    let kinds: Vec<_> = kinds
        .filter(|kind| kind.stage() == Stage::Account)
        .collect();
    let names = kinds.iter().map(|kind| kind.name());
    let in_use = names.filter(|name| wanted.contains_key(name) || remembered.contains(*name));
    let in_use: Arc<BTreeSet<&'static str>> = Arc::new(in_use.collect());
    let listings = kinds.iter().map(|kind| {
        let asked = Wanted {
            tagged: tagged.clone(),
            in_use: Arc::clone(&in_use),
            for_deletion: whole,
            ..wanted.get(kind.name()).cloned().unwrap_or_default()
        };
        async move {
            // What this machine never applied, its journal cannot tell of.
            let strange = whole && remembered.is_empty();
            let known = asked.in_use.contains(kind.name()) || strange && kind.tagged_in_part();
            let listed = list(cx, kind.as_ref(), &asked, known, observer).await;
            (kind.name(), asked, listed)
        }
    });
    let mut errors = Errors::default();
    let mut survey = Survey {
        in_use: in_use.as_ref().clone(),
        ..Survey::default()
    };
    for (kind, wanted, listed) in join_all(listings).await {
        match listed {
            Ok(Some(found)) => {
                survey.listed.insert(kind);
                survey.sort(cx, kind, &wanted, found, &mut errors);
            }
            Ok(None) => {}
            Err(error) => {
                let unknown = error.as_kind(ErrorKind::Unknown);
                errors.push(unknown.context(format!("listing `{kind}`")));
            }
        }
    }
    errors.into_result(survey)
}

/// Lists one kind; `None` when the stack has none by all that tells, unless it is `known` to.
async fn list(
    cx: &Context,
    kind: &dyn Kind,
    wanted: &Wanted,
    known: bool,
    observer: &dyn Observer,
) -> Result<Option<Vec<Found>>> {
    let started = Instant::now();
    if let (false, Some(begin)) = (known, kind.arn()) {
        let tagged = wanted.tagged.of(&cx.aws, &cx.stack).await?;
        // A part of something else (a root volume) has the address of that.
        let is_its = |one: &TaggedResource| match one.tags.owner() {
            Some(owner) => owner.address.kind == kind.name(),
            None => Arn::read(&one.arn).is_some_and(|arn| arn.after(begin).is_some()),
        };
        if !tagged.iter().any(is_its) {
            return Ok(None);
        }
    }
    let found = kind.discover(cx, wanted).await?;
    observer.event(&Event::Discovered {
        kind: kind.name().to_owned(),
        count: found.len(),
        elapsed: started.elapsed(),
    });
    Ok(Some(found))
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
