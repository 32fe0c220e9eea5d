//! Target groups: what a load balancer sends its traffic to.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, TargetTypeEnum};
use schemars::JsonSchema;
use serde::Deserialize;

use super::apart::{Apart, has, remembered};
use super::named::must_be_ours;
use super::place::{self, place};
use super::presence::present;
use super::quotas;
use super::reference::{InstanceName, NetworkName, ids_shown, names_shown};
use crate::aws::elb::{name_like, retag, sdk_tags, tags_of, wrong_name};
use crate::aws::{Poll, Wait, is_code, refused, tags};
use crate::base::node::Step;
use crate::base::{Diff, Error, OutputMeaning, Result, Shown};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted, aws_name};

mod attributes;
mod health_check;
mod listing;
mod release;
mod targets;
mod trial;

pub use attributes::{Attributes, Stickiness};
pub use health_check::HealthCheck;
pub use listing::Live;

/// What a load balancer sends its traffic to: containers or instances, and how it is found out
/// which of them can answer
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetGroup {
    /// Name in AWS, at most 32 letters, digits and `-`; without it, the name in the playbook, with
    /// `-` for every other character
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// How the load balancer talks to the targets: `HTTP` or `HTTPS`
    #[serde(default)]
    #[schemars(extend("x-fixed" = true, "default" = "HTTP"))]
    pub protocol: Protocol,
    /// Port of the targets, where they are registered without one of their own
    #[serde(default = "http")]
    #[schemars(range(min = 1), extend("x-fixed" = true))]
    pub port: u16,
    /// `ip` for containers, `instance` for instances; without it, `instance` where `instances` is
    /// given, else `ip`
    #[schemars(extend("x-fixed" = true))]
    pub target_type: Option<TargetType>,
    /// Network of the targets; without it, the region's default VPC
    #[schemars(extend("x-fixed" = true))]
    pub network: Option<NetworkName>,
    /// How it is found out which targets can answer
    #[serde(default)]
    pub health_check: HealthCheck,
    /// Seconds that a target which is taken out may go on with its open requests, 0 to 3600
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 0, max = 3600))]
    pub deregistration_delay_seconds: i32,
    /// Sends a client that comes back to the same target; without it, any target gets any request
    pub stickiness: Option<Stickiness>,
    /// Seconds in which a new target's share of the traffic grows to the full one, 30 to 900; with
    /// 0 it has the full share at once. Given none of this, `stickiness` and
    /// `deregistration_delay_seconds`, none of them is looked at
    #[serde(default)]
    #[schemars(range(min = 0, max = 900))]
    pub slow_start_seconds: i32,
    /// Instances that are registered as targets, and no others; without it, whatever is registered
    /// (by a service, say) stays
    pub instances: Option<Vec<InstanceName>>,
}

/// A protocol between load balancer and target
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// In the clear.
    #[default]
    Http,
    /// Encrypted.
    Https,
}

impl Protocol {
    /// As AWS words it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
        }
    }

    fn read(word: &str) -> Option<Self> {
        let mut all = [Self::Http, Self::Https].into_iter();
        all.find(|it| it.word() == word)
    }
}

/// What the targets are
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetType {
    /// Addresses, such as those of containers.
    Ip,
    /// EC2 instances.
    Instance,
}

impl TargetType {
    fn word(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Instance => "instance",
        }
    }
}

const ATTRIBUTES: Apart = ("attributes", |node| {
    let fields = [
        "deregistration_delay_seconds",
        "stickiness",
        "slow_start_seconds",
    ];
    fields.iter().any(|field| has(node, field))
});
const TARGETS: Apart = ("targets", |node| has(node, "instances"));

fn http() -> u16 {
    80
}

fn five_minutes() -> i32 {
    300
}

