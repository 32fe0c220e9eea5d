//! Attaches a volume to its instance, detaches it, and deletes it.

use std::time::Duration;

use super::{Live, listing};
use crate::aws::ec2::is_unknown;
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::Context;

const DEADLINE: Duration = Duration::from_mins(5);

/// Brings it to the instance (`None`: to no instance) as `device`.
pub(super) async fn bring(
    cx: &Context,
    address: &Address,
    live: Live,
    instance: Option<&str>,
    device: &str,
) -> Result<Live> {
    let settled = settled(cx, address, live).await?;
    let there = settled.attached.as_ref();
    let is_there = |id: &str| there.is_some_and(|it| it.instance == id && it.device == device);
    match instance {
        Some(id) if is_there(id) => Ok(settled),
        None if there.is_none() => Ok(settled),
        Some(id) => {
            let live = detached(cx, address, settled).await?;
            attached(cx, address, &live.id, id, device).await
        }
        None => detached(cx, address, settled).await,
    }
}

/// One that is being attached or detached, once it is there.
async fn settled(cx: &Context, address: &Address, live: Live) -> Result<Live> {
    let moves = |live: &Live| {
        let state = live.attached.as_ref().map(|it| it.state.as_str());
        state.is_some_and(|state| ["attaching", "detaching"].contains(&state))
    };
    if moves(&live) {
        return until(cx, address, &live.id, "settled", |live| !moves(live)).await;
    }
    Ok(live)
}

async fn attached(
    cx: &Context,
    address: &Address,
    id: &str,
    instance: &str,
    device: &str,
) -> Result<Live> {
    let news = |text: &str| cx.progress.doing(address, text);
    let what = format!("`{instance}` to take the volume");
    let wait = Wait::new(what, DEADLINE, &news);
    wait.until(async || {
        let call = cx.aws.ec2.attach_volume().volume_id(id);
        let call = call.instance_id(instance).device(device).send().await;
        match call.map_err(refused("ec2:AttachVolume")) {
            // The instance is still starting, or the volume not visible everywhere.
            Err(error) if is_code(&error, "IncorrectState") || is_unknown(&error) => {
                Ok(Poll::Pending(error.message().to_owned()))
            }
            // An earlier try, whose answer was lost: looked at below.
            Err(error) if is_code(&error, "VolumeInUse") => Ok(Poll::Ready(())),
            Err(error) => Err(error),
            Ok(_) => Ok(Poll::Ready(())),
        }
    })
    .await?;
    let live = until(cx, address, id, "attached", |live| {
        let state = live.attached.as_ref().map(|it| it.state.as_str());
        state == Some("attached")
    })
    .await?;
    match &live.attached {
        Some(it) if it.instance == instance => Ok(live),
        _ => Err(Error::failed(format!(
            "volume `{id}` was attached to another instance meanwhile"
        ))
        .hint("run the command again")),
    }
}

async fn detached(cx: &Context, address: &Address, live: Live) -> Result<Live> {
    let Some(attached) = &live.attached else {
        return Ok(live);
    };
    let call = cx.aws.ec2.detach_volume().volume_id(&live.id);
    let call = call.instance_id(&attached.instance).send().await;
    match call.map_err(refused("ec2:DetachVolume")) {
        // Detached already; its instance may be gone.
        Err(error) if is_code(&error, "IncorrectState") || is_unknown(&error) => {}
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    let free = |live: &Live| live.attached.is_none();
    until(cx, address, &live.id, "detached", free).await
}

async fn until(
    cx: &Context,
    address: &Address,
    id: &str,
    state: &str,
    is_there: impl Fn(&Live) -> bool,
) -> Result<Live> {
    let news = |text: &str| cx.progress.doing(address, text);
    let wait = Wait::new(format!("volume `{id}` to be {state}"), DEADLINE, &news);
    wait.until(async || {
        Ok(match listing::look(cx, id).await? {
            Some(live) if is_there(&live) => Poll::Ready(live),
            Some(live) => Poll::Pending(match live.attached {
                Some(it) => format!("{} ({})", it.state, it.instance),
                None => live.state,
            }),
            None => Poll::Pending("not visible".to_owned()),
        })
    })
    .await
}

/// Detaches and deletes it, and waits until it is gone.
pub(super) async fn delete(cx: &Context, address: &Address, id: &str) -> Result<()> {
    let news = |text: &str| cx.progress.doing(address, text);
    let wait = Wait::new(format!("volume `{id}` to be free"), DEADLINE, &news);
    wait.until(async || {
        let call = cx.aws.ec2.delete_volume().volume_id(id).send().await;
        match call.map_err(refused("ec2:DeleteVolume")) {
            Ok(_) => Ok(Poll::Ready(())),
            Err(error) if is_unknown(&error) => Ok(Poll::Ready(())),
            Err(error) if is_code(&error, "VolumeInUse") => {
                let Some(live) = listing::look(cx, id).await? else {
                    return Ok(Poll::Pending("in use".to_owned()));
                };
                let holder = live.attached.as_ref().map(|it| it.instance.clone());
                detached(cx, address, live).await?;
                let holder = holder.unwrap_or_else(|| "an instance".to_owned());
                Ok(Poll::Pending(format!("attached to {holder}")))
            }
            Err(error) => Err(error),
        }
    })
    .await?;
    let wait = Wait::new(format!("volume `{id}` to be gone"), DEADLINE, &news);
    wait.until(async || {
        Ok(match listing::look(cx, id).await? {
            None => Poll::Ready(()),
            Some(live) => Poll::Pending(live.state),
        })
    })
    .await
}
