//! What EC2 reports of VPCs and what belongs to them.

use aws_sdk_ec2::types::{Filter, InternetGateway, RouteTable, Subnet, Vpc};

use super::{EVERYWHERE, Gateway, Live, LiveSubnet};
use crate::aws::ec2::{filter, of_stack, tags_of};
use crate::aws::{refused, tags};
use crate::base::Result;
use crate::contract::Context;

/// Which parts of the VPCs are listed.
#[derive(Clone, Copy)]
pub(super) enum Parts {
    /// Those that carry the stack's tag, also where they are not attached yet.
    Owned,
    /// Whatever is in the VPC.
    All,
}

/// The networks whose VPC passes the filters: one call when there are none, else four.
pub(super) async fn networks(
    cx: &Context,
    filters: Vec<Filter>,
    parts: Parts,
) -> Result<Vec<Live>> {
    let found = vpcs(cx, filters).await?;
    let ids: Vec<_> = found.iter().filter_map(|vpc| vpc.vpc_id.clone()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let of = |key: &str| match parts {
        Parts::Owned => vec![of_stack(&cx.stack)],
        Parts::All => vec![filter(key, ids.clone())],
    };
    // The table that a VPC is born with has no tags at first.
    let main = vec![
        filter("vpc-id", ids.clone()),
        filter("association.main", ["true"]),
    ];
    let (subnets, gateways, tables) = futures::try_join!(
        subnets(cx, of("vpc-id")),
        gateways(cx, of("attachment.vpc-id")),
        tables(cx, main)
    )?;
    let network = |vpc: Vpc| {
        let mut live = Live::from(vpc);
        live.take_subnets(&subnets);
        live.take_gateways(&gateways);
        let is_its = |it: &&RouteTable| it.vpc_id.as_ref() == Some(&live.id);
        if let Some(table) = tables.iter().find(is_its) {
            live.take_table(table);
        }
        live
    };
    Ok(one_each(found.into_iter().map(network).collect()))
}

/// One for each owner, the one that got furthest first, with the others as its surplus.
fn one_each(mut found: Vec<Live>) -> Vec<Live> {
    found.sort_by_cached_key(|live| (std::cmp::Reverse(live.parts_count()), live.id.clone()));
    let mut kept: Vec<Live> = Vec::new();
    for live in found {
        let owner = live.tags.owner();
        let same = |other: &&mut Live| owner.is_some() && other.tags.owner() == owner;
        match kept.iter_mut().find(same) {
            Some(first) => first.surplus.push(live.id),
            None => kept.push(live),
        }
    }
    kept
}

impl From<Vpc> for Live {
    fn from(vpc: Vpc) -> Self {
        Self {
            id: vpc.vpc_id.unwrap_or_default(),
            cidr: vpc.cidr_block.unwrap_or_default(),
            tags: tags_of(vpc.tags),
            ..Self::default()
        }
    }
}

impl Live {
    fn parts_count(&self) -> usize {
        let attached = self
            .gateways
            .iter()
            .filter(|it| it.is_attached_to(&self.id));
        self.subnets.len() + attached.count()
    }

    pub(super) fn take_subnets(&mut self, subnets: &[Subnet]) {
        let its = subnets
            .iter()
            .filter(|it| it.vpc_id.as_ref() == Some(&self.id));
        self.subnets = its.cloned().map(LiveSubnet::from).collect();
        self.subnets
            .sort_by(|a, b| (&a.zone, &a.cidr).cmp(&(&b.zone, &b.cidr)));
    }

    /// Those attached to it, and those of the same owner that are attached to nothing.
    fn take_gateways(&mut self, gateways: &[InternetGateway]) {
        let owner = self.tags.owner();
        let read = gateways.iter().cloned().map(|gateway| {
            let theirs = tags_of(gateway.tags.clone()).owner();
            (Gateway::from(gateway), theirs)
        });
        let its = read.filter(|(gateway, theirs)| match &gateway.vpc {
            Some(vpc) => *vpc == self.id,
            None => owner.is_some() && *theirs == owner,
        });
        self.gateways = its.map(|(gateway, _)| gateway).collect();
        self.gateways
            .sort_by(|a, b| (a.vpc.is_none(), &a.id).cmp(&(b.vpc.is_none(), &b.id)));
    }

    pub(super) fn take_table(&mut self, table: &RouteTable) {
        self.route_table.clone_from(&table.route_table_id);
        self.table_tagged = tags_of(table.tags.clone()).value(tags::STACK).is_some();
        let routes = table.routes.iter().flatten();
        let mut out = routes.filter(|it| it.destination_cidr_block.as_deref() == Some(EVERYWHERE));
        self.route = out.next().map(|route| {
            let to = route.gateway_id.as_ref().or(route.nat_gateway_id.as_ref());
            to.cloned().unwrap_or_else(|| "something else".to_owned())
        });
    }
}

impl From<Subnet> for LiveSubnet {
    fn from(subnet: Subnet) -> Self {
        Self {
            id: subnet.subnet_id.unwrap_or_default(),
            zone: subnet.availability_zone.unwrap_or_default(),
            cidr: subnet.cidr_block.unwrap_or_default(),
            public: subnet.map_public_ip_on_launch.unwrap_or_default(),
        }
    }
}

impl From<InternetGateway> for Gateway {
    fn from(gateway: InternetGateway) -> Self {
        let mut attachments = gateway.attachments.into_iter().flatten();
        Self {
            id: gateway.internet_gateway_id.unwrap_or_default(),
            vpc: attachments.find_map(|attachment| attachment.vpc_id),
        }
    }
}

pub(super) async fn vpcs(cx: &Context, filters: Vec<Filter>) -> Result<Vec<Vpc>> {
    let call = cx.aws.ec2.describe_vpcs().set_filters(Some(filters));
    let pages = call.into_paginator().items().send();
    let listed: std::result::Result<Vec<_>, _> = pages.collect().await;
    listed.map_err(refused("ec2:DescribeVpcs"))
}

pub(super) async fn subnets(cx: &Context, filters: Vec<Filter>) -> Result<Vec<Subnet>> {
    let call = cx.aws.ec2.describe_subnets().set_filters(Some(filters));
    let pages = call.into_paginator().items().send();
    let listed: std::result::Result<Vec<_>, _> = pages.collect().await;
    listed.map_err(refused("ec2:DescribeSubnets"))
}

pub(super) async fn gateways(cx: &Context, filters: Vec<Filter>) -> Result<Vec<InternetGateway>> {
    let call = cx.aws.ec2.describe_internet_gateways();
    let call = call.set_filters(Some(filters));
    let pages = call.into_paginator().items().send();
    let listed: std::result::Result<Vec<_>, _> = pages.collect().await;
    listed.map_err(refused("ec2:DescribeInternetGateways"))
}

pub(super) async fn tables(cx: &Context, filters: Vec<Filter>) -> Result<Vec<RouteTable>> {
    let call = cx.aws.ec2.describe_route_tables();
    let call = call.set_filters(Some(filters));
    let pages = call.into_paginator().items().send();
    let listed: std::result::Result<Vec<_>, _> = pages.collect().await;
    listed.map_err(refused("ec2:DescribeRouteTables"))
}
