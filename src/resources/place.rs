//! Where in the network something is made: in a network of the playbook, or in the region's
//! default VPC.

use aws_sdk_ec2::types::Subnet;
use tokio::sync::OnceCell;

use super::reference::{NetworkName, named};
use crate::aws::ec2::filter;
use crate::aws::refused;
use crate::base::{Address, Diff, Error, Result, Shown, World};
use crate::contract::{Context, Target};

/// The actions that [`place`] may call.
pub const ACTIONS: [&str; 2] = ["ec2:DescribeVpcs", "ec2:DescribeSubnets"];

/// A VPC and its subnets, one or more for each zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Id of the VPC.
    pub vpc: String,
    /// Ids of its subnets, ordered by zone.
    pub subnets: Vec<String>,
    /// The same with their zones, where they were looked up.
    pub zoned: Vec<Zoned>,
}

/// A subnet in its zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zoned {
    /// Availability zone, such as `eu-west-1a`.
    pub zone: String,
    /// AWS made it as the default one of its zone.
    pub of_aws: bool,
    /// Id.
    pub id: String,
}

impl From<Subnet> for Zoned {
    fn from(subnet: Subnet) -> Self {
        Self {
            zone: subnet.availability_zone.unwrap_or_default(),
            of_aws: subnet.default_for_az == Some(true),
            id: subnet.subnet_id.unwrap_or_default(),
        }
    }
}

#[derive(Default)]
struct DefaultPlace(OnceCell<Option<Place>>);

/// The place that a spec's `network:` names; without it, the default VPC with its default subnets,
/// looked up once a run.
///
/// # Errors
/// A playbook error when the network does not exist (yet), or the region has no default VPC.
pub async fn place(
    cx: &Context,
    target: Target<'_>,
    network: Option<&NetworkName>,
) -> Result<Place> {
    if let Some(NetworkName(name)) = network {
        let address = Address::new("networks", name);
        let missing = || Error::playbook(format!("network `{name}` does not exist"), target.at);
        let vpc = target.world.id("networks", name).ok_or_else(missing)?;
        let ids = target.world.output(&address, "subnet_ids");
        let ids = ids.and_then(|ids| ids.as_array()).into_iter().flatten();
        return Ok(Place {
            vpc: vpc.to_owned(),
            subnets: ids
                .filter_map(|id| id.as_str().map(str::to_owned))
                .collect(),
            zoned: Vec::new(),
        });
    }
    let known = cx.aws.shared::<DefaultPlace>();
    let place = known.0.get_or_try_init(|| default_vpc(cx)).await?;
    place.clone().ok_or_else(|| {
        Error::playbook(format!("{} has no default VPC", cx.aws.region()), target.at)
            .hint("declare a network (`networks: { main: {} }`) and name it here (`network: main`)")
    })
}

/// Adds `network` where what is there, in `vpc`, should be in another one: it can only be made anew
/// there. Which VPC is the default one is not looked up for it: what names no network may be in any
/// that the playbook does not name.
#[must_use]
pub fn diff(diff: Diff, vpc: &str, network: Option<&NetworkName>, world: &World) -> Diff {
    let there = named(world, "networks", vpc);
    let new = match network {
        Some(NetworkName(name)) => match world.id("networks", name) {
            Some(id) if id == vpc => return diff,
            Some(_) => Shown::of(name),
            None => Shown::AfterApply,
        },
        None if there == vpc => return diff,
        None => Shown::Absent,
    };
    diff.fixed("network", Shown::of(there), new)
}

async fn default_vpc(cx: &Context) -> Result<Option<Place>> {
    let vpcs = cx.aws.ec2.describe_vpcs();
    let vpcs = vpcs.filters(filter("is-default", ["true"])).send().await;
    let vpcs = vpcs.map_err(refused("ec2:DescribeVpcs"))?.vpcs;
    let first = vpcs.into_iter().flatten().next();
    let Some(vpc) = first.and_then(|vpc| vpc.vpc_id) else {
        return Ok(None);
    };
    let subnets = cx.aws.ec2.describe_subnets();
    let subnets = subnets.filters(filter("vpc-id", [&vpc])).send().await;
    let subnets = subnets.map_err(refused("ec2:DescribeSubnets"))?.subnets;
    let mut zoned: Vec<Zoned> = subnets.into_iter().flatten().map(Zoned::from).collect();
    zoned.sort_by(|a, b| (&a.zone, &a.id).cmp(&(&b.zone, &b.id)));
    let subnets = zoned.iter().map(|subnet| subnet.id.clone());
    Ok(Some(Place {
        vpc,
        subnets: subnets.collect(),
        zoned,
    }))
}
