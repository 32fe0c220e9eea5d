//! The networks that see a private zone: names of the playbook, or ids of VPCs.

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::base::{Error, Result, Shown, World};
use crate::contract::Target;
use crate::resources::reference::named;

/// The name of a network, or the id of a VPC (`vpc-…`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct VpcName(pub String);

impl JsonSchema for VpcName {
    fn schema_name() -> Cow<'static, str> {
        "VpcName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "the name of a network, or the id of a VPC (`vpc-…`)",
            "x-kind": "networks",
            "x-kind-unless": "^vpc-[0-9a-f]+$",
        })
    }
}

impl VpcName {
    fn id<'a>(&'a self, world: &'a World) -> Option<&'a str> {
        if self.0.starts_with("vpc-") {
            Some(&self.0)
        } else {
            world.id("networks", &self.0)
        }
    }
}

/// The ids of what is named.
///
/// # Errors
/// A playbook error when a network does not exist.
pub(super) fn ids(target: Target<'_>, names: &[VpcName]) -> Result<BTreeSet<String>> {
    let id = |name: &VpcName| {
        let missing = || Error::playbook(format!("network `{}` does not exist", name.0), target.at);
        let id = name.id(target.world).ok_or_else(missing)?;
        Ok(id.to_owned())
    };
    names.iter().map(id).collect()
}

/// VPCs in the playbook's words.
pub(super) fn shown(world: &World, vpcs: &[String]) -> Shown {
    let names = vpcs.iter().map(|id| named(world, "networks", id));
    Shown::list(names.collect::<BTreeSet<_>>())
}

/// The same of what is wanted; unknown while one does not exist.
pub(super) fn wanted(world: &World, names: &[VpcName]) -> Shown {
    let ids = names
        .iter()
        .map(|name| name.id(world).map(str::to_owned))
        .collect::<Option<Vec<_>>>();
    ids.map_or(Shown::AfterApply, |ids| shown(world, &ids))
}
