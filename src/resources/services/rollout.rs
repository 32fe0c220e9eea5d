//! Waiting until a service's tasks have been replaced.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_ecs::types::{Deployment, DeploymentRolloutState, Service as Told};
use aws_sdk_elasticloadbalancingv2::types::{TargetHealthDescription, TargetHealthStateEnum};

use super::{Live, failure, listing};
use crate::aws::elb::target_health;
use crate::aws::{Poll, Wait};
use crate::base::{Address, Result};
use crate::contract::Context;

/// After so long, a deployment that was answered is listed, or it is gone.
const VISIBLE: Duration = Duration::from_mins(1);
/// It is gone when so many answers in a row do not list it: one may be old.
const GONE: u32 = 3;

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
    let wait = Wait::new(what, Duration::from_mins(30), &news).closely();
    let sight = Mutex::new(Sight::new());
    let ends = wait.until(async || {
        let Some(told) = listing::one(cx, &live.cluster, &live.name).await? else {
            return Ok(Poll::Pending("not visible yet".to_owned()));
        };
        let is_there = started.as_ref().is_some_and(|it| is_listed(&told, it));
        let is_gone = sight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_gone(is_there);
        Ok(match state(&told, started.as_ref()) {
            // Rolled back, and forgotten.
            State::Going if started.is_some() && is_gone => {
                Poll::Ready(Err("ECS gave up the rollout".to_owned()))
            }
            State::Done => Poll::Ready(Ok(Live::from(told))),
            State::Going => Poll::Pending(with_health(cx, &live, &told).await),
            State::Failed(why) => Poll::Ready(Err(why)),
        })
    });
    match (ends.await?, started) {
        (Ok(live), _) => Ok(live),
        (Err(why), Some(started)) => {
            Err(Box::pin(failure::explained(cx, address, &live, &started, &why)).await)
        }
        (Err(why), None) => Err(crate::base::Error::failed(why)),
    }
}

/// What was seen of a deployment.
struct Sight {
    begun: Instant,
    seen: bool,
    missed: u32,
}

impl Sight {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            seen: false,
            missed: 0,
        }
    }

    /// Whether it is gone, after another answer that lists it or does not.
    fn is_gone(&mut self, is_there: bool) -> bool {
        self.seen |= is_there;
        self.missed = if is_there { 0 } else { self.missed + 1 };
        let was_there = self.seen || self.begun.elapsed() > VISIBLE;
        was_there && self.missed >= GONE
    }
}

fn is_listed(told: &Told, deployment: &Deployment) -> bool {
    let mut deployments = told.deployments.iter().flatten();
    deployments.any(|it| it.id == deployment.id)
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

/// It is there because another one failed:
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html>.
pub(super) fn is_rollback(deployment: &Deployment) -> bool {
    let reason = deployment.rollout_state_reason.as_deref();
    reason.is_some_and(|reason| reason.contains("rolling back"))
}

/// A deployment is still on its way.
pub(super) fn is_going(told: &Told, deployment: &Deployment) -> bool {
    matches!(state(told, Some(deployment)), State::Going)
}

/// How far it is, and how many of its tasks the load balancer finds healthy.
async fn with_health(cx: &Context, live: &Live, told: &Told) -> String {
    let words = in_words(told);
    let Some(attached) = &live.load_balancer else {
        return words;
    };
    // News: whoever may not read it goes without.
    let Ok(targets) = target_health(&cx.aws, attached.target_group()).await else {
        return words;
    };
    let is_healthy = |it: &&TargetHealthDescription| {
        let health = it.target_health.as_ref();
        health.and_then(|it| it.state.as_ref()) == Some(&TargetHealthStateEnum::Healthy)
    };
    let healthy = targets.iter().filter(is_healthy).count();
    format!("{healthy} healthy, {words}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_gone_when_it_was_there_and_several_answers_do_not_list_it() {
        let mut sight = Sight::new();
        let seen = [
            false, false, false, false, true, false, false, true, false, false, false,
        ];
        let gone: Vec<_> = seen.into_iter().map(|it| sight.is_gone(it)).collect();
        let not_yet_visible = gone[..4].iter().any(|it| *it);
        assert!(
            !not_yet_visible && !gone[6] && !gone[9] && gone[10],
            "{gone:?}"
        );
    }

    #[test]
    fn the_event_of_a_failure_is_that_of_the_deployment() {
        let event = |id: &str, text: &str| {
            let message = format!("(service web) (deployment {id}) {text}");
            aws_sdk_ecs::types::ServiceEvent::builder()
                .message(message)
                .build()
        };
        let ours = Deployment::builder().id("ecs-svc/2").build();
        let told = Told::builder()
            .events(event(
                "ecs-svc/1",
                "deployment failed: tasks failed to start.",
            ))
            .events(event("ecs-svc/2", "deployment in progress."));
        assert_eq!(end_of(&told.clone().build(), &ours), None);
        let told = told.events(event(
            "ecs-svc/2",
            "deployment failed: tasks failed to start.",
        ));
        let why = end_of(&told.build(), &ours);
        assert_eq!(
            why.as_deref(),
            Some("the rollout failed: tasks failed to start.")
        );
    }
}
