//! What EC2 reports of the account's own images.

use aws_sdk_ec2::types::{Filter, Image as SdkImage, Snapshot};

use super::Live;
use crate::aws::ec2::tags_of;
use crate::aws::refused;
use crate::base::Result;
use crate::contract::Context;

/// States of an image that is no longer there.
const GONE: [&str; 3] = ["deregistered", "invalid", "disabled"];

/// The account's images that pass the filters, by owner, the latest first.
pub(super) async fn images(cx: &Context, filters: Vec<Filter>) -> Result<Vec<Live>> {
    let mut all = baked(cx, filters).await?;
    all.sort_by(|a, b| {
        let order = |it: &Live| (it.is_usable(), it.created.clone(), it.id.clone());
        order(b).cmp(&order(a))
    });
    let mut found: Vec<Live> = Vec::new();
    for image in all {
        let owner = image.tags.owner();
        let same = |live: &&mut Live| owner.is_some() && live.tags.owner() == owner;
        match found.iter_mut().find(same) {
            Some(live) => live.older.push(image),
            None => found.push(image),
        }
    }
    Ok(found)
}

/// The account's images one by one.
pub(super) async fn baked(cx: &Context, filters: Vec<Filter>) -> Result<Vec<Live>> {
    let call = cx.aws.ec2.describe_images().owners("self");
    let call = call.set_filters(Some(filters));
    let pages = call.into_paginator().items().send();
    let listed: std::result::Result<Vec<_>, _> = pages.collect().await;
    let listed = listed.map_err(refused("ec2:DescribeImages"))?.into_iter();
    let there = |image: &Live| !GONE.contains(&image.state.as_str());
    Ok(listed.map(Live::from).filter(there).collect())
}

/// The account's snapshots that pass the filters.
pub(super) async fn snapshots(cx: &Context, filters: Vec<Filter>) -> Result<Vec<Snapshot>> {
    let call = cx.aws.ec2.describe_snapshots().owner_ids("self");
    let call = call.set_filters(Some(filters));
    let pages = call.into_paginator().items().send();
    let listed: std::result::Result<Vec<_>, _> = pages.collect().await;
    listed.map_err(refused("ec2:DescribeSnapshots"))
}

impl From<SdkImage> for Live {
    fn from(image: SdkImage) -> Self {
        let devices = image.block_device_mappings.into_iter().flatten();
        Self {
            id: image.image_id.unwrap_or_default(),
            name: image.name.unwrap_or_default(),
            state: image
                .state
                .map(|it| it.as_str().to_owned())
                .unwrap_or_default(),
            reason: image.state_reason.and_then(|it| it.message),
            created: image.creation_date.unwrap_or_default(),
            snapshots: devices
                .filter_map(|device| device.ebs?.snapshot_id)
                .filter(|id| !id.is_empty())
                .collect(),
            tags: tags_of(image.tags),
            older: Vec::new(),
        }
    }
}
