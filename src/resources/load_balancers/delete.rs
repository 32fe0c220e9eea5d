//! Deletes a load balancer with its listeners, and tells what is still there of it.

use std::time::Duration;

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

/// One answer per id. Its listeners are gone with it.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    present(
        ids,
        |_| listing::list(cx),
        |live: Live| (live.arn, live.state),
    )
    .await
}
