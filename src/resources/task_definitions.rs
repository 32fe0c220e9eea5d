//! ECS task definitions: which containers run together. Every change is a new revision of the
//! family; old revisions are removed, none is left behind.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{Compatibility, NetworkMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::containers::{Container, Facts};
use super::named;
use super::one_or_many::OneOrMany;
use super::role::RoleOrArn;
use crate::aws::{Tags, tags};
use crate::base::node::{Entry, Step};
use crate::base::{
    Address, Cost, Diff, Errors, Expansion, OutputMeaning, Outputs, Result, Sections,
};
use crate::contract::{Context, Iam, Presence, Resource, Target, Wanted};

mod check;
pub(super) mod containers;
mod difference;
mod fargate;
mod images;
mod registering;
mod revisions;
mod size;

pub use size::Size;

const ARN: &str = "ecs:task-definition/";

/// An ECS task definition: containers that run together
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskDefinition {
    /// Name of its revisions in AWS, up to 255 letters, digits, `-` and `_`; without it, the name
    /// in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub family: Option<String>,
    /// Where it can run: on AWS's machines (`FARGATE`), on one's own (`EC2`), or both
    #[serde(default = "fargate_only")]
    #[schemars(extend("default" = ["FARGATE"]))]
    pub requires_compatibilities: OneOrMany<Launch>,
    /// CPU of all containers together, in units of which 1024 are one processor; Fargate takes
    /// 256, 512, 1024, 2048, 4096, 8192 and 16384
    pub cpu: Option<i32>,
    /// Memory of all containers together, in MiB; what Fargate takes depends on `cpu`
    pub memory_mib: Option<i32>,
    /// How containers reach the network. Fargate takes `awsvpc` only: every task has a network
    /// interface of its own
    #[serde(default)]
    pub network_mode: Mode,
    /// Role that ECS takes to pull images, read secrets and write logs: a role's name, or an ARN
    pub execution_role: Option<RoleOrArn>,
    /// Role that the containers themselves have: a role's name, or an ARN
    pub task_role: Option<RoleOrArn>,
    /// Disk of a task on Fargate, 21 to 200 GiB; without it, 20 GiB, at no charge
    #[schemars(range(min = 21, max = 200))]
    pub ephemeral_storage_gib: Option<i32>,
    /// Processors that the images are built for
    #[serde(default)]
    pub architecture: Architecture,
    /// The containers by name, at most 10
    pub containers: BTreeMap<String, Container>,
    /// Revisions that stay usable, with the newest: what services may roll back to
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 100))]
    pub keep_revisions: usize,
}

fn fargate_only() -> OneOrMany<Launch> {
    OneOrMany(vec![Launch::Fargate])
}

fn five() -> usize {
    5
}

/// Whose machines tasks run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
pub enum Launch {
    /// AWS's
    #[serde(rename = "FARGATE")]
    Fargate,
    /// EC2 instances that joined the cluster
    #[serde(rename = "EC2")]
    Ec2,
}

impl Launch {
    fn sdk(self) -> Compatibility {
        match self {
            Self::Fargate => Compatibility::Fargate,
            Self::Ec2 => Compatibility::Ec2,
        }
    }
}

/// How containers reach the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// By a network interface of the task's own
    #[default]
    Awsvpc,
    /// By Docker's bridge on the machine
    Bridge,
    /// As the machine itself does
    Host,
    /// Not at all
    None,
}

impl Mode {
    fn sdk(self) -> NetworkMode {
        match self {
            Self::Awsvpc => NetworkMode::Awsvpc,
            Self::Bridge => NetworkMode::Bridge,
            Self::Host => NetworkMode::Host,
            Self::None => NetworkMode::None,
        }
    }
}

/// Processors that images are built for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Architecture {
    /// Intel and AMD
    #[default]
    #[serde(rename = "X86_64")]
    X86,
    /// ARM (Graviton), a fifth cheaper
    #[serde(rename = "ARM64")]
    Arm,
}

impl Architecture {
    fn word(self) -> &'static str {
        match self {
            Self::X86 => "X86_64",
            Self::Arm => "ARM64",
        }
    }
}

