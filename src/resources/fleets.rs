//! Fleets (EC2 Auto Scaling groups): many instances from one launch template.

use schemars::JsonSchema;
use serde::Deserialize;

use super::named::{self, with_name};
use super::quotas;
use super::reference::{LaunchTemplateName, NetworkName};
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Address, Cost, Diff, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Part, Presence, Quota, Resource, Target, Wanted};

mod change;
mod creation;
mod delete;
mod listing;
mod refresh;

/// What a refresh does to the instances.
const ANEW: &str = "makes the instances anew, a tenth at a time";

/// A number of instances from one launch template, which AWS keeps up (an Auto Scaling group). They
/// carry the fleet's tags
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// Name in AWS; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// What the instances are made from: always the template's default version
    pub launch_template: LaunchTemplateName,
    /// The fewest instances
    #[serde(default = "one")]
    pub min_size: i32,
    /// The most instances
    pub max_size: i32,
    /// How many instances there are to be; without it, the fewest at first, and then what something
    /// else sets
    pub desired_capacity: Option<i32>,
    /// The network that they are in, over all its subnets: declared in the playbook, or the id or name
    /// of an existing VPC. Without it, the region's default VPC
    pub network: Option<NetworkName>,
    /// What tells that an instance is well: `EC2` (the machine runs) or `ELB` (the load balancer's
    /// health check, too). One that is not is replaced
    #[serde(default = "ec2")]
    pub health_check_type: String,
    /// Seconds after the start in which a bad health check does not count
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 0, max = 7200))]
    pub health_check_grace_seconds: i32,
    /// Make instances of other versions of the template anew, a tenth at a time; without it, only
    /// new instances are of the new version
    #[serde(default)]
    pub refresh: bool,
}

fn one() -> i32 {
    1
}

fn ec2() -> String {
    "EC2".to_owned()
}

fn five_minutes() -> i32 {
    300
}

/// An Auto Scaling group in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    name: String,
    arn: String,
    /// Id of the launch template.
    template: String,
    /// Its version, as the group names it: `3`.
    version: String,
    min_size: i32,
    max_size: i32,
    desired_capacity: i32,
    /// Ids, sorted.
    subnets: Vec<String>,
    health_check_type: String,
    health_check_grace_seconds: i32,
    instances: Vec<Member>,
    tags: Tags,
}

/// An instance of a fleet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Member {
    id: String,
    /// As AWS words it: `InService`.
    state: String,
    /// Version of the launch template that it was made from.
    version: String,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.name
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        let instances: Vec<_> = self.instances.iter().map(|it| it.id.clone()).collect();
        Outputs::default()
            .with("id", self.name.as_str())
            .with("name", self.name.as_str())
            .with("arn", self.arn.as_str())
            .with("instance_ids", instances)
    }

    fn parts(&self) -> Vec<Part> {
        let part = |member: &Member| Part {
            noun: "instance",
            id: member.id.clone(),
        };
        self.instances.iter().map(part).collect()
    }
}

