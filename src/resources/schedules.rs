//! `EventBridge` Scheduler: ECS tasks at certain times. Schedules carry no tags; they stand in a
//! group of the stack's own, which does, and keep theirs as JSON in their description.

use schemars::JsonSchema;
use serde::Deserialize;

use super::capacity_share::{self, CapacityShare};
use super::named;
use super::place;
use super::reference::{ClusterName, NetworkName, SecurityGroupName, TaskDefinitionName};
use super::role::RoleOrArn;
use super::services::LaunchType;
use super::task_network::{TaskNetwork, TaskPlace};
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, OutputMeaning, Outputs, Result};
use crate::contract::{Context, Iam, Part, Presence, Resource, Target, Wanted};

mod change;
mod difference;
mod expression;
mod group;
mod listing;
mod notes;

/// A schedule that starts ECS tasks
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Name in AWS, up to 64 letters, digits, `-`, `_` and `.`; without it, the name in the
    /// playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// When: `rate(5 minutes)`, `cron(0 8 ? * MON-FRI *)` (minute, hour, day of the month, month,
    /// day of the week, year), or `at(2027-01-31T08:00:00)` for once
    pub expression: String,
    /// Time zone of `cron` and `at`, such as `Europe/Budapest`
    #[serde(default = "utc")]
    pub timezone: String,
    /// The cluster that the tasks run in
    pub cluster: ClusterName,
    /// What the tasks run; a new revision is used from then on
    pub task_definition: TaskDefinitionName,
    /// Tasks that are started each time, 1 to 10
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10))]
    pub task_count: i32,
    /// Whose machines the tasks run on; without it and `capacity`, `FARGATE`
    pub launch_type: Option<LaunchType>,
    /// How the tasks are shared out between capacity providers, instead of `launch_type`
    #[serde(default)]
    pub capacity: Vec<CapacityShare>,
    /// Network whose subnets the tasks run in; without it and `subnets`, the region's default VPC
    pub network: Option<NetworkName>,
    /// Ids of the subnets that the tasks run in, at most 16, instead of `network`
    #[serde(default)]
    pub subnets: Vec<String>,
    /// Security groups of the tasks, at most 5; without any, the network's default one
    #[serde(default)]
    pub security_groups: Vec<SecurityGroupName>,
    /// The tasks have public addresses; without it, they do with the launch type `FARGATE`, as
    /// AWS allows it there only
    pub public_ip: Option<bool>,
    /// Role that the scheduler takes to start the tasks: a role's name, or an ARN. Its trusted
    /// service is `scheduler.amazonaws.com`
    pub role: RoleOrArn,
    /// Minutes within which AWS may start the tasks at a time of its choosing, 1 to 1440; without
    /// it, they start on time
    #[schemars(range(min = 1, max = 1440))]
    pub flexible_window_minutes: Option<i32>,
    /// How often a start that failed is tried again, 0 to 185 times
    #[serde(default = "most_retries")]
    #[schemars(range(min = 0, max = 185))]
    pub maximum_retry_attempts: i32,
    /// Seconds after which a start that failed is not tried again, 60 to 86400
    #[serde(default = "day")]
    #[schemars(range(min = 60, max = 86400))]
    pub maximum_event_age_seconds: i32,
    /// It starts tasks; without, it rests
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn one() -> i32 {
    1
}

fn most_retries() -> i32 {
    185
}

fn day() -> i32 {
    86400
}

fn yes() -> bool {
    true
}

/// A schedule in AWS; or, without a name, a group that was left without schedules.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    /// `GROUP/NAME`, or `GROUP`.
    id: String,
    group: String,
    name: String,
    arn: String,
    expression: String,
    timezone: String,
    /// ARN of the cluster.
    cluster: String,
    /// ARN of the revision.
    task_definition: String,
    task_count: i32,
    /// As AWS words it: `FARGATE`.
    launch_type: Option<String>,
    capacity: Vec<CapacityShare>,
    place: Option<TaskPlace>,
    /// ARN of the role.
    role: String,
    flexible_window_minutes: Option<i32>,
    maximum_retry_attempts: i32,
    maximum_event_age_seconds: i32,
    enabled: bool,
    /// No other schedule is in its group, which goes with it.
    alone: bool,
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
            .with("group", self.group.as_str())
    }

    fn parts(&self) -> Vec<Part> {
        let part = || Part {
            noun: "schedule group",
            id: self.group.clone(),
        };
        self.alone.then(part).into_iter().collect()
    }
}

