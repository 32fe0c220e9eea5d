//! The revisions of a family: the newest, those that are kept, and those that go.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ecs::types::{TaskDefinitionField, TaskDefinitionStatus};
use futures::future::{join_all, try_join, try_join_all};

use super::{ARN, Live, TaskDefinition, registering};
use crate::aws::ecs::{retag, tags_of};
use crate::aws::tags::SPEC;
use crate::aws::{Poll, Tags, Wait, is_code, refused, tags};
use crate::base::{Address, Error, Result, Value};
use crate::contract::{Context, Presence, Resource, Target, Wanted, aws_name};
use crate::resources::named;

/// The most revisions in one `DeleteTaskDefinitions`:
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteTaskDefinitions.html>.
const AT_ONCE: usize = 10;

/// ECS describes one family at a time.
pub(super) async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
    // With a revision that the Tagging API lists: an inactive one is found only by its number.
    let mut families: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (address, node) in &wanted.declared {
        let family = match node.entry("family").map(|family| &family.value) {
            None | Some(Value::Null) => aws_name(address),
            Some(Value::Text(family)) => family.clone(),
            Some(_) => continue,
        };
        families.insert(family, None);
    }
    families.extend(wanted.external.iter().map(|name| (name.clone(), None)));
    let tagged = wanted.tagged.named(&cx.aws, &cx.stack, ARN).await?;
    for (name, resource) in tagged {
        if let Some((family, _)) = name.rsplit_once(':') {
            families.insert(family.to_owned(), Some(resource.arn.clone()));
        }
    }
    let found = try_join_all(families.iter().map(|(family, tagged)| async move {
        if let (true, Some(arn)) = (wanted.for_deletion, tagged) {
            return listed(cx, wanted, family, arn).await;
        }
        match (describe(cx, family).await?, tagged) {
            (Some(live), _) => Ok::<_, Error>(Some(live)),
            (None, Some(arn)) => describe(cx, arn).await,
            (None, None) => Ok(None),
        }
    }));
    let found = found.await?.into_iter().flatten();
    Ok(found
        .filter(|live| live.status != "DELETE_IN_PROGRESS")
        .collect())
}

/// What it takes to delete a family that the Tagging API lists: its revisions and its tags.
async fn listed(cx: &Context, wanted: &Wanted, family: &str, arn: &str) -> Result<Option<Live>> {
    let (active, inactive) = every(cx, family).await?;
    let tagged = wanted.tagged.of(&cx.aws, &cx.stack).await?.iter();
    let tagged = tagged.rev().find(|one| one.arn == arn);
    let newest = active.last().or(inactive.last()).cloned();
    Ok(newest.map(|newest| Live {
        family: family.to_owned(),
        revision: revision(&newest),
        arn: newest,
        tags: tagged.map(|one| one.tags.clone()).unwrap_or_default(),
        revisions: Some((active, inactive)),
        ..Live::default()
    }))
}

/// ARNs of a family's revisions, active and inactive ones.
async fn every(cx: &Context, family: &str) -> Result<(Vec<String>, Vec<String>)> {
    let active = list(cx, family, TaskDefinitionStatus::Active);
    let inactive = list(cx, family, TaskDefinitionStatus::Inactive);
    try_join(active, inactive).await
}

