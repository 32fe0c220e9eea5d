//! What sends requests to a service's tasks.

use std::borrow::Cow;

use aws_sdk_ecs::types;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::short::Expanded;
use crate::base::node::Step;
use crate::base::{Address, Diff, Error, Result, Shown, World};
use crate::contract::Target;
use crate::resources::load_balancers::Scheme;
use crate::resources::one_or_many::OneOrMany;
use crate::resources::reference::named;
use crate::resources::security_groups::peer::PeerName;
use crate::resources::target_groups::HealthCheck;

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
    /// The target group that its tasks are registered in: a name, or an ARN. Without it, a load
    /// balancer is made for the service, with a target group of the service's name and security groups
    /// of that name with `-balancer` and `-tasks`
    #[serde(default = "no_target_group")]
    #[schemars(with = "Option<TargetGroupOrArn>")]
    pub target_group: TargetGroupOrArn,
    /// The container that takes the requests; where it is not given, the only one with a port
    pub container: Option<String>,
    /// Port of the container; where it is not given, the only one that the container has
    #[schemars(range(min = 1))]
    pub container_port: Option<u16>,
    /// Of a load balancer of its own: port that it answers on. 80 if not given, or 443 with a
    /// `certificate`, to which port 80 then leads
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub port: Expanded<u16>,
    /// Of a load balancer of its own: certificate for HTTPS, by ARN or domain name, or a list of them
    #[serde(default)]
    pub certificate: Expanded<OneOrMany<String>>,
    /// Of a load balancer of its own: who may send requests, as in rules of security groups;
    /// `anywhere` if not given
    #[serde(default)]
    pub from: Expanded<OneOrMany<PeerName>>,
    /// Of a load balancer of its own: `internet-facing` (if not given), or `internal` for the network
    /// only
    #[serde(default)]
    pub scheme: Expanded<Scheme>,
    /// Of a load balancer of its own: how it finds out which tasks can answer
    #[serde(default)]
    pub health_check: Expanded<GracefulCheck>,
    /// Of a load balancer of its own: seconds that a task which is taken out may go on with its open
    /// requests, 0 to 3600; 30 if not given
    #[serde(default)]
    #[schemars(range(min = 0, max = 3600))]
    pub deregistration_delay_seconds: Expanded<i32>,
    /// Of a load balancer of its own: seconds that a connection may be silent, 1 to 4000; 60 if not
    /// given
    #[serde(default)]
    #[schemars(range(min = 1, max = 4000))]
    pub idle_timeout_seconds: Expanded<i32>,
}

fn no_target_group() -> TargetGroupOrArn {
    TargetGroupOrArn(String::new())
}

/// A health check, and how long it does not count for a new task.
#[derive(Clone, Debug)]
pub struct GracefulCheck;

impl JsonSchema for GracefulCheck {
    fn schema_name() -> Cow<'static, str> {
        "GracefulCheck".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = HealthCheck::json_schema(generator);
        let fields = schema.get_mut("properties").and_then(Json::as_object_mut);
        if let Some(fields) = fields {
            let text = "Seconds in which its verdict on a new task does not count; 0 if not given";
            let grace = json!({ "description": text, "type": "integer", "minimum": 0,
                "default": 0 });
            fields.insert("grace_seconds".to_owned(), grace);
            let text = "Seconds between two questions, 5 to 300; 10 if not given";
            fields["interval_seconds"]["description"] = text.into();
            fields["interval_seconds"]["default"] = 10.into();
        }
        schema
    }
}

impl LoadBalancer {
    /// What is wrong with it in its place in a service.
    pub(super) fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: Option<&str>| {
            let steps = ["load_balancer"].into_iter().chain(field);
            steps.map(|key| Step::Key(key.to_owned())).collect()
        };
        if self.target_group.0.is_empty() {
            let text = "a load balancer of its own is written out here: no expression can stand for \
                        all of it";
            return vec![(at(None), text.to_owned())];
        }
        let mut problems = Vec::new();
        let missing = [
            ("container", self.container.is_none()),
            ("container_port", self.container_port.is_none()),
        ];
        for (field, _) in missing.into_iter().filter(|(_, missing)| *missing) {
            let text = format!("which one takes the requests? Give `{field}`");
            problems.push((at(None), text));
        }
        let left = [
            ("port", self.port.is_left()),
            ("certificate", self.certificate.is_left()),
            ("from", self.from.is_left()),
            ("scheme", self.scheme.is_left()),
            ("health_check", self.health_check.is_left()),
            (
                "deregistration_delay_seconds",
                self.deregistration_delay_seconds.is_left(),
            ),
            ("idle_timeout_seconds", self.idle_timeout_seconds.is_left()),
        ];
        for (field, _) in left.into_iter().filter(|(_, is_left)| *is_left) {
            let text = "with a `target_group`, the target group and its load balancer say this";
            problems.push((at(Some(field)), text.to_owned()));
        }
        problems
    }
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
        Shown::option(new.and_then(|it| it.container.as_ref())),
    )
    .field(
        "load_balancer.container_port",
        Shown::option(old.map(|it| it.port)),
        Shown::option(new.and_then(|it| it.container_port)),
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
            .set_container_name(wanted.container.clone())
            .set_container_port(wanted.container_port.map(i32::from))
            .build())
    };
    wanted.into_iter().map(one).collect()
}
