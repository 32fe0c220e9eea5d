//! Waiting until a service's tasks have been replaced.

use std::time::Duration;

use aws_sdk_ecs::types::{Deployment, DeploymentRolloutState, Service as Told};

use super::{Live, failure, listing};
use crate::aws::{Poll, Wait};
use crate::base::{Address, Result};
use crate::contract::Context;

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
    let ends = wait.until(async || {
        let Some(told) = listing::one(cx, &live.cluster, &live.name).await? else {
            return Ok(Poll::Pending("not visible yet".to_owned()));
        };
        Ok(match state(&told, started.as_ref()) {
            State::Done => Poll::Ready(Ok(Live::from(told))),
            State::Going => Poll::Pending(in_words(&told)),
            State::Failed(why) => Poll::Ready(Err(why)),
        })
    });
    match (ends.await?, started) {
        (Ok(live), _) => Ok(live),
        (Err(why), Some(started)) => {
            Err(failure::explained(cx, address, &live, &started, &why).await?)
        }
        (Err(why), None) => Err(crate::base::Error::failed(why)),
    }
}

enum State {
    Done,
    Going,
    Failed(String),
}

/// The deployment that a service goes towards.
pub(super) fn primary(told: &Told) -> Option<&Deployment> {
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
    if let Some(why) = end_of(told, started) {
        return State::Failed(why);
    }
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

/// The event by which ECS told that a deployment failed, which may be gone by then. Events look like
/// `(service web) (deployment ecs-svc/123) deployment failed: tasks failed to start.`
fn end_of(told: &Told, started: &Deployment) -> Option<String> {
    let id = started.id.as_deref()?;
    let messages = told.events.iter().flatten();
    let mut messages = messages.filter_map(|event| event.message.as_deref());
    let failed = messages.find(|it| it.contains(id) && it.contains("deployment failed"))?;
    let (_, why) = failed.split_once("deployment failed")?;
    Some(format!("the rollout failed{why}"))
}

/// A deployment is still on its way.
pub(super) fn is_going(told: &Told, deployment: &Deployment) -> bool {
    matches!(state(told, Some(deployment)), State::Going)
}

/// How far it is.
pub(super) fn in_words(told: &Told) -> String {
    let counts = format!("{} of {} running", told.running_count, told.desired_count);
    let newest = told.events.iter().flatten().next();
    match newest.and_then(|event| event.message.as_deref()) {
        Some(event) => format!("{counts}; {event}"),
        None => counts,
    }
}
