//! Starts, stops, and waits for an instance to get where it is going; many waits share one call.

use std::collections::HashMap;
use std::time::Duration;

use super::{Live, State, listing};
use crate::aws::batch::Batch;
use crate::aws::ec2::filter;
use crate::aws::{Poll, Wait, refused};
use crate::base::{Address, Error, Result};
use crate::contract::Context;

const DEADLINE: Duration = Duration::from_mins(10);

/// Waits until the instance runs.
pub(super) async fn running(cx: &Context, address: &Address, id: &str) -> Result<Live> {
    arrived(cx, address, id, "running")
        .await?
        .ok_or_else(|| Error::failed(format!("instance `{id}` has gone meanwhile")))
}

/// Waits until the instance is terminated, or AWS has forgotten it.
pub(super) async fn terminated(cx: &Context, address: &Address, id: &str) -> Result<()> {
    arrived(cx, address, id, "terminated").await.map(drop)
}

/// Starts a stopped instance and waits until it runs.
pub(super) async fn start(cx: &Context, address: &Address, id: &str) -> Result<Live> {
    cx.progress.doing(address, "starting");
    let call = cx.aws.ec2.start_instances().instance_ids(id);
    call.send().await.map_err(refused("ec2:StartInstances"))?;
    running(cx, address, id).await
}

/// Stops an instance and waits until it stands still.
pub(super) async fn stop(cx: &Context, address: &Address, live: &Live) -> Result<Live> {
    if live.state == "pending" {
        running(cx, address, &live.id).await?;
    }
    cx.progress.doing(address, "stopping");
    let call = cx.aws.ec2.stop_instances().instance_ids(&live.id);
    call.send().await.map_err(refused("ec2:StopInstances"))?;
    stopped(cx, address, &live.id).await
}

/// Waits until an instance that is stopping stands still.
pub(super) async fn stopped(cx: &Context, address: &Address, id: &str) -> Result<Live> {
    arrived(cx, address, id, "stopped")
        .await?
        .ok_or_else(|| Error::failed(format!("instance `{id}` has gone meanwhile")))
}

/// Brings a settled or moving instance to the wanted state.
pub(super) async fn bring(
    cx: &Context,
    address: &Address,
    live: Live,
    wanted: State,
) -> Result<Live> {
    match (wanted, live.state.as_str()) {
        (State::Running, "running") | (State::Stopped, "stopped") => Ok(live),
        (State::Running, "stopped") => start(cx, address, &live.id).await,
        (State::Running, "stopping") => {
            stopped(cx, address, &live.id).await?;
            start(cx, address, &live.id).await
        }
        (State::Running, _) => running(cx, address, &live.id).await,
        (State::Stopped, "stopping") => stopped(cx, address, &live.id).await,
        (State::Stopped, _) => stop(cx, address, &live).await,
    }
}

/// Waits for a state; `None` when the instance is no longer listed. An instance that dies on the
/// way to another state is an error with AWS's reason.
async fn arrived(cx: &Context, address: &Address, id: &str, wanted: &str) -> Result<Option<Live>> {
    let news = |text: &str| cx.progress.doing(address, text);
    let wait = Wait::new(format!("`{id}` to be {wanted}"), DEADLINE, &news);
    wait.until(async || {
        let Some(live) = look(cx, id).await? else {
            return Ok(match wanted {
                "terminated" => Poll::Ready(None),
                _ => Poll::Pending("not visible yet".to_owned()),
            });
        };
        if live.state == wanted {
            return Ok(Poll::Ready(Some(live)));
        }
        if wanted != "terminated" && !live.is_alive() {
            let reason = live.reason.as_deref().unwrap_or("AWS gives no reason");
            return Err(Error::failed(format!(
                "instance `{id}` is {}: {reason}",
                live.state
            )));
        }
        Ok(Poll::Pending(live.state))
    })
    .await
}

/// The instance as it is now, asked for together with what others look at.
pub(super) async fn look(cx: &Context, id: &str) -> Result<Option<Live>> {
    let batch = cx.aws.shared::<Batch<Live>>();
    let by_id = |ids: Vec<String>| async move {
        let found = listing::instances(cx, vec![filter("instance-id", ids)]).await?;
        let found = found.into_iter().map(|live| (live.id.clone(), live));
        Ok(found.collect::<HashMap<_, _>>())
    };
    batch.ask(id, by_id).await
}
