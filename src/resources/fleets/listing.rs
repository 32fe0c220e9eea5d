//! What Auto Scaling reports of groups.

use aws_sdk_autoscaling::types::{AutoScalingGroup, Filter, Instance};

use super::{Fleet, Live, Member};
use crate::aws::{Tags, refused, tags};
use crate::base::Result;
use crate::contract::{Context, Resource as _};

/// The stack's groups, without those that are being deleted.
pub(super) async fn of_stack(cx: &Context) -> Result<Vec<Live>> {
    let filter = Filter::builder()
        .name(format!("tag:{}", tags::STACK))
        .values(&cx.stack)
        .build();
    let call = cx.aws.autoscaling.describe_auto_scaling_groups();
    let pages = call.filters(filter).into_paginator();
    let listed: std::result::Result<Vec<_>, _> =
        pages.page_size(100).items().send().collect().await;
    let listed = listed.map_err(refused("autoscaling:DescribeAutoScalingGroups"))?;
    let living = listed.into_iter().filter(|group| group.status.is_none());
    let is_ours = |live: &Live| {
        let owner = live.tags.owner();
        owner.is_none_or(|owner| owner.address.kind == Fleet::KIND)
    };
    Ok(living.map(Live::from).filter(is_ours).collect())
}

/// The groups among `names` that exist, without those that are being deleted.
pub(super) async fn named(cx: &Context, names: Vec<String>) -> Result<Vec<Live>> {
    let found = all_named(cx, names).await?.into_iter();
    let living = found.filter(|(_, dying)| !dying);
    Ok(living.map(|(live, _)| live).collect())
}

/// The groups among `names` that exist, and whether they are being deleted.
pub(super) async fn all_named(cx: &Context, names: Vec<String>) -> Result<Vec<(Live, bool)>> {
    let mut found = Vec::new();
    // AWS takes 50 names at a time.
    for names in names.chunks(50) {
        let call = cx.aws.autoscaling.describe_auto_scaling_groups();
        let call = call.set_auto_scaling_group_names(Some(names.to_vec()));
        let pages = call.into_paginator().page_size(50).items().send();
        let listed: std::result::Result<Vec<_>, _> = pages.collect().await;
        let listed = listed.map_err(refused("autoscaling:DescribeAutoScalingGroups"))?;
        found.extend(listed.into_iter().map(|group| {
            let dying = group.status.is_some();
            (Live::from(group), dying)
        }));
    }
    Ok(found)
}

impl From<AutoScalingGroup> for Live {
    fn from(group: AutoScalingGroup) -> Self {
        let (template, version) = group
            .launch_template
            .map(|it| (it.launch_template_id, it.version))
            .unwrap_or_default();
        let subnets = group.vpc_zone_identifier.unwrap_or_default();
        let subnets = subnets.split(',').filter(|id| !id.is_empty());
        let mut subnets: Vec<_> = subnets.map(str::to_owned).collect();
        subnets.sort();
        let tags = group.tags.into_iter().flatten();
        Self {
            name: group.auto_scaling_group_name.unwrap_or_default(),
            arn: group.auto_scaling_group_arn.unwrap_or_default(),
            template: template.unwrap_or_default(),
            version: version.unwrap_or_default(),
            min_size: group.min_size.unwrap_or_default(),
            max_size: group.max_size.unwrap_or_default(),
            desired_capacity: group.desired_capacity.unwrap_or_default(),
            subnets,
            health_check_type: group.health_check_type.unwrap_or_default(),
            health_check_grace_seconds: group.health_check_grace_period.unwrap_or_default(),
            instances: group
                .instances
                .into_iter()
                .flatten()
                .map(Member::from)
                .collect(),
            tags: Tags(
                tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
                    .collect(),
            ),
        }
    }
}

impl From<Instance> for Member {
    fn from(instance: Instance) -> Self {
        let template = instance.launch_template;
        let state = instance.lifecycle_state.as_ref();
        Self {
            id: instance.instance_id.unwrap_or_default(),
            state: state.map(|it| it.as_str().to_owned()).unwrap_or_default(),
            version: template.and_then(|it| it.version).unwrap_or_default(),
        }
    }
}