impl Resource for Fleet {
    const KIND: &'static str = "fleets";
    const IAM: Iam = Iam {
        discover: &["autoscaling:DescribeAutoScalingGroups"],
        apply: &[
            "autoscaling:DescribeAutoScalingGroups",
            "autoscaling:CreateAutoScalingGroup",
            "autoscaling:UpdateAutoScalingGroup",
            "autoscaling:StartInstanceRefresh",
            "autoscaling:DescribeInstanceRefreshes",
            "autoscaling:CreateOrUpdateTags",
            "autoscaling:DeleteTags",
            "ec2:DescribeVpcs",
            "ec2:DescribeSubnets",
            // AWS checks these when a group is made or changed.
            "ec2:RunInstances",
            "ec2:CreateTags",
            "iam:PassRole",
            "iam:CreateServiceLinkedRole",
        ],
        delete: &[
            "autoscaling:DeleteAutoScalingGroup",
            "autoscaling:DescribeAutoScalingGroups",
            "ec2:DescribeInstances",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Name in AWS"),
        ("name", "Name in AWS"),
        ("arn", "Amazon resource name"),
        ("instance_ids", "Ids of its instances"),
    ];
    const ARN: Option<&'static str> = Some("autoscaling:autoScalingGroup:");
    const TAGGED_IN_PART: bool = true;
    const DELETE_RANK: u8 = 80;
    const QUOTA: Option<Quota> = Some(quotas::AUTO_SCALING_GROUPS);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |key: &str| vec![Step::Key(key.to_owned())];
        let mut found = Vec::new();
        let fits = |name: &String| (1..=255).contains(&name.len()) && !name.contains([':', '|']);
        if self.name.as_ref().is_some_and(|name| !fits(name)) {
            let text = "a name of a fleet has 1 to 255 characters, without `:` and `|`";
            found.push((at("name"), text.to_owned()));
        }
        if self.min_size < 0 || self.max_size < self.min_size {
            let text = format!(
                "`max_size` ({}) cannot be below `min_size` ({}), nor that below 0",
                self.max_size, self.min_size
            );
            found.push((at("max_size"), text));
        }
        let between = |wanted: &i32| (self.min_size..=self.max_size).contains(wanted);
        if self.desired_capacity.is_some_and(|it| !between(&it)) {
            let text = "it is between `min_size` and `max_size`";
            found.push((at("desired_capacity"), text.to_owned()));
        }
        if !["EC2", "ELB"].contains(&self.health_check_type.as_str()) {
            let text = "there are `EC2` and `ELB`";
            found.push((at("health_check_type"), text.to_owned()));
        }
        if !(0..=7200).contains(&self.health_check_grace_seconds) {
            let text = "AWS takes 0 to 7200 seconds";
            found.push((at("health_check_grace_seconds"), text.to_owned()));
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let mut found = listing::of_stack(cx).await?;
        if !wanted.external.is_empty() {
            found.extend(listing::named(cx, wanted.external.clone()).await?);
        }
        Ok(found)
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let name = named::name_of(self.name.as_ref(), target);
        let diff = Diff::default().fixed("name", Shown::of(&live.name), Shown::of(name));
        let diff = self.template_diff(diff, live, target);
        let diff = diff
            .field(
                "min_size",
                Shown::of(live.min_size),
                Shown::of(self.min_size),
            )
            .field(
                "max_size",
                Shown::of(live.max_size),
                Shown::of(self.max_size),
            );
        let diff = match self.desired_capacity {
            Some(wanted) if wanted != live.desired_capacity => diff
                .field(
                    "desired_capacity",
                    Shown::of(live.desired_capacity),
                    Shown::of(wanted),
                )
                .unsettles("instance_ids"),
            _ => diff,
        };
        let diff = self.network_diff(diff, live, target);
        let diff = diff
            .field(
                "health_check_type",
                Shown::of(&live.health_check_type),
                Shown::of(&self.health_check_type),
            )
            .field(
                "health_check_grace_seconds",
                Shown::of(live.health_check_grace_seconds),
                Shown::of(self.health_check_grace_seconds),
            );
        Ok(tags::diff(diff, &live.tags, &with_name(target)))
    }

    fn cost(&self, _region: &str) -> Cost {
        Cost::unknown("the instances of a fleet, whose launch template tells their type")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let live = match live {
            Some(live) => live.clone(),
            None => creation::created(self, cx, target).await?,
        };
        change::apply(self, cx, target, live).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        let address = match live.tags.owner() {
            Some(owner) => owner.address,
            None => Address::new(Self::KIND, &live.name),
        };
        delete::delete(cx, &address, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        delete::presence(cx, ids).await
    }
}

impl Fleet {
    /// Id and default version of its template, where they are known.
    fn template<'a>(&self, target: Target<'a>) -> Option<(&'a str, String)> {
        let LaunchTemplateName(name) = &self.launch_template;
        let id = target.world.id("launch_templates", name)?;
        let address = Address::new("launch_templates", name);
        let version = target.world.settled(&address, "version")?;
        Some((id, version.to_string()))
    }

    fn template_diff(&self, diff: Diff, live: &Live, target: Target<'_>) -> Diff {
        let LaunchTemplateName(name) = &self.launch_template;
        let of = |id: &str, version: &str| {
            let name = super::reference::named(target.world, "launch_templates", id);
            Shown::of(format!("{name} version {version}"))
        };
        let old = of(&live.template, &live.version);
        let Some((id, version)) = self.template(target) else {
            let diff = diff.field("launch_template", old, Shown::AfterApply);
            return if self.refresh {
                diff.interrupting("refresh", Shown::Absent, Shown::AfterApply, ANEW)
                    .unsettles("instance_ids")
            } else {
                diff
            };
        };
        let new = Shown::of(format!("{name} version {version}"));
        let new = if id == live.template && version == live.version {
            old.clone()
        } else {
            new
        };
        let diff = diff.field("launch_template", old, new);
        let others = refresh::others(live, &version);
        if !self.refresh || others == 0 {
            return diff;
        }
        let old = format!("{others} of {} of another version", live.instances.len());
        diff.interrupting("refresh", Shown::of(old), Shown::of("all of one"), ANEW)
            .unsettles("instance_ids")
    }

    fn network_diff(&self, diff: Diff, live: &Live, target: Target<'_>) -> Diff {
        let Some(NetworkName(name)) = &self.network else {
            return diff;
        };
        let address = Address::new("networks", name);
        let old = || Shown::list(&live.subnets);
        let subnets = target.world.settled(&address, "subnet_ids");
        let Some(subnets) = subnets.and_then(serde_json::Value::as_array) else {
            return diff.field("network", old(), Shown::AfterApply);
        };
        let ids = subnets.iter().filter_map(serde_json::Value::as_str);
        let mut ids: Vec<_> = ids.collect();
        ids.sort_unstable();
        if ids == live.subnets {
            return diff;
        }
        diff.field("network", old(), Shown::list(ids))
    }
}