impl Resource for Schedule {
    const KIND: &'static str = "schedules";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "scheduler:ListSchedules",
            "scheduler:GetSchedule",
            "scheduler:GetScheduleGroup",
        ],
        apply: &[
            place::ACTIONS[0],
            place::ACTIONS[1],
            "scheduler:CreateScheduleGroup",
            "scheduler:TagResource",
            "scheduler:CreateSchedule",
            "scheduler:GetSchedule",
            "scheduler:UpdateSchedule",
            "iam:PassRole",
        ],
        delete: &[
            "scheduler:DeleteSchedule",
            "scheduler:GetSchedule",
            "scheduler:ListSchedules",
            "scheduler:DeleteScheduleGroup",
            "scheduler:GetScheduleGroup",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Its group and name, as `GROUP/NAME`"),
        ("name", "Name in AWS"),
        ("arn", "Amazon resource name"),
        ("group", "Name of the stack's schedule group"),
    ];
    const ARN: Option<&'static str> = Some(group::ARN);
    const DELETE_RANK: u8 = 8;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let mut problems = self.tasks_network().check();
        problems.extend(capacity_share::check(&self.capacity));
        let mut problem = |field: &str, text: &str| {
            problems.push((vec![Step::Key(field.to_owned())], text.to_owned()));
        };
        if self.name.as_ref().is_some_and(|name| !is_name(name)) {
            let text = "a schedule's name is 1 to 64 letters, digits, `-`, `_` and `.`";
            problem("name", text);
        }
        if let Some(text) = expression::misfit(&self.expression) {
            problem("expression", &text);
        }
        if !(1..=10).contains(&self.task_count) {
            problem("task_count", "1 to 10 tasks are started");
        }
        if self.launch_type.is_some() && !self.capacity.is_empty() {
            problem("capacity", "give `launch_type` or `capacity`, not both");
        }
        if self.public_ip == Some(true) && self.launch() != Some("FARGATE") {
            let text = "the scheduler gives public addresses with the launch type `FARGATE` only";
            problem("public_ip", text);
        }
        let window = self.flexible_window_minutes;
        if window.is_some_and(|minutes| !(1..=1440).contains(&minutes)) {
            problem("flexible_window_minutes", "1 to 1440 minutes (a day)");
        }
        if !(0..=185).contains(&self.maximum_retry_attempts) {
            problem("maximum_retry_attempts", "0 to 185 attempts");
        }
        if !(60..=86400).contains(&self.maximum_event_age_seconds) {
            problem("maximum_event_age_seconds", "60 to 86400 seconds (a day)");
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

    fn cost(&self, _region: &str) -> Cost {
        Cost::by_use("tasks of schedules")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        match live {
            Some(live) => change::updated(self, cx, target, live).await,
            None => change::created(self, cx, target).await,
        }
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        change::deleted(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        listing::presence(cx, ids).await
    }
}

impl Schedule {
    /// The launch type that the scheduler is told.
    fn launch(&self) -> Option<&'static str> {
        match (self.launch_type, self.capacity.is_empty()) {
            (Some(launch), _) => Some(launch.word()),
            (None, true) => Some(LaunchType::Fargate.word()),
            (None, false) => None,
        }
    }

    fn tasks_network(&self) -> TaskNetwork<'_> {
        let on_fargate = self.launch() == Some("FARGATE");
        TaskNetwork {
            network: self.network.as_ref(),
            subnets: &self.subnets,
            security_groups: &self.security_groups,
            public_ip: self.public_ip.unwrap_or(on_fargate),
        }
    }

    fn aws_name(&self, target: Target<'_>) -> String {
        named::name_of(self.name.as_ref(), target)
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=64).contains(&name.len()) && name.chars().all(fits)
}
