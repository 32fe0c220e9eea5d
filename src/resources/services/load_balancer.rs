//! What sends requests to a service's tasks.

use aws_sdk_ecs::types;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{Address, Diff, Error, Result, Shown, World};
use crate::contract::Target;
use crate::resources::reference::named;

/// The name of a target group: declared in the playbook, or existing in the account; or an ARN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "target_groups", "x-kind-unless" = "^arn:"))]
pub struct TargetGroupOrArn(pub String);

impl TargetGroupOrArn {
    fn arn<'a>(&'a self, world: &'a World) -> Option<&'a str> {
        if self.0.starts_with("arn:") {
            return Some(&self.0);
        }
        let address = Address::new("target_groups", &self.0);
        world.output(&address, "arn")?.as_str()
    }
}

/// Where requests to a service come from, and which container takes them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadBalancer {
    /// The target group that its tasks are registered in: a name, or an ARN
    pub target_group: TargetGroupOrArn,
    /// The container that takes the requests
    pub container: String,
    /// Port of the container
    pub port: u16,
}

/// A target group that a service's tasks are registered in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Attached {
    target_group: String,
    container: String,
    port: i32,
}

impl Attached {
    /// Its ARN.
    pub(super) fn target_group(&self) -> &str {
        &self.target_group
    }
}

impl From<types::LoadBalancer> for Attached {
    fn from(told: types::LoadBalancer) -> Self {
        Self {
            target_group: told.target_group_arn.unwrap_or_default(),
            container: told.container_name.unwrap_or_default(),
            port: told.container_port.unwrap_or_default(),
        }
    }
}

pub(super) fn diff(
    diff: Diff,
    old: Option<&Attached>,
    new: Option<&LoadBalancer>,
    world: &World,
) -> Diff {
    let group = new.map(|it| match it.target_group.arn(world) {
        Some(arn) => Shown::of(named(world, "target_groups", arn)),
        None => Shown::AfterApply,
    });
    let there = old.map(|it| named(world, "target_groups", &it.target_group));
    diff.field(
        "load_balancer.target_group",
        Shown::option(there),
        group.unwrap_or(Shown::Absent),
    )
    .field(
        "load_balancer.container",
        Shown::option(old.map(|it| &it.container)),
        Shown::option(new.map(|it| &it.container)),
    )
    .field(
        "load_balancer.port",
        Shown::option(old.map(|it| it.port)),
        Shown::option(new.map(|it| it.port)),
    )
}

pub(super) fn sdk(
    wanted: Option<&LoadBalancer>,
    target: Target<'_>,
) -> Result<Vec<types::LoadBalancer>> {
    let one = |wanted: &LoadBalancer| {
        let arn = wanted.target_group.arn(target.world).ok_or_else(|| {
            let text = format!("target group `{}` does not exist", wanted.target_group.0);
            Error::playbook(text, target.at)
        })?;
        Ok(types::LoadBalancer::builder()
            .target_group_arn(arn)
            .container_name(&wanted.container)
            .container_port(i32::from(wanted.port))
            .build())
    };
    wanted.into_iter().map(one).collect()
}
