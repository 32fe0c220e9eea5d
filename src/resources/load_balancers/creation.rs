//! Makes a load balancer, and waits until it can be used.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, LoadBalancerSchemeEnum, LoadBalancerStateEnum, LoadBalancerTypeEnum,
};

use super::listing::{self, Live};
use super::{ATTRIBUTES, LoadBalancer, RULES};
use crate::aws::elb::{sdk_tags, tags_of, wrong_name};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::apart::remembered;
use crate::resources::named::must_be_ours;
use crate::resources::place::{Place, Zoned, place};

pub(super) async fn created(spec: &LoadBalancer, cx: &Context, target: Target<'_>) -> Result<Live> {
    let name = spec.aws_name(target);
    if let Some(text) = wrong_name(&name) {
        return Err(Error::playbook(text, target.at).hint("write another `name:`"));
    }
    let subnets = match &spec.subnets {
        Some(subnets) => subnets.clone(),
        None => one_per_zone(spec, cx, target).await?,
    };
    let groups = spec.group_ids(target)?;
    let groups = Some(groups).filter(|groups| !groups.is_empty());
    let call = cx.aws.elb.create_load_balancer().name(&name);
    let call = call
        .r#type(LoadBalancerTypeEnum::Application)
        .scheme(LoadBalancerSchemeEnum::from(spec.scheme.word()))
        .ip_address_type(IpAddressType::from(spec.ip_address_type.word()))
        .set_subnets(Some(subnets))
        .set_security_groups(groups)
        .set_tags(Some(sdk_tags(&remembered(target, &[ATTRIBUTES, RULES]).0)));
    let made = call.send().await;
    let made = match made.map_err(refused("elasticloadbalancing:CreateLoadBalancer")) {
        Ok(made) => {
            let mut made = made.load_balancers.into_iter().flatten();
            made.next().map(Live::from)
        }
        Err(error) if is_code(&error, "DuplicateLoadBalancerName") => {
            listing::describe(cx, &name).await?
        }
        Err(error) => return Err(error),
    };
    let Some(mut live) = made else {
        let text = format!("the load balancer `{name}` was made, and cannot be seen yet");
        return Err(Error::failed(text).hint("run the command again: it goes on from here"));
    };
    // AWS gives the existing one of the same name and settings, whoever owns it.
    let tags = tags_of(&cx.aws, std::slice::from_ref(&live.arn)).await?;
    live.tags = tags.into_values().next().unwrap_or_default();
    must_be_ours("load balancer", &name, &live.tags, target)?;
    Ok(live)
}

/// One subnet for each zone of the place: AWS takes no two of one zone.
async fn one_per_zone(
    spec: &LoadBalancer,
    cx: &Context,
    target: Target<'_>,
) -> Result<Vec<String>> {
    let place = place(cx, target, spec.network.as_ref()).await?;
    let subnets = match place.zoned.as_slice() {
        [] => zoned(cx, &place).await?,
        known => known.to_vec(),
    };
    let mut zones: BTreeMap<String, (bool, String)> = BTreeMap::new();
    for subnet in subnets {
        let this = (!subnet.of_aws, subnet.id);
        let chosen = zones.entry(subnet.zone).or_insert_with(|| this.clone());
        *chosen = std::cmp::min(chosen.clone(), this);
    }
    if zones.len() < 2 {
        let zones: Vec<_> = zones.into_keys().collect();
        let text = "a load balancer needs subnets in two or more zones";
        return Err(Error::playbook(text, target.at)
            .note(format!(
                "`{}` has some in {} only",
                place.vpc,
                zones.join(", ")
            ))
            .hint("declare a network, which has subnets in two zones, and name it: `network:`"));
    }
    Ok(zones.into_values().map(|(_, id)| id).collect())
}

async fn zoned(cx: &Context, place: &Place) -> Result<Vec<Zoned>> {
    let call = cx.aws.ec2.describe_subnets();
    let call = call.set_subnet_ids(Some(place.subnets.clone()));
    let told = call.send().await;
    let told = told.map_err(refused("ec2:DescribeSubnets"))?.subnets;
    Ok(told.into_iter().flatten().map(Zoned::from).collect())
}

/// Waits until it can be used.
pub(super) async fn active(cx: &Context, target: Target<'_>, live: &mut Live) -> Result<()> {
    if is_active(&live.state) {
        return Ok(());
    }
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("load balancer `{}` to be active", live.name);
    let wait = Wait::new(what, Duration::from_mins(10), &news);
    live.state = wait
        .until(async || {
            let Some(now) = listing::describe(cx, &live.arn).await? else {
                return Ok(Poll::Pending("not visible yet".to_owned()));
            };
            if now.state == LoadBalancerStateEnum::Failed.as_str() {
                let text = format!("AWS could not set up load balancer `{}`", live.name);
                return Err(Error::failed(text).hint("destroy it and apply again"));
            }
            Ok(if is_active(&now.state) {
                Poll::Ready(now.state)
            } else {
                Poll::Pending(now.state)
            })
        })
        .await?;
    Ok(())
}

pub(super) fn is_active(state: &str) -> bool {
    [
        LoadBalancerStateEnum::Active,
        LoadBalancerStateEnum::ActiveImpaired,
    ]
    .iter()
    .any(|active| active.as_str() == state)
}