/// The newest active revision of a family, or the revision of an ARN.
async fn describe(cx: &Context, name: &str) -> Result<Option<Live>> {
    let call = cx.aws.ecs.describe_task_definition().task_definition(name);
    let call = call.include(TaskDefinitionField::Tags).send().await;
    match call.map_err(refused("ecs:DescribeTaskDefinition")) {
        Ok(told) => {
            let tags = tags_of(told.tags);
            let told = told.task_definition;
            Ok(told.map(|told| registering::told(cx, told, tags)))
        }
        // ECS has no code of its own for what is not there.
        Err(error)
            if is_code(&error, "ClientException")
                && error.message().contains("Unable to describe") =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The family that is there already, if it is this one.
pub(super) async fn ours(cx: &Context, target: Target<'_>, family: &str) -> Result<Option<Live>> {
    let live = describe(cx, family).await?;
    let live = live.filter(|live| live.status == "ACTIVE");
    if let Some(live) = &live {
        named::must_be_ours("task definition", family, &live.tags, target)?;
    }
    Ok(live)
}

/// ARNs of a family's revisions, oldest first.
async fn list(cx: &Context, family: &str, status: TaskDefinitionStatus) -> Result<Vec<String>> {
    let call = cx.aws.ecs.list_task_definitions().family_prefix(family);
    let mut pages = call.status(status).into_paginator().items().send();
    let mut arns = Vec::new();
    while let Some(arn) = pages.next().await {
        arns.push(arn.map_err(refused("ecs:ListTaskDefinitions"))?);
    }
    arns.sort_by_key(|arn| revision(arn));
    Ok(arns)
}

fn revision(arn: &str) -> i32 {
    let number = arn.rsplit(':').next();
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Brings the tags of every revision from those of the newest to `wanted`.
pub(super) async fn retag_all(cx: &Context, mut live: Live, wanted: &Tags) -> Result<Live> {
    let (set, unset) = tags::changes(&live.tags, wanted);
    if set.is_empty() && unset.is_empty() {
        return Ok(live);
    }
    let mut arns = list(cx, &live.family, TaskDefinitionStatus::Active).await?;
    if !arns.contains(&live.arn) {
        arns.push(live.arn.clone());
    }
    for arn in arns {
        retag(&cx.aws, &arn, &live.tags, wanted).await?;
    }
    live.tags.apply(wanted);
    Ok(live)
}

/// Removes what `made` leaves behind: revisions beyond those that are kept, and those between
/// `before` and `made`, which came of answers that were lost.
pub(super) async fn prune(
    cx: &Context,
    before: Option<&Live>,
    made: &Live,
    keep: usize,
) -> Result<()> {
    let active = list(cx, &made.family, TaskDefinitionStatus::Active).await?;
    let newest = before.map_or(0, |live| live.revision);
    let (twice, rest): (Vec<_>, Vec<_>) = active
        .into_iter()
        .filter(|arn| *arn != made.arn)
        .partition(|arn| (newest + 1..made.revision).contains(&revision(arn)));
    let beyond = rest.len().saturating_sub(keep.saturating_sub(1));
    let (old, kept) = rest.split_at(beyond);
    for arn in twice.iter().chain(old) {
        deregister(cx, arn).await?;
    }
    let mut gone: Vec<_> = twice.iter().chain(old).cloned().collect();
    if let Some(before) = before {
        // Deregistered by a run that was killed, or by hand.
        for arn in list(cx, &made.family, TaskDefinitionStatus::Inactive).await? {
            if !gone.contains(&arn) {
                gone.push(arn);
            }
        }
        let (mut set, unset) = tags::changes(&before.tags, &made.tags);
        set.remove(SPEC);
        if !set.is_empty() || !unset.is_empty() {
            for arn in kept {
                retag(&cx.aws, arn, &before.tags, &made.tags).await?;
            }
        }
    }
    delete(cx, &gone).await.map(drop)
}

async fn deregister(cx: &Context, arn: &str) -> Result<()> {
    let call = cx.aws.ecs.deregister_task_definition();
    let done = call.task_definition(arn).send().await;
    match done.map_err(refused("ecs:DeregisterTaskDefinition")) {
        // Deregistered already: an answer was lost.
        Err(error) if is_code(&error, "ClientException") => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

/// Deletes revisions that are inactive; whether ECS says that all of them go. Those that tasks still
/// run from go when these end.
async fn delete(cx: &Context, arns: &[String]) -> Result<bool> {
    let mut all_go = true;
    for some in arns.chunks(AT_ONCE) {
        let call = cx.aws.ecs.delete_task_definitions();
        let done = call.set_task_definitions(Some(some.to_vec())).send().await;
        let failures = done.map_err(refused("ecs:DeleteTaskDefinitions"))?.failures;
        for failure in failures.into_iter().flatten() {
            all_go = false;
            let reason = failure.reason.unwrap_or_default();
            // Gone already, or not seen as inactive yet: the next look tells.
            if !reason.contains("does not exist") && !reason.contains("ACTIVE") {
                let arn = failure.arn.unwrap_or_default();
                let text = format!("ecs:DeleteTaskDefinitions: `{arn}`: {reason}");
                return Err(Error::failed(text));
            }
        }
    }
    Ok(all_go)
}

/// Every revision, whatever its status.
pub(super) async fn delete_all(cx: &Context, live: &Live) -> Result<()> {
    let address = match live.tags.owner() {
        Some(owner) => owner.address,
        None => Address::new(TaskDefinition::KIND, &live.family),
    };
    let news = |text: &str| cx.progress.doing(&address, text);
    let what = format!("the revisions of `{}` to be gone", live.family);
    let wait = Wait::new(what, Duration::from_mins(10), &news);
    let mut known = live.revisions.clone();
    wait.until(move || {
        let known = known.take();
        async move {
            let (active, mut all) = match known {
                Some(known) => known,
                None => every(cx, &live.family).await?,
            };
            for arn in &active {
                deregister(cx, arn).await?;
            }
            all.extend(active);
            all.sort();
            all.dedup();
            if delete(cx, &all).await? {
                return Ok(Poll::Ready(()));
            }
            Ok(Poll::Pending(format!("{} are deleted", all.len())))
        }
    })
    .await
}

/// One answer per family: present while any revision can be used or described.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    join_all(ids.iter().map(|family| async {
        match every(cx, family).await {
            Ok((active, inactive)) if active.is_empty() && inactive.is_empty() => Presence::Absent,
            Ok((active, inactive)) => Presence::Present(format!(
                "{} active and {} inactive revisions",
                active.len(),
                inactive.len()
            )),
            Err(error) => Presence::unknown(&error),
        }
    }))
    .await
}
