//! Makes a volume, once.

use std::time::Duration;

use aws_sdk_ec2::types::{ResourceType, VolumeType};

use super::{Live, Volume, listing};
use crate::aws::ec2::{filter, of_address, of_stack, specification};
use crate::aws::{Poll, Wait, refused};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Target};
use crate::resources::named::with_name;

/// The volume of this address, or a new one.
pub(super) async fn found_or_made(spec: &Volume, cx: &Context, target: Target<'_>) -> Result<Live> {
    let ours = vec![of_stack(&cx.stack), of_address(target.address)];
    if let Some(live) = listing::volumes(cx, ours).await?.into_iter().next() {
        return Ok(live);
    }
    let zone = match spec.zone.clone().or_else(|| spec.zone_of_instance(target)) {
        Some(zone) => zone,
        None => first_zone(cx).await?,
    };
    let key = match &spec.key {
        None => None,
        Some(key) => {
            let address = Address::new("keys", &key.0);
            let arn = target
                .world
                .output(&address, "arn")
                .and_then(serde_json::Value::as_str);
            let missing = || Error::playbook(format!("key `{}` does not exist", key.0), target.at);
            Some(arn.ok_or_else(missing)?.to_owned())
        }
    };
    // The SDK gives every call a client token of its own, so that its retries make one volume; what
    // an earlier run made was found by its tags.
    let call = cx
        .aws
        .ec2
        .create_volume()
        .availability_zone(zone)
        .set_size(spec.size_gib)
        .volume_type(VolumeType::from(spec.volume_type.as_str()))
        .set_iops(spec.wanted_iops())
        .set_throughput(spec.wanted_throughput())
        .encrypted(spec.encrypted)
        .set_kms_key_id(key)
        .set_snapshot_id(spec.snapshot.clone())
        .tag_specifications(specification(ResourceType::Volume, &with_name(target)));
    let made = call.send().await.map_err(refused("ec2:CreateVolume"))?;
    let id = made.volume_id.unwrap_or_default();
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wait = Wait::new("the volume to be available", Duration::from_mins(5), &news);
    wait.until(async || match listing::look(cx, &id).await? {
        Some(live) if live.state == "error" => {
            let text = format!("AWS could not make volume `{id}`");
            let hint = "look at the rights of the KMS key and at the snapshot, then run again";
            Err(Error::failed(text).hint(hint))
        }
        Some(live) if live.state != "creating" => Ok(Poll::Ready(live)),
        Some(live) => Ok(Poll::Pending(live.state)),
        None => Ok(Poll::Pending("not there yet".to_owned())),
    })
    .await
}

async fn first_zone(cx: &Context) -> Result<String> {
    let call = cx.aws.ec2.describe_availability_zones();
    let call = call.filters(filter("zone-type", ["availability-zone"]));
    let call = call.filters(filter("state", ["available"])).send().await;
    let told = call.map_err(refused("ec2:DescribeAvailabilityZones"))?;
    let told = told.availability_zones.into_iter().flatten();
    let first = told.filter_map(|zone| zone.zone_name).min();
    first.ok_or_else(|| Error::failed(format!("{} has no availability zone", cx.region)))
}
