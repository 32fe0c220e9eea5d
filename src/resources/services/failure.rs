//! Why a rollout failed: what became of its tasks, the last lines that they wrote, what the load balancer
//! found, and what runs now.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ecs::types::{Deployment, DesiredStatus, Task};
use aws_sdk_elasticloadbalancingv2::types::TargetHealthStateEnum;

use super::logs::{Source, sources_of};
use super::{Live, listing, rollout};
use crate::aws::elb::target_health;
use crate::aws::{Poll, Wait, log_events, refused};
use crate::base::{Address, Error, Result};
use crate::contract::Context;

/// The most stopped tasks that an error tells of.
const TASKS: usize = 10;
/// The most tasks in one `DescribeTasks`.
const AT_ONCE: usize = 100;
/// So many of the last lines of a container are told.
const LINES: i32 = 20;
/// What ECS says of tasks that are not at fault.
const NOT_AT_FAULT: &str = "Scaling activity initiated by";

/// Events that tell of a cause: `(port 8000) is unhealthy in (target-group …) due to (reason …)`, `was unable
/// to place a task`.
const CAUSES: [&str; 2] = ["is unhealthy in", "unable to"];

/// What to do about it, by a word of what AWS says.
const HINTS: [(&str, &str); 7] = [
    (
        "CannotPull",
        "see that the image exists, and that the execution role may pull it",
    ),
    (
        "unable to pull secrets",
        "see that what `secrets` names exists, and that the execution role may read it",
    ),
    (
        "validate logger args",
        "see that the log group exists, and that the execution role may write to it",
    ),
    (
        "OutOfMemory",
        "give the task definition (or the container) more `memory_mib`",
    ),
    (
        "ELB health checks",
        "see that the container answers the target group's `health_check` with that status, and soon enough for \
         `health_check_grace_seconds`",
    ),
    (
        "container health checks",
        "see that the container's own `health_check` passes in it",
    ),
    (
        "Essential container",
        "put right what its last lines tell of; `tidewalk logs` shows more of them",
    ),
];

/// All there is to say of a deployment that failed. Waits until the service runs what it ran before, if
/// it goes back to that.
pub(super) async fn explained(
    cx: &Context,
    address: &Address,
    live: &Live,
    deployment: &Deployment,
    why: &str,
) -> Error {
    let mut error = Error::failed(format!(
        "service `{}` did not become steady: {why}",
        live.name
    ));
    // What cannot be read does not hide the failure itself.
    let tasks = match stopped(cx, live, deployment).await {
        Ok(tasks) => tasks,
        Err(why) => {
            error = error.note(format!("what became of its tasks: {}", why.message()));
            Vec::new()
        }
    };
    let mut said = BTreeSet::new();
    for reason in tasks.iter().flat_map(reasons) {
        if said.insert(reason.clone()) {
            error = error.note(reason);
        }
    }
    match unhealthy(cx, live).await {
        Ok(reasons) => {
            for reason in reasons {
                said.insert(reason.clone());
                error = error.note(reason);
            }
        }
        Err(why) => error = error.note(format!("the health of its targets: {}", why.message())),
    }
    match causes(cx, live, deployment).await {
        Ok(events) => error = events.into_iter().fold(error, Error::note),
        Err(why) => error = error.note(format!("its events: {}", why.message())),
    }
    for line in last_lines(cx, deployment, &tasks).await {
        error = error.note(line);
    }
    let now = back(cx, address, live, deployment).await;
    let hint = HINTS
        .iter()
        .find(|(word, _)| said.iter().any(|reason| reason.contains(word)));
    let hint = hint.map_or("put right what stopped its tasks, and apply again", |it| {
        it.1
    });
    error.note(now).hint(hint)
}

/// Tasks of the deployment that stopped and are at fault, the latest first.
async fn stopped(cx: &Context, live: &Live, deployment: &Deployment) -> Result<Vec<Task>> {
    let call = cx.aws.ecs.list_tasks().cluster(&live.cluster);
    let call = call.service_name(&live.name);
    let call = call.desired_status(DesiredStatus::Stopped);
    let mut pages = call.into_paginator().items().send();
    let mut arns = Vec::new();
    while let Some(arn) = pages.next().await {
        arns.push(arn.map_err(refused("ecs:ListTasks"))?);
    }
    let mut tasks = Vec::new();
    for some in arns.chunks(AT_ONCE) {
        let call = cx.aws.ecs.describe_tasks().cluster(&live.cluster);
        let told = call.set_tasks(Some(some.to_vec())).send().await;
        let told = told.map_err(refused("ecs:DescribeTasks"))?.tasks;
        tasks.extend(told.into_iter().flatten());
    }
    let spared = |it: &Task| {
        let reason = it.stopped_reason.as_deref();
        reason.is_some_and(|reason| reason.starts_with(NOT_AT_FAULT))
    };
    tasks.retain(|it| it.started_by == deployment.id && !spared(it));
    tasks.sort_by_key(|it| std::cmp::Reverse(it.stopped_at));
    tasks.truncate(TASKS);
    Ok(tasks)
}

