//! Target groups as AWS reports them.

use aws_sdk_elasticloadbalancingv2::types::{
    ProtocolEnum, TargetGroup as SdkGroup, TargetTypeEnum,
};
use futures::future::try_join_all;
use serde::Deserialize;

use super::attributes::{self, Attributes};
use super::health_check::HealthCheck;
use super::targets;
use crate::aws::{Tags, is_code, refused, tags};
use crate::base::{Cost, Outputs, Result};
use crate::contract::{Context, Wanted};
use crate::resources::apart::is_asked;
use crate::resources::named::among_balancing;

pub(super) const ARN: &str = "elasticloadbalancing:targetgroup/";
pub(super) const NOT_FOUND: &str = "TargetGroupNotFound";

/// A target group in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    pub(super) arn: String,
    pub(super) name: String,
    /// As AWS words it: `HTTP`.
    pub(super) protocol: String,
    pub(super) port: u16,
    /// As AWS words it: `ip`.
    pub(super) target_type: String,
    pub(super) vpc: String,
    pub(super) health_check: HealthCheck,
    pub(super) attributes: Attributes,
    /// Ids of the registered instances; of other targets, nothing is known here.
    pub(super) targets: Vec<String>,
    /// ARNs of the load balancers that send traffic to it.
    pub(super) load_balancers: Vec<String>,
    pub(super) tags: Tags,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.arn
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        let full_name = self.arn.rsplit_once(':').map(|(_, name)| name);
        Outputs::default()
            .with("id", self.arn.as_str())
            .with("arn", self.arn.as_str())
            .with("name", self.name.as_str())
            .with("full_name", full_name)
    }

    fn cost(&self, _region: &str) -> Option<Cost> {
        Some(Cost::default())
    }
}

impl From<SdkGroup> for Live {
    fn from(group: SdkGroup) -> Self {
        let word = |word: Option<&str>| word.unwrap_or_default().to_owned();
        let port = group.port.and_then(|port| u16::try_from(port).ok());
        Self {
            health_check: HealthCheck::read(&group),
            protocol: word(group.protocol.as_ref().map(ProtocolEnum::as_str)),
            target_type: word(group.target_type.as_ref().map(TargetTypeEnum::as_str)),
            arn: group.target_group_arn.unwrap_or_default(),
            name: group.target_group_name.unwrap_or_default(),
            port: port.unwrap_or_default(),
            vpc: group.vpc_id.unwrap_or_default(),
            load_balancers: group.load_balancer_arns.unwrap_or_default(),
            ..Self::default()
        }
    }
}

pub(super) async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
    let all = list(cx).await?;
    let (found, mut tags) = among_balancing(cx, wanted, ARN, all).await?;
    let complete = found.into_iter().map(|mut live| {
        live.tags = tags.remove(&live.arn).unwrap_or_default();
        async move {
            if live.tags.value(tags::STACK) == Some(&cx.stack) {
                complete(cx, wanted, &mut live).await?;
            }
            Ok(live)
        }
    });
    try_join_all(complete).await
}

/// What AWS tells of one group at a time only, where it is asked for.
async fn complete(cx: &Context, wanted: &Wanted, live: &mut Live) -> Result<()> {
    if is_asked(wanted, &live.tags, super::ATTRIBUTES) {
        live.attributes = attributes::describe(cx, &live.arn).await?;
    }
    if live.target_type == "instance" && is_asked(wanted, &live.tags, super::TARGETS) {
        live.targets = targets::describe(cx, &live.arn).await?;
    }
    Ok(())
}

/// All groups of the region: AWS refuses to describe several of which one does not exist.
pub(super) async fn list(cx: &Context) -> Result<Vec<Live>> {
    let pages = cx.aws.elb.describe_target_groups().page_size(400);
    let mut groups = pages.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(group) = groups.next().await {
        let group = group.map_err(refused("elasticloadbalancing:DescribeTargetGroups"))?;
        found.push(Live::from(group));
    }
    Ok(found)
}

/// One group, by its ARN or its name.
pub(super) async fn describe(cx: &Context, which: &str) -> Result<Option<Live>> {
    let call = cx.aws.elb.describe_target_groups();
    let call = if which.starts_with("arn:") {
        call.target_group_arns(which)
    } else {
        call.names(which)
    };
    let told = call.send().await;
    match told.map_err(refused("elasticloadbalancing:DescribeTargetGroups")) {
        Ok(told) => Ok(told
            .target_groups
            .into_iter()
            .flatten()
            .next()
            .map(Live::from)),
        Err(error) if is_code(&error, NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}