impl Resource for TargetGroup {
    const KIND: &'static str = "target_groups";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
            "elasticloadbalancing:DescribeTargetHealth",
        ],
        apply: &[
            place::ACTIONS[0],
            place::ACTIONS[1],
            "elasticloadbalancing:CreateTargetGroup",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetHealth",
            "elasticloadbalancing:ModifyTargetGroup",
            "elasticloadbalancing:ModifyTargetGroupAttributes",
            "elasticloadbalancing:RegisterTargets",
            "elasticloadbalancing:DeregisterTargets",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:ModifyListener",
            "elasticloadbalancing:ModifyRule",
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:RemoveTags",
        ],
        delete: &[
            "elasticloadbalancing:DeleteTargetGroup",
            "elasticloadbalancing:DescribeTargetGroups",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Amazon resource name"),
        ("arn", "Amazon resource name"),
        ("name", "Name in AWS"),
        (
            "full_name",
            "What CloudWatch calls it in the dimension `TargetGroup`",
        ),
    ];
    const ARN: Option<&'static str> = Some(listing::ARN);
    const DELETE_RANK: u8 = 44;
    const DELETE_SEES_IT_GONE: bool = true;
    const QUOTA: Option<Quota> = Some(quotas::TARGET_GROUPS);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let key = |key: &str| Step::Key(key.to_owned());
        let mut found = Vec::new();
        let name = self.name.as_deref();
        found.extend(
            name.and_then(wrong_name)
                .map(|text| (vec![key("name")], text)),
        );
        if self.port == 0 {
            found.push((vec![key("port")], "ports are 1 to 65535".to_owned()));
        }
        let below = |field: &str, problems: Vec<(&str, String)>| {
            let below = |(inner, text)| (vec![key(field), key(inner)], text);
            problems.into_iter().map(below).collect::<Vec<_>>()
        };
        found.extend(below("health_check", self.health_check.problems()));
        if !(0..=3600).contains(&self.deregistration_delay_seconds) {
            let text = "AWS takes 0 to 3600 seconds (an hour) here";
            let path = vec![key("deregistration_delay_seconds")];
            found.push((path, text.to_owned()));
        }
        if let Some(stickiness) = &self.stickiness {
            found.extend(below("stickiness", stickiness.problems()));
        }
        if self.slow_start_seconds != 0 && !(30..=900).contains(&self.slow_start_seconds) {
            let text = "AWS takes 0, or 30 to 900 seconds here";
            found.push((vec![key("slow_start_seconds")], text.to_owned()));
        }
        if self.instances.is_some() && self.target_type == Some(TargetType::Ip) {
            let text = "instances are targets of groups with `target_type: instance`";
            found.push((vec![key("instances")], text.to_owned()));
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        listing::discover(cx, wanted).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let diff = Diff::default()
            .fixed(
                "name",
                Shown::of(&live.name),
                Shown::of(self.aws_name(target)),
            )
            .fixed(
                "protocol",
                Shown::of(&live.protocol),
                Shown::of(self.protocol.word()),
            )
            .fixed("port", Shown::of(live.port), Shown::of(self.port))
            .fixed(
                "target_type",
                Shown::of(&live.target_type),
                Shown::of(self.target_type().word()),
            );
        let diff = place::diff(diff, &live.vpc, self.network.as_ref(), target.world);
        let diff = self.checked().diff(diff, &live.health_check);
        let diff = self.attributes().diff(diff, &live.attributes);
        let diff = match &self.instances {
            None => diff,
            Some(names) => {
                let names = names.iter().map(|InstanceName(name)| name.as_str());
                diff.field(
                    "instances",
                    ids_shown(target.world, targets::KIND, &live.targets),
                    names_shown(target.world, targets::KIND, names),
                )
            }
        };
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            Some(live) => live.clone(),
            None => self.created(cx, target).await?,
        };
        let arn = live.arn.clone();
        trial::bring(cx, target, &self.checked(), &mut live).await?;
        self.attributes()
            .bring(cx, &arn, &mut live.attributes)
            .await?;
        if let Some(names) = &self.instances {
            targets::bring(cx, target, &mut live, names).await?;
        }
        let tags = remembered(target, &[ATTRIBUTES, TARGETS]);
        retag(&cx.aws, &arn, &mut live.tags, &tags).await?;
        Ok(live)
    }

    async fn release(cx: &Context, old: &Live) -> Result<()> {
        release::release(cx, old).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        let what = format!("target group `{}` to be gone", live.name);
        let wait = Wait::new(what, Duration::from_mins(3), &|_| {});
        wait.until(async || {
            let call = cx.aws.elb.delete_target_group().target_group_arn(&live.arn);
            let done = call.send().await;
            match done.map_err(refused("elasticloadbalancing:DeleteTargetGroup")) {
                Err(error) if is_code(&error, listing::NOT_FOUND) => return Ok(Poll::Ready(())),
                // A load balancer lets go of its groups a moment after it is gone.
                Err(error) if !is_code(&error, "ResourceInUse") => return Err(error),
                _ => {}
            }
            Ok(match listing::describe(cx, &live.arn).await? {
                None => Poll::Ready(()),
                Some(live) => Poll::Pending(in_words(&live)),
            })
        })
        .await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let seen = |live: Live| (live.arn.clone(), in_words(&live));
        present(ids, |_| listing::list(cx), seen).await
    }
}

