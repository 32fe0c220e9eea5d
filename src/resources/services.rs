//! ECS services: tasks that are kept running, and replaced one by one when they change.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::apart::remembered;
use super::capacity_share::{self, CapacityShare};
use super::named;
use super::place;
use super::policy_document::PolicyDocument;
use super::reference::{ClusterName, NetworkName, SecurityGroupName, TaskDefinitionName};
use super::role::RoleOrArn;
use super::task_definitions::{Architecture, containers::Container};
use super::task_network::{TaskNetwork, TaskPlace};
use crate::aws::ecs::retag;
use crate::aws::{Tags, tags};
use crate::base::node::{Entry, Step};
use crate::base::{
    Address, Cost, Diff, Errors, Expansion, OutputMeaning, Outputs, Result, Sections,
};
use crate::contract::{Beside, Context, Found, Iam, Presence, Resource, Target, Wanted};

mod creation;
mod delete;
mod difference;
mod failure;
mod listing;
mod load_balancer;
pub mod logs;
mod preflight;
mod price;
pub mod rollback;
mod rollout;
mod scaling;
mod short;
mod words;

pub use load_balancer::LoadBalancer;
pub use logs::place;
pub use scaling::Autoscaling;
use scaling::SCALING;
use short::Expanded;
pub use words::{LaunchType, PropagateTags};

const ARN: &str = "ecs:service/";

/// An ECS service: tasks that are kept running
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Name in AWS, up to 255 letters, digits, `-` and `_`; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// The cluster that it runs in
    #[schemars(extend("x-fixed" = true))]
    pub cluster: ClusterName,
    /// What it runs; a new revision is rolled out task by task. Or write `containers` here
    #[serde(default = "no_task_definition")]
    #[schemars(with = "Option<TaskDefinitionName>")]
    pub task_definition: TaskDefinitionName,
    /// The containers of its tasks by name, instead of a `task_definition`: that is made for it, and so
    /// are a log group and, where they are not given, roles with the rights that are needed and no
    /// others. They have the service's name, the roles also `-execution` and `-task`
    #[serde(default)]
    pub containers: Expanded<BTreeMap<String, Container>>,
    /// With `containers`: CPU of a task, in units of which 1024 are one processor
    #[serde(default)]
    pub cpu: Expanded<i32>,
    /// With `containers`: memory of a task, in MiB; what Fargate takes depends on `cpu`
    #[serde(default)]
    pub memory_mib: Expanded<i32>,
    /// With `containers`: disk of a task on Fargate, 21 to 200 GiB; 20 GiB if not given
    #[serde(default)]
    pub ephemeral_storage_gib: Expanded<i32>,
    /// With `containers`: processors that the images are built for
    #[serde(default)]
    pub architecture: Expanded<Architecture>,
    /// With `containers`: role that ECS takes to pull the images, read secrets and write logs; without
    /// it, one that may do this and nothing else
    #[serde(default)]
    pub execution_role: Expanded<RoleOrArn>,
    /// With `containers`: role that the containers themselves have; without it, one that may do what
    /// `permissions` says, or none
    #[serde(default)]
    pub task_role: Expanded<RoleOrArn>,
    /// With `containers`: what they may do in AWS, as a policy document or its statements
    #[serde(default)]
    pub permissions: Expanded<PolicyDocument>,
    /// With `containers`: days that their logs are kept; 30 if not given
    #[serde(default)]
    pub log_retention_days: Expanded<i32>,
    /// With `containers`: revisions that it can be rolled back to, with the newest; 5 if not given
    #[serde(default)]
    pub keep_revisions: Expanded<usize>,
    /// Tasks that are kept running
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 5000))]
    pub desired_count: i32,
    /// Whose machines its tasks run on, instead of `capacity`. Without both, the cluster decides
    /// when the service is made
    #[schemars(extend("x-fixed" = true))]
    pub launch_type: Option<LaunchType>,
    /// How its tasks are shared out between capacity providers
    #[serde(default)]
    pub capacity: Vec<CapacityShare>,
    /// Network whose subnets its tasks run in; without it and `subnets`, the region's default VPC
    pub network: Option<NetworkName>,
    /// Ids of the subnets that its tasks run in, at most 16, instead of `network`
    #[serde(default)]
    pub subnets: Vec<String>,
    /// Security groups of its tasks, at most 5. Without any: a group that lets in the load balancer
    /// that is made for it, if one is; else the network's default one
    #[serde(default)]
    pub security_groups: Vec<SecurityGroupName>,
    /// Its tasks have public addresses, without which they reach the internet (and images) only
    /// through a gateway of the network. Not on EC2 instances
    pub public_ip: Option<bool>,
    /// How many tasks there are, by what they have to do: `desired_count` is then only how many there are
    /// at first
    pub autoscaling: Option<Autoscaling>,
    /// What sends requests to its tasks: a `target_group`, or a load balancer that is made for it
    pub load_balancer: Option<LoadBalancer>,
    /// Seconds in which the load balancer's verdict on a new task does not count
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub health_check_grace_seconds: i32,
    /// A rollout whose tasks keep failing is stopped and rolled back
    #[serde(default = "yes")]
    pub circuit_breaker: bool,
    /// Part of the desired tasks that keeps running during a rollout, in percent
    #[serde(default = "hundred")]
    #[schemars(range(min = 0, max = 100))]
    pub minimum_healthy_percent: i32,
    /// Tasks that run at most during a rollout, in percent of the desired ones
    #[serde(default = "two_hundred")]
    #[schemars(range(min = 100, max = 200))]
    pub maximum_percent: i32,
    /// Commands can be run in its containers (`aws ecs execute-command`); a `task_role` must allow
    /// it
    #[serde(default)]
    pub execute_command: bool,
    /// Whose tags its tasks carry
    #[serde(default)]
    pub propagate_tags: PropagateTags,
}

