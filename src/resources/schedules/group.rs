//! The schedule group of a stack: made with the first schedule, gone with the last.

use std::time::Duration;

use aws_sdk_scheduler::types::{ScheduleGroupState, Tag};
use tokio::sync::Mutex;

use super::listing;
use crate::aws::tags::{LEASE, STACK};
use crate::aws::{Poll, Tags, Wait, is_code, refused};
use crate::base::{Error, Result};
use crate::contract::Context;

pub(super) const ARN: &str = "scheduler:schedule-group/";
pub(super) const NOT_FOUND: &str = "ResourceNotFoundException";
pub(super) const CONFLICT: &str = "ConflictException";

/// A deleted group takes every schedule in it along: nobody makes one while it is decided whether
/// the group goes.
#[derive(Default)]
pub(super) struct Turn(pub(super) Mutex<()>);

/// Stacks' names are short enough: AWS takes 64 characters.
pub(super) fn name(stack: &str) -> String {
    format!("tidewalk-{stack}")
}

fn tags(cx: &Context, tags: &Tags) -> Result<Vec<Tag>> {
    let own = [STACK, LEASE].into_iter();
    let own = own.filter_map(|key| Some((key, tags.value(key)?)));
    let user = cx
        .tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    user.chain(own)
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|error| Error::failed(error.to_string()))
}

/// Makes the group unless it is there.
pub(super) async fn ensure(cx: &Context, of: &Tags) -> Result<()> {
    let call = cx.aws.scheduler.create_schedule_group();
    let call = call.name(name(&cx.stack)).set_tags(Some(tags(cx, of)?));
    let made = call.send().await;
    match made.map_err(refused("scheduler:CreateScheduleGroup")) {
        Err(error) if !is_code(&error, CONFLICT) => Err(error),
        _ => Ok(()),
    }
}

/// Brings the group's own tags up to date, such as the lease's end.
pub(super) async fn retag(cx: &Context, of: &Tags) -> Result<()> {
    let arn = format!(
        "arn:aws:scheduler:{}:{}:schedule-group/{}",
        cx.region,
        cx.account,
        name(&cx.stack)
    );
    let call = cx.aws.scheduler.tag_resource().resource_arn(arn);
    let done = call.set_tags(Some(tags(cx, of)?)).send().await;
    done.map_err(refused("scheduler:TagResource"))?;
    Ok(())
}

/// How the group is, if it is there.
pub(super) async fn state(cx: &Context, group: &str) -> Result<Option<ScheduleGroupState>> {
    let call = cx.aws.scheduler.get_schedule_group().name(group);
    let told = call.send().await;
    match told.map_err(refused("scheduler:GetScheduleGroup")) {
        Ok(told) => Ok(Some(told.state.unwrap_or(ScheduleGroupState::Active))),
        Err(error) if is_code(&error, NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Deletes the group when no schedule is in it any more.
pub(super) async fn delete_if_empty(cx: &Context, group: &str) -> Result<()> {
    for name in listing::names(cx, group).await? {
        // The listing shows what is gone for a while.
        if listing::one(cx, group, &name).await?.is_some() {
            return Ok(());
        }
    }
    let call = cx.aws.scheduler.delete_schedule_group().name(group);
    let gone = call.send().await;
    match gone.map_err(refused("scheduler:DeleteScheduleGroup")) {
        Err(error) if !is_code(&error, NOT_FOUND) && !is_code(&error, CONFLICT) => {
            return Err(error);
        }
        _ => {}
    }
    let what = format!("schedule group `{group}` to be gone");
    let wait = Wait::new(what, Duration::from_mins(5), &|_| {});
    wait.until(async || {
        Ok(match state(cx, group).await? {
            None => Poll::Ready(()),
            Some(state) => Poll::Pending(state.as_str().to_owned()),
        })
    })
    .await
}