/// How it is held, if it is.
fn in_words(live: &Live) -> String {
    let name = |arn: &String| {
        let name = arn.split('/').nth(2).unwrap_or(arn);
        format!("`{name}`")
    };
    let holders: Vec<_> = live.load_balancers.iter().map(name).collect();
    match holders.as_slice() {
        [] => "exists".to_owned(),
        holders => format!("used by load balancer {}", holders.join(", ")),
    }
}

impl TargetGroup {
    fn aws_name(&self, target: Target<'_>) -> String {
        let name = self.name.clone();
        name.unwrap_or_else(|| name_like(&aws_name(target.address)))
    }

    fn target_type(&self) -> TargetType {
        self.target_type.unwrap_or(match self.instances {
            Some(_) => TargetType::Instance,
            None => TargetType::Ip,
        })
    }

    fn checked(&self) -> HealthCheck {
        self.health_check.of(self.protocol)
    }

    fn attributes(&self) -> Attributes {
        Attributes {
            deregistration_delay_seconds: self.deregistration_delay_seconds,
            slow_start_seconds: self.slow_start_seconds,
            stickiness: self.stickiness.clone(),
        }
    }

    async fn created(&self, cx: &Context, target: Target<'_>) -> Result<Live> {
        let name = self.aws_name(target);
        if let Some(text) = wrong_name(&name) {
            return Err(Error::playbook(text, target.at).hint("write another `name:`"));
        }
        let place = place(cx, target, self.network.as_ref()).await?;
        let check = self.checked();
        let call = cx.aws.elb.create_target_group().name(&name);
        let call = call
            .protocol(ProtocolEnum::from(self.protocol.word()))
            .port(i32::from(self.port))
            .target_type(TargetTypeEnum::from(self.target_type().word()))
            .vpc_id(&place.vpc)
            .health_check_path(&check.path)
            .health_check_interval_seconds(check.interval_seconds)
            .health_check_timeout_seconds(check.timeout_seconds)
            .healthy_threshold_count(check.healthy_threshold)
            .unhealthy_threshold_count(check.unhealthy_threshold)
            .matcher(check.sdk_matcher())
            .health_check_port(check.sdk_port())
            .set_health_check_protocol(check.sdk_protocol())
            .set_tags(Some(sdk_tags(
                &remembered(target, &[ATTRIBUTES, TARGETS]).0,
            )));
        let made = call.send().await;
        let made = match made.map_err(refused("elasticloadbalancing:CreateTargetGroup")) {
            Ok(made) => made
                .target_groups
                .into_iter()
                .flatten()
                .next()
                .map(Live::from),
            Err(error) if is_code(&error, "DuplicateTargetGroupName") => {
                listing::describe(cx, &name).await?
            }
            Err(error) => return Err(error),
        };
        let Some(mut live) = made else {
            let text = format!("the target group `{name}` was made, and cannot be seen yet");
            return Err(Error::failed(text).hint("run the command again: it goes on from here"));
        };
        // AWS gives the existing one of the same name and settings, whoever owns it.
        let tags = tags_of(&cx.aws, std::slice::from_ref(&live.arn)).await?;
        live.tags = tags.into_values().next().unwrap_or_default();
        must_be_ours("target group", &name, &live.tags, target)?;
        Ok(live)
    }
}
