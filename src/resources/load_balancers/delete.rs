//! Deletes a load balancer with its listeners, and tells what is still there of it.

use std::time::Duration;

use futures::future::join_all;

use super::listing::{self, Live, NOT_FOUND};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Presence, Resource as _};
use crate::resources::presence::present;

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let call = cx.aws.elb.delete_load_balancer();
    let done = call.load_balancer_arn(&live.arn).send().await;
    match done.map_err(refused("elasticloadbalancing:DeleteLoadBalancer")) {
        Err(error) if is_code(&error, "OperationNotPermitted") => {
            let text = format!(
                "load balancer `{}` cannot be deleted: its deletion protection is on",
                live.name
            );
            return Err(Error::failed(text).code("OperationNotPermitted").hint(
                "set `deletion_protection: false` in the playbook and apply, or turn it off in AWS",
            ));
        }
        Err(error) if !is_code(&error, NOT_FOUND) => return Err(error),
        _ => {}
    }
    let address = match live.tags.owner() {
        Some(owner) => owner.address,
        None => Address::new(super::LoadBalancer::KIND, &live.name),
    };
    let news = |text: &str| cx.progress.doing(&address, text);
    let what = format!("load balancer `{}` to be gone", live.name);
    let wait = Wait::new(what, Duration::from_mins(10), &news);
    wait.until(async || {
        Ok(match listing::describe(cx, &live.arn).await? {
            Some(live) => Poll::Pending(live.state),
            // Its interfaces go a moment later: groups and subnets wait for them.
            None => Poll::Ready(()),
        })
    })
    .await
}

/// One answer per id: a load balancer's or a listener's ARN.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let is_listener = |id: &String| id.contains(":listener/");
    let (listeners, balancers): (Vec<String>, Vec<String>) =
        ids.iter().cloned().partition(is_listener);
    let listeners = join_all(listeners.iter().map(|arn| listener(cx, arn))).await;
    let seen = |live: Live| (live.arn, live.state);
    let balancers = match balancers.as_slice() {
        [] => Vec::new(),
        some => present(some, |_| listing::list(cx), seen).await,
    };
    let (mut listeners, mut balancers) = (listeners.into_iter(), balancers.into_iter());
    let answers = ids.iter().map(|id| {
        let answer = if is_listener(id) {
            listeners.next()
        } else {
            balancers.next()
        };
        answer.unwrap_or_else(|| Presence::Unknown("not asked".to_owned()))
    });
    answers.collect()
}

async fn listener(cx: &Context, arn: &str) -> Presence {
    let call = cx.aws.elb.describe_listeners().listener_arns(arn);
    let told = call.send().await;
    match told.map_err(refused("elasticloadbalancing:DescribeListeners")) {
        Ok(told) if told.listeners.as_ref().is_none_or(Vec::is_empty) => Presence::Absent,
        Ok(_) => Presence::Present("exists".to_owned()),
        Err(error) if is_code(&error, "ListenerNotFound") || is_code(&error, NOT_FOUND) => {
            Presence::Absent
        }
        Err(error) => Presence::Unknown(error.message().to_owned()),
    }
}
