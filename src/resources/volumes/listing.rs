//! What EC2 reports of volumes.

use std::collections::HashMap;

use aws_sdk_ec2::types::{
    Filter, Volume as SdkVolume, VolumeAttachmentState, VolumeState, VolumeType,
};

use super::{Attached, Live};
use crate::aws::batch::Batch;
use crate::aws::ec2::{filter, tags_of};
use crate::aws::refused;
use crate::base::Result;
use crate::contract::Context;

/// All volumes that pass the filters, without those that are going away.
pub(super) async fn volumes(cx: &Context, filters: Vec<Filter>) -> Result<Vec<Live>> {
    let call = cx.aws.ec2.describe_volumes().set_filters(Some(filters));
    let pages = call.into_paginator().page_size(500).items().send();
    let listed: std::result::Result<Vec<_>, _> = pages.collect().await;
    let listed = listed.map_err(refused("ec2:DescribeVolumes"))?.into_iter();
    let dying = ["deleting", "deleted"];
    let living = listed.map(Live::from);
    Ok(living
        .filter(|live| !dying.contains(&live.state.as_str()))
        .collect())
}

/// The volume as it is now, asked for together with what others look at.
pub(super) async fn look(cx: &Context, id: &str) -> Result<Option<Live>> {
    let batch = cx.aws.shared::<Batch<Live>>();
    let by_id = |ids: Vec<String>| async move {
        let found = volumes(cx, vec![filter("volume-id", ids)]).await?;
        let found = found.into_iter().map(|live| (live.id.clone(), live));
        Ok(found.collect::<HashMap<_, _>>())
    };
    batch.ask(id, by_id).await
}

pub(super) fn live(volume: SdkVolume) -> Live {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let attached = volume.attachments.into_iter().flatten().next();
    Live {
        id: volume.volume_id.unwrap_or_default(),
        state: text(volume.state.as_ref().map(VolumeState::as_str)),
        size_gib: volume.size.unwrap_or_default(),
        volume_type: text(volume.volume_type.as_ref().map(VolumeType::as_str)),
        iops: volume.iops,
        throughput: volume.throughput,
        encrypted: volume.encrypted.unwrap_or_default(),
        key: volume.kms_key_id.filter(|key| !key.is_empty()),
        zone: volume.availability_zone.unwrap_or_default(),
        snapshot: volume.snapshot_id.filter(|id| !id.is_empty()),
        attached: attached.map(|it| Attached {
            instance: it.instance_id.unwrap_or_default(),
            device: it.device.unwrap_or_default(),
            state: text(it.state.as_ref().map(VolumeAttachmentState::as_str)),
        }),
        tags: tags_of(volume.tags),
    }
}