/// The newest usable revision of a family in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    family: String,
    arn: String,
    revision: i32,
    /// As AWS words it: `ACTIVE`; `INACTIVE` when no revision is usable any more.
    status: String,
    /// The region, for what is written there without one.
    region: String,
    requires_compatibilities: Vec<String>,
    cpu: Option<i32>,
    memory_mib: Option<i32>,
    network_mode: String,
    execution_role: Option<String>,
    task_role: Option<String>,
    ephemeral_storage_gib: Option<i32>,
    architecture: String,
    containers: BTreeMap<String, Facts>,
    tags: Tags,
    /// ARNs of all its revisions, active and inactive ones, where they were listed.
    #[serde(skip)]
    revisions: Option<(Vec<String>, Vec<String>)>,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.family
    }

    fn name(&self) -> Option<&str> {
        Some(&self.family)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.arn.as_str())
            .with("arn", self.arn.as_str())
            .with("family", self.family.as_str())
            .with("revision", self.revision)
            .with("network_mode", self.network_mode.as_str())
    }
}

impl Resource for TaskDefinition {
    const KIND: &'static str = "task_definitions";
    const IAM: Iam = Iam {
        discover: &["tag:GetResources", "ecs:DescribeTaskDefinition"],
        apply: &[
            "ecs:DescribeTaskDefinition",
            "ecs:RegisterTaskDefinition",
            "ecs:ListTaskDefinitions",
            "ecs:DeregisterTaskDefinition",
            "ecs:DeleteTaskDefinitions",
            "ecs:TagResource",
            "ecs:UntagResource",
            "iam:PassRole",
        ],
        delete: &[
            "ecs:ListTaskDefinitions",
            "ecs:DeregisterTaskDefinition",
            "ecs:DeleteTaskDefinitions",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Amazon resource name of the newest revision"),
        ("arn", "Amazon resource name of the newest revision"),
        ("family", "Name of its revisions in AWS"),
        ("revision", "Number of the newest revision"),
        ("network_mode", "How containers reach the network"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const CHECKED_IN_PART: bool = true;
    const DELETE_RANK: u8 = 48;
    const DELETE_SEES_IT_GONE: bool = true;
    const CREATE_FIRST: bool = true;
    type Live = Live;

    fn expand(
        _name: &str,
        entry: &Entry,
        sections: &Sections,
    ) -> Result<Option<Expansion>, Errors> {
        Ok(images::named(&entry.node, sections).map(|spec| Expansion {
            spec,
            others: Vec::new(),
        }))
    }

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        check::check(self)
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        revisions::discover(cx, wanted).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let mut diff = difference::between(self, live, target);
        if !diff.is_empty() {
            diff = diff.unsettles("id").unsettles("arn").unsettles("revision");
            let mode = self.network_mode.sdk();
            if mode.as_str() != live.network_mode {
                diff = diff.unsettles("network_mode");
            }
        }
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, _region: &str) -> Cost {
        Cost::default()
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let family = named::name_of(self.family.as_ref(), target);
        let live = match live {
            Some(live) => Some(live.clone()),
            None => revisions::ours(cx, target, &family).await?,
        };
        match live {
            Some(live) if difference::between(self, &live, target).is_empty() => {
                revisions::retag_all(cx, live, target.tags).await
            }
            live => {
                let made = registering::register(self, cx, target, &family).await?;
                // The first one has nothing behind it.
                if made.revision > 1 {
                    revisions::prune(cx, live.as_ref(), &made, self.keep_revisions).await?;
                }
                Ok(made)
            }
        }
    }

    async fn depose(cx: &Context, old: &Live, address: &Address) -> Result<()> {
        let mut tags = old.tags.clone();
        let address = tags::written_address(address);
        tags.0.insert(tags::ADDRESS.to_owned(), address);
        revisions::retag_all(cx, old.clone(), &tags)
            .await
            .map(|_| ())
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        revisions::delete_all(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        revisions::presence(cx, ids).await
    }
}
