//! Makes a network once, and brings its parts to what they should be.

use std::time::Duration;

use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType};
use futures::future::try_join_all;

use super::listing::Parts;
use super::subnets::Wanted;
use super::{Live, LiveSubnet, Network, delete, gateway, listing, ours, subnets};
use crate::aws::ec2::{filter, once_visible, retag, specification};
use crate::aws::{Poll, Tags, Wait, is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::named::with_name;

pub(super) async fn apply(
    spec: &Network,
    cx: &Context,
    target: Target<'_>,
    live: Option<&Live>,
) -> Result<Live> {
    let tags = with_name(target);
    let mut live = match live {
        Some(live) => live.clone(),
        None => found_or_made(spec, cx, target, &tags).await?,
    };
    for vpc in std::mem::take(&mut live.surplus) {
        delete::vpc(cx, target.address, &vpc).await?;
    }
    dns_hostnames(cx, target, &live.id).await?;
    let (routed, subnets) = futures::try_join!(
        gateway::bring(cx, target, &live, &tags),
        bring_subnets(spec, cx, target, &live, &tags)
    )?;
    let mut live = Live { subnets, ..routed };
    retag(&cx.aws, &live.ids(), &live.tags, &tags).await?;
    live.tags.apply(&tags);
    Ok(live)
}

/// `CreateVpc` takes no client token, and the SDK sends it again when an answer is lost: several
/// may come of it.
async fn found_or_made(
    spec: &Network,
    cx: &Context,
    target: Target<'_>,
    tags: &Tags,
) -> Result<Live> {
    let find = async || {
        let found = listing::networks(cx, ours(cx, target.address), Parts::Owned).await?;
        Ok::<_, Error>(found.into_iter().next())
    };
    if let Some(live) = find().await? {
        return Ok(live);
    }
    let call = cx.aws.ec2.create_vpc().cidr_block(&spec.cidr);
    let call = call.tag_specifications(specification(ResourceType::Vpc, tags));
    let made = call.send().await.map_err(|error| {
        let error = refused("ec2:CreateVpc")(error);
        if is_code(&error, "VpcLimitExceeded") {
            return error.hint(
                "the account's limit of VPCs (5 in a region by default) is reached: delete some, \
                 or ask for more under Service Quotas",
            );
        }
        error
    })?;
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wait = Wait::new("the network to be visible", Duration::from_mins(2), &news);
    let made = made.vpc.and_then(|vpc| vpc.vpc_id).unwrap_or_default();
    wait.until(async || {
        Ok(match find().await? {
            Some(live) => Poll::Ready(live),
            None => Poll::Pending(format!("`{made}` is not there yet")),
        })
    })
    .await
}

/// `DescribeVpcs` does not tell whether it is on: said whenever something is changed.
async fn dns_hostnames(cx: &Context, target: Target<'_>, vpc: &str) -> Result<()> {
    let on = AttributeBooleanValue::builder().value(true).build();
    once_visible(
        |text: &str| cx.progress.doing(target.address, text),
        async || {
            let call = cx.aws.ec2.modify_vpc_attribute().vpc_id(vpc);
            let call = call.enable_dns_hostnames(on.clone()).send().await;
            call.map_err(refused("ec2:ModifyVpcAttribute"))
        },
    )
    .await
    .map(drop)
}

async fn bring_subnets(
    spec: &Network,
    cx: &Context,
    target: Target<'_>,
    live: &Live,
    tags: &Tags,
) -> Result<Vec<LiveSubnet>> {
    let wanted = subnets::wanted(spec);
    let surplus = subnets::surplus(live, &wanted).into_iter();
    try_join_all(surplus.map(|it| delete::subnet(cx, target.address, &it.id))).await?;
    let zones = zones(cx, target, live, &wanted).await?;
    let brought = wanted.iter().zip(&zones).map(|(wanted, zone)| async move {
        let there = live.subnets.iter().find(|subnet| wanted.is(subnet));
        let mut subnet = match there {
            Some(subnet) => subnet.clone(),
            None => made_subnet(cx, target, live, wanted, zone, tags).await?,
        };
        if !subnet.public {
            publish(cx, target, &subnet.id).await?;
            subnet.public = true;
        }
        Ok::<_, Error>(subnet)
    });
    let mut brought = try_join_all(brought).await?;
    brought.sort_by(|a, b| (&a.zone, &a.cidr).cmp(&(&b.zone, &b.cidr)));
    Ok(brought)
}

/// A zone for each subnet: its own, or the region's in order. Asked for only when one is to be
/// made and names none.
async fn zones(
    cx: &Context,
    target: Target<'_>,
    live: &Live,
    wanted: &[Wanted],
) -> Result<Vec<String>> {
    let there = |wanted: &Wanted| {
        let its = live.subnets.iter().find(|subnet| wanted.is(subnet));
        its.map(|subnet| subnet.zone.clone())
    };
    let known: Vec<_> = wanted
        .iter()
        .map(|it| it.zone.clone().or_else(|| there(it)))
        .collect();
    if let Some(known) = known.iter().cloned().collect() {
        return Ok(known);
    }
    let call = cx.aws.ec2.describe_availability_zones();
    let call = call.filters(filter("zone-type", ["availability-zone"]));
    let call = call.filters(filter("state", ["available"])).send().await;
    let told = call.map_err(refused("ec2:DescribeAvailabilityZones"))?;
    let told = told.availability_zones.into_iter().flatten();
    let mut all: Vec<_> = told.filter_map(|zone| zone.zone_name).collect();
    all.sort();
    if all.len() < wanted.len() {
        let text = format!("{} has {} availability zones", cx.region, all.len());
        let at = target.node.entry("zones").map_or(target.at, |it| &it.at);
        return Err(Error::playbook(text, at).hint(format!("write `zones: {}`", all.len())));
    }
    let its = known.into_iter().zip(all);
    Ok(its.map(|(known, next)| known.unwrap_or(next)).collect())
}

async fn made_subnet(
    cx: &Context,
    target: Target<'_>,
    live: &Live,
    wanted: &Wanted,
    zone: &str,
    tags: &Tags,
) -> Result<LiveSubnet> {
    let made = once_visible(
        |text: &str| cx.progress.doing(target.address, text),
        async || {
            let call = cx.aws.ec2.create_subnet().vpc_id(&live.id);
            let call = call.cidr_block(&wanted.cidr).availability_zone(zone);
            let call = call.tag_specifications(specification(ResourceType::Subnet, tags));
            call.send().await.map_err(refused("ec2:CreateSubnet"))
        },
    );
    match made.await {
        Ok(made) => Ok(made.subnet.map(LiveSubnet::from).unwrap_or_default()),
        // An earlier try, whose answer was lost, or somebody else's.
        Err(error) if is_code(&error, "InvalidSubnet.Conflict") => {
            let news = |text: &str| cx.progress.doing(target.address, text);
            let wait = Wait::new("the subnet to be visible", Duration::from_mins(1), &news);
            let found = wait.until(async || {
                let mut filters = ours(cx, target.address);
                filters.push(filter("vpc-id", [&live.id]));
                filters.push(filter("cidr-block", [&wanted.cidr]));
                let found = listing::subnets(cx, filters).await?;
                Ok(match found.into_iter().next() {
                    Some(subnet) => Poll::Ready(LiveSubnet::from(subnet)),
                    None => Poll::Pending("not there yet".to_owned()),
                })
            });
            let hint = "delete the other subnet, or write other `subnets`";
            found.await.map_err(|_| error.hint(hint))
        }
        Err(error) => Err(error),
    }
}

async fn publish(cx: &Context, target: Target<'_>, subnet: &str) -> Result<()> {
    let on = AttributeBooleanValue::builder().value(true).build();
    once_visible(
        |text: &str| cx.progress.doing(target.address, text),
        async || {
            let call = cx.aws.ec2.modify_subnet_attribute().subnet_id(subnet);
            let call = call.map_public_ip_on_launch(on.clone()).send().await;
            call.map_err(refused("ec2:ModifySubnetAttribute"))
        },
    )
    .await
    .map(drop)
}
