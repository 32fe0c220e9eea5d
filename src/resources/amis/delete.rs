//! Deletes images with their snapshots, and proves them gone.

use std::time::Duration;

use super::{Image, Live, listing};
use crate::aws::ec2::{filter, is_unknown};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Address, Result};
use crate::contract::{Context, Presence, Resource as _};
use crate::resources::presence::{merged, present};

pub(super) async fn all(cx: &Context, live: &Live) -> Result<()> {
    let address = match live.tags.owner() {
        Some(owner) => owner.address,
        None => Address::new(Image::KIND, &live.name),
    };
    // The latest last: while it is there, a later run finds the others by it.
    for it in live.older.iter().rev().chain([live]) {
        image(cx, &address, it).await?;
    }
    Ok(())
}

/// Deregisters an image, deletes its snapshots, and waits until all are gone.
pub(super) async fn image(cx: &Context, address: &Address, image: &Live) -> Result<()> {
    let call = cx.aws.ec2.deregister_image().image_id(&image.id);
    let call = call.delete_associated_snapshots(true).send().await;
    match call.map_err(refused("ec2:DeregisterImage")) {
        Err(error) if !is_unknown(&error) && !is_code(&error, "InvalidAMIID.Unavailable") => {
            return Err(error);
        }
        _ => {}
    }
    let news = |text: &str| cx.progress.doing(address, text);
    let what = format!("image `{}` to be gone", image.id);
    let wait = Wait::new(what, Duration::from_mins(5), &news);
    wait.until(async || {
        let left = listing::baked(cx, vec![filter("image-id", [&image.id])]).await?;
        if !left.is_empty() {
            return Ok(Poll::Pending("deregistering".to_owned()));
        }
        // Also those of an earlier try, whose image is gone already.
        let left = listing::snapshots(cx, vec![filter("snapshot-id", &image.snapshots)]).await?;
        let left: Vec<_> = left.into_iter().filter_map(|it| it.snapshot_id).collect();
        for id in &left {
            let call = cx.aws.ec2.delete_snapshot().snapshot_id(id).send().await;
            match call.map_err(refused("ec2:DeleteSnapshot")) {
                Err(error) if !is_unknown(&error) && !is_code(&error, "InvalidSnapshot.InUse") => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(if left.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending(format!("its snapshot {} is still there", left.join(", ")))
        })
    })
    .await
}

/// Images and snapshots, each asked for among its own.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let of = |prefix: &str| -> Vec<String> {
        let its = ids.iter().filter(|id| id.starts_with(prefix));
        its.cloned().collect()
    };
    let [images, snapshots] = ["ami-", "snap-"].map(of);
    let (a, b) = futures::join!(
        present(
            &images,
            |ids| listing::baked(cx, vec![filter("image-id", ids)]),
            |it| (it.id, it.state)
        ),
        present(
            &snapshots,
            |ids| listing::snapshots(cx, vec![filter("snapshot-id", ids)]),
            |it| (it.snapshot_id.unwrap_or_default(), "exists".to_owned())
        ),
    );
    let asked = images.into_iter().chain(snapshots);
    merged(ids, asked.zip(a.into_iter().chain(b)))
}
