//! Deletes a fleet with its instances, and proves them gone.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Live, listing};
use crate::aws::batch::MOST;
use crate::aws::ec2::filter;
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Presence};
use crate::resources::presence::{merged, present};

/// Instances on their way to their end take minutes.
const DEADLINE: Duration = Duration::from_mins(15);

pub(super) async fn delete(cx: &Context, address: &Address, live: &Live) -> Result<()> {
    let name = &live.name;
    let news = |text: &str| cx.progress.doing(address, text);
    let wait = Wait::new(format!("fleet `{name}` to be free"), DEADLINE, &news);
    wait.until(async || {
        let call = cx.aws.autoscaling.delete_auto_scaling_group();
        let call = call.auto_scaling_group_name(name).force_delete(true);
        let done = call.send().await;
        match done.map_err(refused("autoscaling:DeleteAutoScalingGroup")) {
            Ok(_) => Ok(Poll::Ready(())),
            Err(error) if is_unknown(&error) => Ok(Poll::Ready(())),
            Err(error) if is_code(&error, "ScalingActivityInProgress") => {
                Ok(Poll::Pending("something is changing it".to_owned()))
            }
            Err(error) => Err(error),
        }
    })
    .await?;
    let members = live.instances.iter().map(|it| it.id.clone()).collect();
    let members = Mutex::new(members);
    let wait = Wait::new(format!("fleet `{name}` to be gone"), DEADLINE, &news);
    wait.until(async || {
        let found = listing::all_named(cx, vec![name.clone()]).await?;
        let Some((dying, _)) = found.into_iter().next() else {
            return Ok(Poll::Ready(()));
        };
        // Some may have been started since it was listed.
        let seen = dying.instances.iter().map(|it| it.id.clone());
        remembered(&members).extend(seen);
        Ok(Poll::Pending(format!(
            "{} instances",
            dying.instances.len()
        )))
    })
    .await?;
    let ids: Vec<_> = remembered(&members).iter().cloned().collect();
    let what = format!("the instances of fleet `{name}` to be gone");
    let wait = Wait::new(what, DEADLINE, &news);
    wait.until(async || {
        let mut left = Vec::new();
        for ids in ids.chunks(MOST) {
            left.extend(instances(cx, ids.to_vec()).await?);
        }
        Ok(match left.len() {
            0 => Poll::Ready(()),
            count => Poll::Pending(format!("{count} left")),
        })
    })
    .await
}

fn remembered(members: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    members.lock().unwrap_or_else(PoisonError::into_inner)
}

/// AWS says so with a code that says little.
fn is_unknown(error: &Error) -> bool {
    is_code(error, "ValidationError") && error.message().contains("not found")
}

/// The instances among `ids` that are not terminated, with their states.
async fn instances(cx: &Context, ids: Vec<String>) -> Result<Vec<(String, String)>> {
    let alive = ["pending", "running", "shutting-down", "stopping", "stopped"];
    let call = cx.aws.ec2.describe_instances();
    let call = call
        .filters(filter("instance-id", ids))
        .filters(filter("instance-state-name", alive));
    let pages = call.into_paginator().items().send();
    let listed: std::result::Result<Vec<_>, _> = pages.collect().await;
    let listed = listed.map_err(refused("ec2:DescribeInstances"))?;
    let listed = listed.into_iter().filter_map(|it| it.instances).flatten();
    Ok(listed
        .map(|instance| {
            let state = instance.state.and_then(|state| state.name);
            let state = state.map(|name| name.as_str().to_owned());
            (
                instance.instance_id.unwrap_or_default(),
                state.unwrap_or_default(),
            )
        })
        .collect())
}

/// A fleet may have any name; ids of instances are `i-` and digits.
fn is_instance(id: &str) -> bool {
    let digits = id.strip_prefix("i-").unwrap_or_default();
    digits.len() >= 8 && digits.chars().all(|c| c.is_ascii_hexdigit())
}

/// Groups and instances, each asked for among its own.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let (members, groups): (Vec<_>, Vec<_>) = ids.iter().cloned().partition(|id| is_instance(id));
    let (a, b) = futures::join!(
        present(&members, |ids| instances(cx, ids), |seen| seen),
        present(
            &groups,
            |names| listing::all_named(cx, names),
            |(live, dying)| {
                let state = if dying { "being deleted" } else { "exists" };
                (live.name, state.to_owned())
            }
        ),
    );
    let asked = members.into_iter().chain(groups);
    merged(ids, asked.zip(a.into_iter().chain(b)))
}