fn no_task_definition() -> TaskDefinitionName {
    TaskDefinitionName(String::new())
}

fn one() -> i32 {
    1
}

fn yes() -> bool {
    true
}

fn hundred() -> i32 {
    100
}

fn two_hundred() -> i32 {
    200
}

/// A service in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    /// `CLUSTER/NAME`.
    id: String,
    cluster: String,
    name: String,
    arn: String,
    /// As AWS words it: `ACTIVE`.
    status: String,
    /// ARN of the revision.
    task_definition: String,
    desired_count: i32,
    running_count: i32,
    /// How its newest deployment is, as AWS words it: `COMPLETED`.
    rollout: Option<String>,
    /// As AWS words it: `FARGATE`.
    launch_type: Option<String>,
    capacity: Vec<CapacityShare>,
    place: Option<TaskPlace>,
    load_balancer: Option<load_balancer::Attached>,
    /// Where it was asked for and is there.
    scaling: Option<scaling::Scaled>,
    health_check_grace_seconds: i32,
    circuit_breaker: bool,
    minimum_healthy_percent: i32,
    maximum_percent: i32,
    execute_command: bool,
    /// As AWS words it: `SERVICE`.
    propagate_tags: String,
    tags: Tags,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.id.as_str())
            .with("name", self.name.as_str())
            .with("arn", self.arn.as_str())
            .with("cluster", self.cluster.as_str())
    }

    fn cost_with(&self, region: &str, owned: &BTreeMap<Address, Found>) -> Option<Cost> {
        Some(price::now(self, region, owned))
    }
}

