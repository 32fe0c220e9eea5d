//! Names of other resources in typed fields: `key_pair: de3`. They make the graph's edges.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{Address, Known, World};

/// The name of a key pair: declared in the playbook, or existing in the account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "key_pairs"))]
pub struct KeyPairName(pub String);

/// The name of a security group: declared in the playbook, or existing in the account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "security_groups"))]
pub struct SecurityGroupName(pub String);

/// The name of an instance: declared in the playbook, or the id of an existing one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "instances", "x-attaches" = true))]
pub struct AttachedInstanceName(pub String);

/// The playbook's name of the resource that has this AWS id, or the id where there is none.
#[must_use]
pub fn named<'a>(world: &'a World, kind: &str, id: &'a str) -> &'a str {
    let its = |(address, known): (&'a Address, &'a Known)| {
        let known = known.outputs.as_ref()?.text("id")?;
        (address.kind == kind && known == id).then_some(address.name.as_str())
    };
    world.0.iter().find_map(its).unwrap_or(id)
}
