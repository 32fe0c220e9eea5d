//! Deleting a service with its tasks, and waiting until its tasks have stopped: while they
//! stop, they still need their roles.

use std::time::Duration;

use aws_sdk_ecs::types::DesiredStatus;

use super::{Live, SCALING, Service, listing, scaling};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Resource};
use crate::resources::apart;

/// The most tasks in one `DescribeTasks`:
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>.
const AT_ONCE: usize = 100;
/// The status of a service that is no more.
const GONE: &str = "INACTIVE";

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let address = match live.tags.owner() {
        Some(owner) => owner.address,
        None => Address::new(Service::KIND, &live.name),
    };
    if apart::is_remembered(&live.tags, SCALING) {
        scaling::end(cx, live).await?;
    }
    // By force: with the tasks that it still runs.
    let call = cx.aws.ecs.delete_service().cluster(&live.cluster);
    let call = call.service(&live.name).force(true).send().await;
    let told = match call.map_err(refused("ecs:DeleteService")) {
        Err(error) if is_gone(&error) => return Ok(()),
        told => told?.service,
    };
    if told.is_some_and(|told| told.status.as_deref() == Some(GONE)) {
        return Ok(());
    }
    let news = |text: &str| cx.progress.doing(&address, text);
    let what = format!("service `{}` to be gone", live.name);
    let wait = Wait::new(what, Duration::from_mins(15), &news);
    wait.until(async || {
        Ok(match listing::one(cx, &live.cluster, &live.name).await? {
            Some(told) if told.status.as_deref() != Some(GONE) => {
                Poll::Pending(format!("{} tasks running", told.running_count))
            }
            _ => Poll::Ready(()),
        })
    })
    .await?;
    let tasks = tasks(cx, live).await?;
    let what = format!("the tasks of service `{}` to stop", live.name);
    let wait = Wait::new(what, Duration::from_mins(15), &news);
    wait.until(async || {
        let left = running(cx, live, &tasks).await?;
        Ok(match left {
            0 => Poll::Ready(()),
            left => Poll::Pending(format!("{left} are stopping")),
        })
    })
    .await
}

/// ARNs of the cluster's tasks that stop or have stopped: the service no longer tells of its own.
async fn tasks(cx: &Context, live: &Live) -> Result<Vec<String>> {
    let call = cx.aws.ecs.list_tasks().cluster(&live.cluster);
    let call = call.desired_status(DesiredStatus::Stopped);
    let mut pages = call.into_paginator().items().send();
    let mut arns = Vec::new();
    while let Some(arn) = pages.next().await {
        match arn.map_err(refused("ecs:ListTasks")) {
            Ok(arn) => arns.push(arn),
            Err(error) if is_gone(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(arns)
}

/// How many of the service's have not stopped yet. ECS forgets stopped ones after a while.
async fn running(cx: &Context, live: &Live, tasks: &[String]) -> Result<usize> {
    let mut running = 0;
    for some in tasks.chunks(AT_ONCE) {
        let call = cx.aws.ecs.describe_tasks().cluster(&live.cluster);
        let told = call.set_tasks(Some(some.to_vec())).send().await;
        match told.map_err(refused("ecs:DescribeTasks")) {
            Ok(told) => {
                let told = told.tasks.into_iter().flatten();
                let its = format!("service:{}", live.name);
                running += told
                    .filter(|task| task.group.as_deref() == Some(&its))
                    .filter(|task| task.last_status.as_deref() != Some("STOPPED"))
                    .count();
            }
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(running)
}

fn is_gone(error: &Error) -> bool {
    let codes = [
        "ServiceNotFoundException",
        "ServiceNotActiveException",
        "ClusterNotFoundException",
    ];
    codes.into_iter().any(|code| is_code(error, code))
}