impl Resource for Service {
    const KIND: &'static str = "services";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "ecs:DescribeServices",
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScalingPolicies",
        ],
        apply: &[
            place::ACTIONS[0],
            place::ACTIONS[1],
            "ecs:DescribeServices",
            "ecs:CreateService",
            "ecs:UpdateService",
            "ecs:ListTasks",
            "ecs:DescribeTasks",
            "ecs:DescribeTaskDefinition",
            "ecr:DescribeRepositories",
            "ecr:BatchGetImage",
            "ssm:GetParameters",
            "secretsmanager:DescribeSecret",
            "elasticloadbalancing:DescribeTargetHealth",
            "elasticloadbalancing:DescribeTargetGroups",
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:PutScalingPolicy",
            "application-autoscaling:DeleteScalingPolicy",
            "application-autoscaling:DeregisterScalableTarget",
            "logs:GetLogEvents",
            "ecs:TagResource",
            "ecs:UntagResource",
        ],
        delete: &[
            "ecs:DescribeServices",
            "ecs:ListTasks",
            "ecs:DeleteService",
            "application-autoscaling:DeregisterScalableTarget",
            "ecs:DescribeTasks",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Its cluster and name, as `CLUSTER/NAME`"),
        ("name", "Name in AWS"),
        ("arn", "Amazon resource name"),
        ("cluster", "Name of its cluster in AWS"),
    ];
    const BORROWS: &'static [(&'static str, OutputMeaning)] = &[
        (
            "load_balancers",
            ("url", "Where the load balancer that is made for it answers"),
        ),
        (
            "load_balancers",
            (
                "dns_name",
                "Host name of the load balancer that is made for it",
            ),
        ),
        (
            "load_balancers",
            ("zone_id", "Hosted zone of that name, for alias records"),
        ),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 32;
    const DELETE_SEES_IT_GONE: bool = true;
    type Live = Live;

    fn expand(name: &str, entry: &Entry, sections: &Sections) -> Result<Option<Expansion>, Errors> {
        short::expand(name, entry, sections)
    }

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let mut problems = self.tasks_network().check();
        let left = short::left(self);
        if let (true, Some(balancer)) = (left.is_empty(), &self.load_balancer) {
            problems.extend(balancer.check());
        }
        problems.extend(left);
        if let Some(scaling) = &self.autoscaling {
            problems.extend(scaling.check(self.load_balancer.is_some()));
        }
        problems.extend(capacity_share::check(&self.capacity));
        let mut problem = |field: &str, text: &str| {
            problems.push((vec![Step::Key(field.to_owned())], text.to_owned()));
        };
        if self.name.as_ref().is_some_and(|name| !is_name(name)) {
            let text = "a service's name is 1 to 255 letters, digits, `-` and `_`";
            problem("name", text);
        }
        if !(0..=5000).contains(&self.desired_count) {
            problem("desired_count", "a service has 0 to 5000 tasks");
        }
        if self.launch_type.is_some() && !self.capacity.is_empty() {
            problem("capacity", "give `launch_type` or `capacity`, not both");
        }
        if self.launch_type == Some(LaunchType::Ec2) && self.public_ip == Some(true) {
            problem("public_ip", "tasks on EC2 instances have no public address");
        }
        if self.load_balancer.is_none() && self.health_check_grace_seconds != 0 {
            let text = "a grace period takes a `load_balancer`";
            problem("health_check_grace_seconds", text);
        }
        if !(0..=100).contains(&self.minimum_healthy_percent) {
            problem("minimum_healthy_percent", "0 to 100 percent");
        }
        if !(100..=200).contains(&self.maximum_percent) {
            problem("maximum_percent", "100 to 200 percent");
        }
        if self.minimum_healthy_percent == 100 && self.maximum_percent == 100 {
            let text = "with both at 100 percent, no task could ever be replaced";
            problem("maximum_percent", text);
        }
        problems
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        listing::discover(cx, wanted).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let diff = difference::between(self, live, target);
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost_with(&self, region: &str, beside: &Beside<'_>) -> Cost {
        price::wanted(self, region, beside)
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            Some(live) => creation::updated(self, cx, target, live.clone()).await?,
            None => creation::created(self, cx, target).await?,
        };
        let tags = remembered(target, &[SCALING]);
        retag(&cx.aws, &live.arn, &live.tags, &tags).await?;
        live.tags.apply(&tags);
        scaling::apply(cx, self, &mut live).await?;
        Ok(live)
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        listing::presence(cx, ids).await
    }
}

impl Service {
    fn tasks_network(&self) -> TaskNetwork<'_> {
        let on_ec2 = self.launch_type == Some(LaunchType::Ec2);
        TaskNetwork {
            network: self.network.as_ref(),
            subnets: &self.subnets,
            security_groups: &self.security_groups,
            public_ip: self.public_ip.unwrap_or(!on_ec2),
        }
    }

    fn aws_name(&self, target: Target<'_>) -> String {
        named::name_of(self.name.as_ref(), target)
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=255).contains(&name.len()) && name.chars().all(fits)
}
