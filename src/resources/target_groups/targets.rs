//! The instances that are registered with a group.

use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetHealthStateEnum};

use super::Live;
use crate::aws::{is_code, refused};
use crate::base::Result;
use crate::contract::{Context, Target};
use crate::resources::reference::{InstanceName, ids_of};

pub(super) const KIND: &str = "instances";

/// Ids of the registered targets, those that are going left out.
pub(super) async fn describe(cx: &Context, arn: &str) -> Result<Vec<String>> {
    let call = cx.aws.elb.describe_target_health().target_group_arn(arn);
    let told = call.send().await;
    let told = told.map_err(refused("elasticloadbalancing:DescribeTargetHealth"))?;
    let told = told.target_health_descriptions.into_iter().flatten();
    let staying = told.filter(|one| {
        let state = one.target_health.as_ref().and_then(|it| it.state.as_ref());
        state != Some(&TargetHealthStateEnum::Draining)
    });
    let mut ids: Vec<String> = staying.filter_map(|one| one.target?.id).collect();
    ids.sort();
    ids.dedup();
    Ok(ids)
}

pub(super) async fn bring(
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
    names: &[InstanceName],
) -> Result<()> {
    let names = names.iter().map(|InstanceName(name)| name.as_str());
    let ids = ids_of(target, KIND, "instance", names)?;
    let described = |ids: Vec<&String>| {
        let target = |id: &String| TargetDescription::builder().id(id).build();
        Some(ids.into_iter().map(target).collect::<Vec<_>>())
    };
    let fresh: Vec<_> = ids.iter().filter(|id| !live.targets.contains(id)).collect();
    if !fresh.is_empty() {
        let call = cx.aws.elb.register_targets().target_group_arn(&live.arn);
        let done = call.set_targets(described(fresh)).send().await;
        done.map_err(refused("elasticloadbalancing:RegisterTargets"))?;
    }
    let gone: Vec<_> = live.targets.iter().filter(|id| !ids.contains(id)).collect();
    if !gone.is_empty() {
        let call = cx.aws.elb.deregister_targets().target_group_arn(&live.arn);
        let done = call.set_targets(described(gone)).send().await;
        match done.map_err(refused("elasticloadbalancing:DeregisterTargets")) {
            // Deregistered already: an answer was lost, or the instance is gone.
            Err(error) if !is_code(&error, "InvalidTarget") => return Err(error),
            _ => {}
        }
    }
    live.targets = ids;
    Ok(())
}
