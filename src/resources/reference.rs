//! Names of other resources in typed fields: `key_pair: de3`. They make the graph's edges.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{Address, Error, Known, Result, Shown, World};
use crate::contract::Target;

macro_rules! names {
    ($($(#[$about:meta])* $name:ident = $kind:literal,)*) => {
        $($(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(extend("x-kind" = $kind))]
        pub struct $name(pub String);)*
    };
}

names! {
    /// The name of an AMI: declared in the playbook, or existing in the account.
    AmiName = "amis",
    /// The name of a bucket: declared in the playbook, or existing in the account.
    BucketName = "buckets",
    /// The name of a cluster: declared in the playbook, or existing in the account.
    ClusterName = "clusters",
    /// The name of a host: declared in the playbook.
    HostName = "hosts",
    /// The name of an instance: declared in the playbook, or existing in the account.
    InstanceName = "instances",
    /// The name of a KMS key: declared in the playbook, or existing in the account.
    KeyName = "keys",
    /// The name of a key pair: declared in the playbook, or existing in the account.
    KeyPairName = "key_pairs",
    /// The name of a launch template: declared in the playbook, or existing in the account.
    LaunchTemplateName = "launch_templates",
    /// The name of a load balancer: declared in the playbook, or existing in the account.
    LoadBalancerName = "load_balancers",
    /// The name of a log group: declared in the playbook, or existing in the account.
    LogGroupName = "log_groups",
    /// The name of a network: declared in the playbook, or existing in the account.
    NetworkName = "networks",
    /// The name of a parameter: declared in the playbook, or existing in the account.
    ParameterName = "parameters",
    /// The name of a repository: declared in the playbook, or existing in the account.
    RepositoryName = "repositories",
    /// The name of a role: declared in the playbook, or existing in the account.
    RoleName = "roles",
    /// The name of a secret: declared in the playbook, or existing in the account.
    SecretName = "secrets",
    /// The name of a security group: declared in the playbook, or existing in the account.
    SecurityGroupName = "security_groups",
    /// The name of a stream: declared in the playbook, or existing in the account.
    StreamName = "streams",
    /// The name of a target group: declared in the playbook, or existing in the account.
    TargetGroupName = "target_groups",
    /// The name of a task definition: declared in the playbook, or existing in the account.
    TaskDefinitionName = "task_definitions",
    /// The name of a topic: declared in the playbook, or existing in the account.
    TopicName = "topics",
    /// The name of a hosted zone: declared in the playbook, or existing in the account.
    ZoneName = "zones",
}

/// The name of an instance: declared in the playbook, or the id of an existing one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "instances", "x-attaches" = true))]
pub struct AttachedInstanceName(pub String);

/// The name of an IAM policy: declared in the playbook, or existing in the account or at AWS
/// (`IAMReadOnlyAccess`); or its ARN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "policies", "x-kind-unless" = "^arn:"))]
pub struct PolicyName(pub String);

impl PolicyName {
    /// Its ARN, once it is known.
    #[must_use]
    pub fn arn<'a>(&'a self, world: &'a World) -> Option<&'a str> {
        if self.0.starts_with("arn:") {
            Some(&self.0)
        } else {
            world.id("policies", &self.0)
        }
    }
}

/// The instance profile of a role of the playbook, by the role's name; else the name of an existing
/// role or instance profile, or the ARN of an instance profile.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "roles", "x-kind-unless" = "^arn:"))]
pub struct InstanceProfileName(pub String);

impl InstanceProfileName {
    /// The name of the instance profile, once it is known.
    #[must_use]
    pub fn name<'a>(&'a self, world: &'a World) -> Option<&'a str> {
        if self.0.starts_with("arn:") {
            return self.0.rsplit('/').next();
        }
        let role = Address::new("roles", &self.0);
        world.output(&role, "instance_profile")?.as_str()
    }
}

/// The playbook's name of the resource that has this AWS id, or the id where there is none.
#[must_use]
pub fn named<'a>(world: &'a World, kind: &str, id: &'a str) -> &'a str {
    let its = |(address, known): (&'a Address, &'a Known)| {
        let known = known.outputs.as_ref()?.text("id")?;
        (address.kind == kind && known == id).then_some(address.name.as_str())
    };
    world.0.iter().find_map(its).unwrap_or(id)
}

/// What has these ids, by the playbook's names, sorted.
#[must_use]
pub fn ids_shown(world: &World, kind: &str, ids: &[String]) -> Shown {
    let mut names: Vec<_> = ids.iter().map(|id| named(world, kind, id)).collect();
    names.sort_unstable();
    names.dedup();
    Shown::list(names)
}

/// What these names refer to, written as [`ids_shown`] does; known after apply while one of them
/// does not exist.
#[must_use]
pub fn names_shown<'a>(
    world: &World,
    kind: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Shown {
    let ids = names
        .into_iter()
        .map(|name| world.id(kind, name).map(str::to_owned));
    match ids.collect::<Option<Vec<_>>>() {
        Some(ids) => ids_shown(world, kind, &ids),
        None => Shown::AfterApply,
    }
}

/// The ids of what these names refer to, sorted; `noun` is what AWS calls one.
///
/// # Errors
/// A playbook error when one does not exist.
pub fn ids_of<'a>(
    target: Target<'_>,
    kind: &str,
    noun: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>> {
    let id = |name: &str| {
        let id = target.world.id(kind, name).map(str::to_owned);
        let missing = || Error::playbook(format!("{noun} `{name}` does not exist"), target.at);
        id.ok_or_else(missing)
    };
    let mut ids = names.into_iter().map(id).collect::<Result<Vec<_>>>()?;
    ids.sort();
    ids.dedup();
    Ok(ids)
}
