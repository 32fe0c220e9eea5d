//! Changes of a stream in place. Kinesis takes one at a time, of an active stream only.

use std::cmp::Ordering;

use aws_sdk_kinesis::types::{EncryptionType, ScalingType, StreamMode, StreamModeDetails};

use super::{Live, active};
use crate::aws::{Tags, refused, tags};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};

/// The most tags in one `AddTagsToStream`:
/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_AddTagsToStream.html>.
const TAGS_AT_ONCE: usize = 10;

pub(super) fn mode(shards: Option<i32>) -> StreamModeDetails {
    let mode = match shards {
        Some(_) => StreamMode::Provisioned,
        None => StreamMode::OnDemand,
    };
    // Nothing that the builder requires is missing; a mode is always given.
    let details = StreamModeDetails::builder().stream_mode(mode.clone());
    details
        .build()
        .unwrap_or_else(|_| unreachable!("{mode} is given"))
}

pub(super) fn is_provisioned(details: Option<&StreamModeDetails>) -> bool {
    details.is_none_or(|details| details.stream_mode == StreamMode::Provisioned)
}

pub(super) async fn shards(
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
    wanted: Option<i32>,
) -> Result<()> {
    if live.shards.is_some() != wanted.is_some() {
        let call = cx.aws.kinesis.update_stream_mode().stream_arn(&live.arn);
        let call = call.stream_mode_details(mode(wanted)).send().await;
        call.map_err(refused("kinesis:UpdateStreamMode"))?;
        live.shards = active(cx, target, &live.name).await?.shards;
    }
    let Some(wanted) = wanted else {
        return Ok(());
    };
    while let Some(shards) = live.shards.filter(|shards| *shards != wanted) {
        // One call at most doubles the shards, and at most halves them.
        let next = wanted.clamp((shards + 1) / 2, shards * 2);
        let call = cx.aws.kinesis.update_shard_count().stream_arn(&live.arn);
        let call = call.target_shard_count(next);
        let call = call.scaling_type(ScalingType::UniformScaling).send().await;
        call.map_err(refused("kinesis:UpdateShardCount"))?;
        live.shards = active(cx, target, &live.name).await?.shards;
        if live.shards == Some(shards) {
            let text = format!("`{}` stays at {shards} shards", live.name);
            return Err(Error::failed(text).hint("run the command again"));
        }
    }
    Ok(())
}

pub(super) async fn retention(
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
    hours: i32,
) -> Result<()> {
    let kinesis = &cx.aws.kinesis;
    match hours.cmp(&live.retention_hours) {
        Ordering::Greater => {
            let call = kinesis.increase_stream_retention_period();
            let call = call.stream_arn(&live.arn).retention_period_hours(hours);
            let done = call.send().await;
            done.map_err(refused("kinesis:IncreaseStreamRetentionPeriod"))?;
        }
        Ordering::Less => {
            let call = kinesis.decrease_stream_retention_period();
            let call = call.stream_arn(&live.arn).retention_period_hours(hours);
            let done = call.send().await;
            done.map_err(refused("kinesis:DecreaseStreamRetentionPeriod"))?;
        }
        Ordering::Equal => return Ok(()),
    }
    live.retention_hours = hours;
    active(cx, target, &live.name).await.map(|_| ())
}

pub(super) async fn encryption(
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
    key: Option<&str>,
) -> Result<()> {
    if live.encryption_key.as_deref() == key {
        return Ok(());
    }
    let kinesis = &cx.aws.kinesis;
    match (key, &live.encryption_key) {
        (Some(key), _) => {
            let call = kinesis.start_stream_encryption().stream_arn(&live.arn);
            let call = call.encryption_type(EncryptionType::Kms).key_id(key);
            let done = call.send().await;
            done.map_err(refused("kinesis:StartStreamEncryption"))?;
        }
        (None, Some(key)) => {
            let call = kinesis.stop_stream_encryption().stream_arn(&live.arn);
            let call = call.encryption_type(EncryptionType::Kms).key_id(key);
            let done = call.send().await;
            done.map_err(refused("kinesis:StopStreamEncryption"))?;
        }
        (None, None) => return Ok(()),
    }
    live.encryption_key = key.map(str::to_owned);
    active(cx, target, &live.name).await.map(|_| ())
}

pub(super) async fn tags(cx: &Context, live: &mut Live, wanted: &Tags) -> Result<()> {
    let (set, unset) = tags::changes(&live.tags, wanted);
    let set: Vec<_> = set.into_iter().collect();
    for some in set.chunks(TAGS_AT_ONCE) {
        let call = cx.aws.kinesis.add_tags_to_stream().stream_arn(&live.arn);
        let some = some.iter().cloned().collect();
        let done = call.set_tags(Some(some)).send().await;
        done.map_err(refused("kinesis:AddTagsToStream"))?;
    }
    for some in unset.chunks(TAGS_AT_ONCE) {
        let call = cx.aws.kinesis.remove_tags_from_stream();
        let call = call.stream_arn(&live.arn).set_tag_keys(Some(some.to_vec()));
        let done = call.send().await;
        done.map_err(refused("kinesis:RemoveTagsFromStream"))?;
    }
    live.tags.apply(wanted);
    Ok(())
}