fn reasons(task: &Task) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(reason) = &task.stopped_reason {
        reasons.push(format!("a task stopped: {reason}"));
    }
    for container in task.containers.iter().flatten() {
        let name = container.name.as_deref().unwrap_or_default();
        let code = container.exit_code;
        let told = task.stopped_reason.as_deref();
        match container.reason.as_deref().filter(|it| Some(*it) != told) {
            Some(reason) => reasons.push(format!("container `{name}`: {reason}")),
            None => {
                if let Some(code) = code.filter(|code| *code != 0) {
                    reasons.push(format!("container `{name}` ended with {code}"));
                }
            }
        }
    }
    reasons
}

/// What the load balancer finds wrong with the targets that are there.
async fn unhealthy(cx: &Context, live: &Live) -> Result<Vec<String>> {
    let Some(attached) = &live.load_balancer else {
        return Ok(Vec::new());
    };
    let told = target_health(&cx.aws, attached.target_group()).await?;
    let mut reasons = BTreeSet::new();
    for health in told {
        let target = health.target.and_then(|it| it.id).unwrap_or_default();
        let Some(health) = health.target_health else {
            continue;
        };
        if health.state == Some(TargetHealthStateEnum::Unhealthy) {
            let why = health.description.unwrap_or_default();
            reasons.insert(format!("target {target} is unhealthy: {why}"));
        }
    }
    Ok(reasons.into_iter().collect())
}

/// Events since the deployment began that tell of a cause, each once.
async fn causes(cx: &Context, live: &Live, deployment: &Deployment) -> Result<Vec<String>> {
    let told = listing::one(cx, &live.cluster, &live.name).await?;
    let mut causes = Vec::new();
    for event in told
        .into_iter()
        .flat_map(|told| told.events.unwrap_or_default())
    {
        let message = event.message.unwrap_or_default();
        let is_one = CAUSES.iter().any(|cause| message.contains(cause));
        if event.created_at >= deployment.created_at && is_one && !causes.contains(&message) {
            causes.push(message);
        }
    }
    causes.truncate(TASKS);
    Ok(causes)
}

/// The last lines of the latest of these tasks, or why they cannot be read.
async fn last_lines(cx: &Context, deployment: &Deployment, tasks: &[Task]) -> Vec<String> {
    let begun = tasks.iter().find(|it| it.started_at.is_some());
    let (Some(task), Some(definition)) = (begun, &deployment.task_definition) else {
        return Vec::new();
    };
    let id = task.task_arn.as_deref().unwrap_or_default();
    let id = id.rsplit('/').next().unwrap_or_default();
    let unread = |why: &Error| format!("the last lines that it wrote: {}", why.message());
    let sources = match sources_of(cx, definition).await {
        Ok(sources) => sources,
        Err(why) => return vec![unread(&why)],
    };
    let mut lines = Vec::new();
    for source in sources {
        let Source {
            container,
            group,
            begin,
        } = source;
        let stream = format!("{begin}{id}");
        let last = match log_events::last(&cx.aws, &group, &stream, LINES).await {
            Ok(last) => last,
            Err(why) => {
                lines.push(unread(&why));
                continue;
            }
        };
        if !last.is_empty() {
            lines.push(format!("the last lines of container `{container}`:"));
            lines.extend(last.into_iter().map(|line| format!("| {line}")));
        }
    }
    lines
}

/// Waits until the service runs again what it ran before; what runs now.
async fn back(cx: &Context, address: &Address, live: &Live, failed: &Deployment) -> String {
    let news = |text: &str| cx.progress.doing(address, &format!("rolling back: {text}"));
    let what = format!("service `{}` to be rolled back", live.name);
    let wait = Wait::new(what, Duration::from_mins(15), &news);
    let ends = wait.until(async || {
        let Some(told) = listing::one(cx, &live.cluster, &live.name).await? else {
            return Ok(Poll::Ready("the service is gone".to_owned()));
        };
        let Some(primary) = rollout::primary(&told) else {
            return Ok(Poll::Ready(rollout::in_words(&told)));
        };
        if primary.id == failed.id {
            let text = "there is no version before it that ran, so nothing was rolled back";
            return Ok(Poll::Ready(text.to_owned()));
        }
        let definition = primary.task_definition.as_deref().unwrap_or_default();
        let definition = definition.rsplit('/').next().unwrap_or_default();
        if rollout::is_going(&told, primary) {
            return Ok(Poll::Pending(rollout::in_words(&told)));
        }
        let again = primary.created_at <= failed.created_at || rollout::is_rollback(primary);
        let before = if again { "rolled back: " } else { "" };
        Ok(Poll::Ready(format!(
            "{before}`{definition}` runs, {} of {} tasks",
            told.running_count, told.desired_count
        )))
    });
    // The failure is what is told, whatever becomes of this.
    ends.await
        .unwrap_or_else(|error| format!("it was not rolled back: {}", error.message()))
}
