//! Bakes an image, once.

use std::time::Duration;

use aws_sdk_ec2::types::ResourceType;

use super::{BAKING, GENERATION, Image, Live, SOURCE, clean, delete, listing};
use crate::aws::ec2::{filter, of_address, of_stack, remove_tag, specification};
use crate::aws::{Poll, Tags, Wait, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Target, aws_name};
use crate::resources::named::{must_be_ours, with_name};

/// The images of this address that an earlier run baked.
pub(super) async fn found(cx: &Context, target: Target<'_>) -> Result<Option<Live>> {
    let ours = vec![of_stack(&cx.stack), of_address(target.address)];
    Ok(listing::images(cx, ours).await?.into_iter().next())
}

/// A new image beside the ones that there are.
pub(super) async fn bake(
    spec: &Image,
    cx: &Context,
    target: Target<'_>,
    source: &str,
    before: Option<Live>,
) -> Result<Live> {
    // One that failed holds its name.
    let mut kept = Vec::new();
    for image in before.into_iter().flat_map(Live::one_by_one) {
        if image.is_usable() {
            kept.push(image);
        } else {
            delete::image(cx, target.address, &image).await?;
        }
    }
    let host = match &spec.host {
        Some(host) => Some(clean::Host::of(cx, target, host, source)?),
        None => None,
    };
    if let Some(host) = &host {
        cx.progress.doing(target.address, "taking the identity off");
        host.clean().await?;
    }
    let created = created(spec, cx, target, source).await;
    // What was taken off is given back, also when there is no image.
    let snapped = match (&created, &host) {
        (Ok(image), Some(_)) => snapped(cx, target.address, image).await,
        _ => Ok(()),
    };
    if let Some(host) = &host {
        host.restore().await?;
    }
    let latest = created?;
    snapped?;
    kept.retain(|image| image.id != latest.id);
    Ok(Live {
        older: kept,
        ..latest
    })
}

/// Gives back what a run took off that was killed then.
pub(super) async fn settle(
    spec: &Image,
    cx: &Context,
    target: Target<'_>,
    source: &str,
    live: &mut Live,
) -> Result<()> {
    if !live.tags.is_set(BAKING) {
        return Ok(());
    }
    if let Some(host) = &spec.host {
        let host = clean::Host::of(cx, target, host, source)?;
        host.restore().await?;
    }
    remove_tag(&cx.aws, &live.ids(), BAKING).await?;
    live.tags.0.remove(BAKING);
    Ok(())
}

async fn created(spec: &Image, cx: &Context, target: Target<'_>, source: &str) -> Result<Live> {
    let mut tags = with_name(target);
    let generation = spec.generation.to_string();
    tags.0.insert(SOURCE.to_owned(), source.to_owned());
    tags.0.insert(GENERATION.to_owned(), generation.clone());
    if spec.host.is_some() {
        tags.0.insert(BAKING.to_owned(), "true".to_owned());
    }
    let name = aws_name(target.address);
    let usual = format!("{}-{name}-{generation}", cx.stack).replace(|c: char| !is_plain(c), "-");
    let name = spec.name.as_ref().unwrap_or(&usual);
    match create(spec, cx, target, source, name, &tags).await {
        // The instance was made anew, and the number is the same.
        Err(error) if is_code(&error, "InvalidAMIName.Duplicate") && spec.name.is_none() => {
            let name = format!("{usual}-{source}");
            create(spec, cx, target, source, &name, &tags).await
        }
        created => created,
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c)
}

/// `CreateImage` takes no client token, but the name can be used once.
async fn create(
    spec: &Image,
    cx: &Context,
    target: Target<'_>,
    source: &str,
    name: &str,
    tags: &Tags,
) -> Result<Live> {
    let call = cx.aws.ec2.create_image().instance_id(source).name(name);
    let call = call
        .no_reboot(!spec.reboot)
        .tag_specifications(specification(ResourceType::Image, tags))
        .tag_specifications(specification(ResourceType::Snapshot, tags));
    let made = call.send().await.map_err(refused("ec2:CreateImage"));
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wait = Wait::new("the image to be visible", Duration::from_mins(2), &news);
    match made {
        Ok(made) => {
            let id = made.image_id.unwrap_or_default();
            wait.until(async || {
                let found = listing::baked(cx, vec![filter("image-id", [&id])]).await?;
                Ok(match found.into_iter().next() {
                    Some(image) => Poll::Ready(image),
                    None => Poll::Pending("not there yet".to_owned()),
                })
            })
            .await
        }
        // An earlier try, whose answer was lost, or another image.
        Err(error) if is_code(&error, "InvalidAMIName.Duplicate") => {
            let image = wait.until(async || {
                let found = listing::baked(cx, vec![filter("name", [name])]).await?;
                Ok(match found.into_iter().next() {
                    Some(image) => Poll::Ready(image),
                    None => Poll::Pending("not there yet".to_owned()),
                })
            });
            let image = image.await?;
            must_be_ours("image", name, &image.tags, target)?;
            let same = |key| image.tags.value(key) == tags.value(key);
            if same(SOURCE) && same(GENERATION) {
                return Ok(image);
            }
            Err(error.hint("images of one name cannot be: write another `name`, too"))
        }
        Err(error) => Err(error),
    }
}

/// Waits until the snapshots have been begun: they have what was on the disks at that moment.
async fn snapped(cx: &Context, address: &Address, image: &Live) -> Result<()> {
    let news = |text: &str| cx.progress.doing(address, text);
    let wait = Wait::new("the snapshot to begin", Duration::from_mins(10), &news);
    wait.until(async || {
        let mut filters = vec![of_stack(&cx.stack), of_address(address)];
        for key in [SOURCE, GENERATION] {
            let value = image.tags.value(key).unwrap_or_default();
            filters.push(filter(&format!("tag:{key}"), [value]));
        }
        let begun = listing::snapshots(cx, filters).await?;
        Ok(if begun.is_empty() {
            Poll::Pending("not begun".to_owned())
        } else {
            Poll::Ready(())
        })
    })
    .await
}

/// Waits until instances can start from it.
pub(super) async fn available(cx: &Context, address: &Address, image: Live) -> Result<Live> {
    if image.state == "available" && !image.snapshots.is_empty() {
        return Ok(image);
    }
    let news = |text: &str| cx.progress.doing(address, text);
    let what = format!("image `{}` to be available", image.id);
    // A first snapshot of a large disk takes long.
    let wait = Wait::new(what, Duration::from_hours(1), &news);
    wait.until(async || {
        let found = listing::baked(cx, vec![filter("image-id", [&image.id])]).await?;
        match found.into_iter().next() {
            Some(now) if now.state == "available" => {
                let older = image.older.clone();
                Ok(Poll::Ready(Live { older, ..now }))
            }
            Some(image) if !image.is_usable() => {
                let reason = image.reason.as_deref().unwrap_or("AWS gives no reason");
                let text = format!("image `{}` is {}: {reason}", image.id, image.state);
                Err(Error::failed(text).hint("run the command again: it bakes another one"))
            }
            Some(image) => Ok(Poll::Pending(image.state)),
            None => Ok(Poll::Pending("not there yet".to_owned())),
        }
    })
    .await
}
