//! Networks that are as they were made, in two calls: their subnets, and their route tables, which
//! tell of the VPC (the local route) and of the internet gateway (the route to everywhere, active
//! while it is attached). Whatever is not so is looked at in full.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{RouteState, RouteTable, Subnet};

use super::listing::{subnets, tables};
use super::{ARN, EVERYWHERE, Gateway, Live};
use crate::aws::Tags;
use crate::aws::ec2::of_stack;
use crate::base::{Address, Result};
use crate::contract::{Context, Wanted};

/// The stack's networks, when the Tagging API lists all that are declared and each of them is
/// whole; `None` when they must be looked at in full, as before they are deleted.
pub(super) async fn networks(cx: &Context, wanted: &Wanted) -> Result<Option<Vec<Live>>> {
    if wanted.for_deletion {
        return Ok(None);
    }
    let tagged = wanted.tagged.named(&cx.aws, &cx.stack, ARN).await?;
    let mut told: BTreeMap<Address, (&str, &Tags)> = BTreeMap::new();
    for (id, one) in &tagged {
        if let Some(owner) = one.tags.owner() {
            told.insert(owner.address, (id, &one.tags));
        }
    }
    let mut declared = wanted.declared.iter();
    let all_told = declared.all(|(address, _)| told.contains_key(address));
    if told.is_empty() || told.len() < tagged.len() || !all_told {
        return Ok(None);
    }
    let ours = || vec![of_stack(&cx.stack)];
    let (subnets, tables) = futures::try_join!(subnets(cx, ours()), tables(cx, ours()))?;
    let of_told = |vpc: Option<&str>| told.values().any(|(id, _)| Some(*id) == vpc);
    let strange = subnets.iter().any(|it| !of_told(it.vpc_id.as_deref()))
        || tables.iter().any(|it| !of_told(it.vpc_id.as_deref()));
    if strange {
        return Ok(None);
    }
    let found = told.values();
    Ok(found
        .map(|(id, tags)| network(id, tags, &subnets, &tables))
        .collect())
}

fn network(vpc: &str, tags: &Tags, subnets: &[Subnet], tables: &[RouteTable]) -> Option<Live> {
    let mut its = tables.iter().filter(|it| it.vpc_id.as_deref() == Some(vpc));
    let (table, None) = (its.next()?, its.next()) else {
        return None;
    };
    let mut associations = table.associations.iter().flatten();
    if !associations.any(|it| it.main == Some(true)) {
        return None;
    }
    let mut live = Live {
        id: vpc.to_owned(),
        cidr: cidr(table)?.to_owned(),
        gateways: vec![Gateway {
            id: gateway(table)?.to_owned(),
            vpc: Some(vpc.to_owned()),
        }],
        tags: tags.clone(),
        ..Live::default()
    };
    live.take_subnets(subnets);
    live.take_table(table);
    let same = |subnet: &Subnet| crate::aws::ec2::tags_of(subnet.tags.clone()).owner();
    let mut its = subnets
        .iter()
        .filter(|it| it.vpc_id.as_deref() == Some(vpc));
    let owned = its.all(|subnet| same(subnet) == tags.owner());
    (owned && !live.subnets.is_empty()).then_some(live)
}

/// The VPC's own block: the one route that stays in it.
fn cidr(table: &RouteTable) -> Option<&str> {
    let routes = table.routes.iter().flatten();
    let mut local = routes.filter(|it| it.gateway_id.as_deref() == Some("local"));
    match (local.next(), local.next()) {
        (Some(route), None) => route.destination_cidr_block.as_deref(),
        _ => None,
    }
}

/// The internet gateway that is for everywhere else.
fn gateway(table: &RouteTable) -> Option<&str> {
    let mut routes = table.routes.iter().flatten();
    let out = routes.find(|it| it.destination_cidr_block.as_deref() == Some(EVERYWHERE))?;
    let attached = out.state == Some(RouteState::Active);
    let id = out.gateway_id.as_deref().filter(|_| attached)?;
    id.starts_with("igw-").then_some(id)
}
