//! The instances that are in a security group.

use aws_sdk_ec2::types::{Filter, Instance};

use super::{Live, list};
use crate::aws::ec2::{filter, of_stack};
use crate::aws::refused;
use crate::base::{Error, Result};
use crate::contract::Context;

/// States of an instance that does not go away by itself.
const STAYS: [&str; 4] = ["pending", "running", "stopping", "stopped"];

/// Takes the stack's own instances out of a group that is about to be made anew. One that is in no
/// other group waits in the VPC's default one, which lets nothing in from elsewhere: the instance
/// comes after the group, and gets the new one then.
pub(super) async fn release(cx: &Context, old: &Live) -> Result<()> {
    let members = of_group(cx, old, vec![of_stack(&cx.stack)]).await?;
    for instance in members {
        let groups = instance.security_groups.into_iter().flatten();
        let mut rest: Vec<_> = groups
            .filter_map(|group| group.group_id)
            .filter(|id| *id != old.id)
            .collect();
        if rest.is_empty() {
            rest.push(default_group(cx, old).await?);
        }
        let call = cx.aws.ec2.modify_instance_attribute();
        let call = call.set_instance_id(instance.instance_id);
        let done = call.set_groups(Some(rest)).send().await;
        done.map_err(refused("ec2:ModifyInstanceAttribute"))?;
    }
    Ok(())
}

/// Ids of the instances in a group that do not go away by themselves, whoever owns them.
pub(super) async fn staying(cx: &Context, live: &Live) -> Result<Vec<String>> {
    let members = of_group(cx, live, Vec::new()).await?.into_iter();
    Ok(members.filter_map(|it| it.instance_id).collect())
}

async fn of_group(cx: &Context, live: &Live, mut filters: Vec<Filter>) -> Result<Vec<Instance>> {
    filters.push(filter("instance.group-id", [&live.id]));
    filters.push(filter("instance-state-name", STAYS));
    let call = cx.aws.ec2.describe_instances().set_filters(Some(filters));
    let pages = call.into_paginator().items().send();
    let listed: std::result::Result<Vec<_>, _> = pages.collect().await;
    let listed = listed.map_err(refused("ec2:DescribeInstances"))?;
    let instances = listed.into_iter().filter_map(|it| it.instances);
    Ok(instances.flatten().collect())
}

async fn default_group(cx: &Context, old: &Live) -> Result<String> {
    let named = vec![
        filter("group-name", ["default"]),
        filter("vpc-id", [&old.vpc]),
    ];
    let found = list(cx, named).await?.into_iter().next();
    let missing = || Error::failed(format!("`{}` has no default security group", old.vpc));
    found.map(|group| group.id).ok_or_else(missing)
}
