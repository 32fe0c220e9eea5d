//! Waiting until a service's tasks have been replaced, and saying why they could not be.

use std::time::Duration;

use aws_sdk_ecs::types::{
    Deployment, DeploymentRolloutState, DesiredStatus, Service as Told, Task,
};

use super::{Live, listing};
use crate::aws::{Poll, Wait, refused};
use crate::base::{Address, Error, Result};
use crate::contract::Context;

/// The most stopped tasks that an error tells of.
const TOLD: i32 = 10;

/// Waits for the deployment that ECS answered a change with.
pub(super) async fn finished(cx: &Context, address: &Address, answer: Told) -> Result<Live> {
    let started = primary(&answer).cloned();
    let completed = started
        .as_ref()
        .is_some_and(|it| it.rollout_state == Some(DeploymentRolloutState::Completed));
    if completed && matches!(state(&answer, started.as_ref()), State::Done) {
        return Ok(Live::from(answer));
    }
    let live = Live::from(answer);
    let news = |text: &str| cx.progress.doing(address, text);
    let what = format!("service `{}` to be steady", live.name);
    let wait = Wait::new(what, Duration::from_mins(30), &news);
    wait.until(async || {
        let Some(told) = listing::one(cx, &live.cluster, &live.name).await? else {
            return Ok(Poll::Pending("not visible yet".to_owned()));
        };
        match state(&told, started.as_ref()) {
            State::Done => Ok(Poll::Ready(Live::from(told))),
            State::Going => Ok(Poll::Pending(in_words(&told))),
            State::Failed(why) => Err(failed(cx, &live, &told, why).await?),
        }
    })
    .await
}

enum State {
    Done,
    Going,
    Failed(String),
}

fn primary(told: &Told) -> Option<&Deployment> {
    let deployments = told.deployments.iter().flatten();
    let mut primary = deployments.filter(|it| it.status.as_deref() == Some("PRIMARY"));
    primary.next()
}

fn state(told: &Told, started: Option<&Deployment>) -> State {
    let all_run = told.running_count == told.desired_count && told.pending_count == 0;
    let Some(started) = started else {
        // A deployment controller of somebody else's tells of none.
        return if all_run { State::Done } else { State::Going };
    };
    let mut deployments = told.deployments.iter().flatten();
    match deployments.find(|it| it.id == started.id) {
        Some(ours) => match ours.rollout_state {
            Some(DeploymentRolloutState::Failed) => {
                let why = ours.rollout_state_reason.clone();
                State::Failed(why.unwrap_or_else(|| "the rollout failed".to_owned()))
            }
            Some(DeploymentRolloutState::Completed) | None if all_run => State::Done,
            _ => State::Going,
        },
        None => match primary(told) {
            Some(other) if other.created_at > started.created_at => {
                State::Failed("another rollout took its place".to_owned())
            }
            // Not visible yet.
            _ => State::Going,
        },
    }
}

fn in_words(told: &Told) -> String {
    let counts = format!("{} of {} running", told.running_count, told.desired_count);
    let newest = told.events.iter().flatten().next();
    match newest.and_then(|event| event.message.as_deref()) {
        Some(event) => format!("{counts}; {event}"),
        None => counts,
    }
}

async fn failed(cx: &Context, live: &Live, told: &Told, why: String) -> Result<Error> {
    let mut error = Error::failed(format!(
        "service `{}` did not become steady: {why}",
        live.name
    ));
    for reason in stopped(cx, live).await? {
        error = error.note(reason);
    }
    for event in told.events.iter().flatten().take(3) {
        error = error.note(event.message.clone().unwrap_or_default());
    }
    Ok(error
        .hint("look at the logs of its containers, put right what stopped them, and apply again"))
}

/// Why tasks of the service stopped, each reason once.
async fn stopped(cx: &Context, live: &Live) -> Result<Vec<String>> {
    let call = cx.aws.ecs.list_tasks().cluster(&live.cluster);
    let call = call.service_name(&live.name);
    let call = call
        .desired_status(DesiredStatus::Stopped)
        .max_results(TOLD);
    let listed = call.send().await.map_err(refused("ecs:ListTasks"))?;
    let arns = listed.task_arns.unwrap_or_default();
    if arns.is_empty() {
        return Ok(Vec::new());
    }
    let call = cx.aws.ecs.describe_tasks().cluster(&live.cluster);
    let told = call.set_tasks(Some(arns)).send().await;
    let tasks = told.map_err(refused("ecs:DescribeTasks"))?.tasks;
    let mut reasons = Vec::new();
    for reason in tasks.into_iter().flatten().flat_map(reasons_of) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Ok(reasons)
}

fn reasons_of(task: Task) -> Vec<String> {
    let stopped = task.stopped_reason.into_iter();
    let mut reasons: Vec<_> = stopped
        .map(|reason| format!("a task stopped: {reason}"))
        .collect();
    for container in task.containers.into_iter().flatten() {
        let name = container.name.unwrap_or_default();
        if let Some(reason) = container.reason {
            reasons.push(format!("container `{name}`: {reason}"));
        } else if let Some(code) = container.exit_code.filter(|code| *code != 0) {
            reasons.push(format!("container `{name}` ended with {code}"));
        }
    }
    reasons
}
