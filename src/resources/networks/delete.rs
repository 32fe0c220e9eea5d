//! Deletes a network with its parts, tells who holds it while it cannot be, and proves it gone.

use std::time::Duration;

use aws_sdk_ec2::types::Filter;
use futures::future::try_join_all;

use super::{Gateway, Live, Network, listing, ours};
use crate::aws::ec2::{filter, is_unknown, tags_of};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Presence, Resource as _};
use crate::resources::presence::{merged, present};

/// Interfaces of terminated instances and deleted load balancers take minutes to go.
const DEADLINE: Duration = Duration::from_mins(10);

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let address = match live.tags.owner() {
        Some(owner) => owner.address,
        None => Address::new(Network::KIND, &live.id),
    };
    let subnets = live.subnets.iter();
    try_join_all(subnets.map(|it| subnet(cx, &address, &it.id))).await?;
    for it in &live.gateways {
        gateway(cx, &address, it).await?;
    }
    unseen_gateways(cx, &address, live).await?;
    for id in live.surplus.iter().chain([&live.id]) {
        vpc(cx, &address, id).await?;
    }
    Ok(())
}

/// Deletes what was made a moment before a run was killed, and was not visible when it was listed.
/// One that is attached is in use: by the network that has taken this one's place.
async fn unseen_gateways(cx: &Context, address: &Address, live: &Live) -> Result<()> {
    let found = listing::gateways(cx, ours(cx, address)).await?.into_iter();
    let loose = found.map(Gateway::from).filter(|it| it.vpc.is_none());
    for it in loose.filter(|it| live.gateways.iter().all(|known| known.id != it.id)) {
        let call = cx.aws.ec2.delete_internet_gateway();
        let done = call.internet_gateway_id(&it.id).send().await;
        match done.map_err(refused("ec2:DeleteInternetGateway")) {
            Err(error) if !is_unknown(&error) && !is_code(&error, "DependencyViolation") => {
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) async fn subnet(cx: &Context, address: &Address, id: &str) -> Result<()> {
    let delete = async || {
        let call = cx.aws.ec2.delete_subnet().subnet_id(id).send().await;
        call.map(drop).map_err(refused("ec2:DeleteSubnet"))
    };
    let inside = || filter("subnet-id", [id]);
    free(cx, address, &format!("subnet `{id}`"), inside, delete).await
}

/// Detaches and deletes a gateway. It cannot be detached while public addresses are in use.
pub(super) async fn gateway(cx: &Context, address: &Address, gateway: &Gateway) -> Result<()> {
    let (id, ec2) = (&gateway.id, &cx.aws.ec2);
    let what = format!("internet gateway `{id}`");
    if let Some(vpc) = &gateway.vpc {
        let detach = async || {
            let call = ec2.detach_internet_gateway();
            let call = call.internet_gateway_id(id).vpc_id(vpc).send().await;
            match call.map_err(refused("ec2:DetachInternetGateway")) {
                Err(error) if !is_code(&error, "Gateway.NotAttached") => Err(error),
                _ => Ok(()),
            }
        };
        let inside = || filter("vpc-id", [vpc]);
        free(cx, address, &what, inside, detach).await?;
    }
    let delete = async || {
        let call = ec2.delete_internet_gateway().internet_gateway_id(id);
        let done = call.send().await.map(drop);
        done.map_err(refused("ec2:DeleteInternetGateway"))
    };
    let inside = || filter("vpc-id", gateway.vpc.iter());
    free(cx, address, &what, inside, delete).await
}

pub(super) async fn vpc(cx: &Context, address: &Address, id: &str) -> Result<()> {
    let delete = async || {
        let call = cx.aws.ec2.delete_vpc().vpc_id(id).send().await;
        call.map(drop).map_err(refused("ec2:DeleteVpc"))
    };
    let inside = || filter("vpc-id", [id]);
    free(cx, address, &format!("network `{id}`"), inside, delete).await
}

/// Repeats `call` until nothing holds the thing any more; what is gone is done.
async fn free<R>(
    cx: &Context,
    address: &Address,
    what: &str,
    inside: impl Fn() -> Filter,
    call: impl Fn() -> R,
) -> Result<()>
where
    R: Future<Output = Result<()>>,
{
    let news = |text: &str| cx.progress.doing(address, text);
    let wait = Wait::new(format!("{what} to be free"), DEADLINE, &news);
    let done = wait.until(async || match call().await {
        Ok(()) => Ok(Poll::Ready(())),
        Err(error) if is_unknown(&error) => Ok(Poll::Ready(())),
        Err(error) if is_code(&error, "DependencyViolation") => {
            let holders = holders(cx, inside()).await?;
            if holders.iter().any(|holder| holder.stays) {
                return Err(held(what, &holders).hint(format!(
                    "remove what holds it, or keep the network: `tidewalk destroy --keep {address}`"
                )));
            }
            let words: Vec<_> = holders.into_iter().map(|holder| holder.what).collect();
            Ok(Poll::Pending(match words.as_slice() {
                [] => error.message().to_owned(),
                words => format!("held by {}", words.join(", ")),
            }))
        }
        Err(error) => Err(error),
    });
    match done.await {
        Err(error) if is_code(&error, "Timeout") => {
            let error = held(what, &holders(cx, inside()).await?);
            Err(error.hint("run the command again once they are gone"))
        }
        done => done,
    }
}

/// Something that keeps a part of the network from being deleted.
struct Holder {
    what: String,
    /// It does not go away by itself.
    stays: bool,
}

fn held(what: &str, holders: &[Holder]) -> Error {
    let error = Error::failed(format!("{what} cannot be deleted yet")).code("DependencyViolation");
    let notes = holders.iter().map(|it| format!("held by: {}", it.what));
    notes.fold(error, Error::note)
}

/// Network interfaces there, and in a whole VPC the security groups that are not its own.
async fn holders(cx: &Context, inside: Filter) -> Result<Vec<Holder>> {
    let whole = inside.name.as_deref() == Some("vpc-id");
    let call = cx.aws.ec2.describe_network_interfaces();
    let listed = call.filters(inside.clone()).send().await;
    let listed = listed.map_err(refused("ec2:DescribeNetworkInterfaces"))?;
    let mut holders = Vec::new();
    for interface in listed.network_interfaces.into_iter().flatten() {
        let id = interface.network_interface_id.unwrap_or_default();
        let instance = interface.attachment.and_then(|it| it.instance_id);
        let owner = tags_of(interface.tag_set).owner();
        let note = interface.description.filter(|text| !text.is_empty());
        let ours = owner.as_ref().is_some_and(|it| it.stack == cx.stack);
        let of = match (&instance, owner, note) {
            (_, Some(owner), _) => format!("{} of stack `{}`", owner.address, owner.stack),
            (Some(instance), None, _) => format!("of {instance}"),
            (None, None, Some(note)) => note,
            (None, None, None) => "unattached".to_owned(),
        };
        holders.push(Holder {
            what: format!("{id} ({of})"),
            stays: instance.is_some() && !ours,
        });
    }
    if whole {
        let call = cx.aws.ec2.describe_security_groups().filters(inside);
        let listed = call.send().await;
        let listed = listed.map_err(refused("ec2:DescribeSecurityGroups"))?;
        let groups = listed.security_groups.into_iter().flatten();
        let others = groups.filter(|group| group.group_name.as_deref() != Some("default"));
        holders.extend(others.map(|group| {
            let owner = tags_of(group.tags).owner();
            let ours = owner.is_some_and(|owner| owner.stack == cx.stack);
            let (id, name) = (group.group_id, group.group_name);
            let (id, name) = (id.unwrap_or_default(), name.unwrap_or_default());
            Holder {
                what: format!("security group {id} `{name}`"),
                stays: !ours,
            }
        }));
    }
    Ok(holders)
}

/// Each asked for among its own.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let of = |prefix: &str| -> Vec<String> {
        let its = ids.iter().filter(|id| id.starts_with(prefix));
        its.cloned().collect()
    };
    let [vpcs, subnets, gateways, tables] = ["vpc-", "subnet-", "igw-", "rtb-"].map(of);
    let exists = |id: Option<String>| (id.unwrap_or_default(), "exists".to_owned());
    let by = |key: &str, ids: Vec<String>| vec![filter(key, ids)];
    let answers = futures::join!(
        present(
            &vpcs,
            |ids| listing::vpcs(cx, by("vpc-id", ids)),
            |it| exists(it.vpc_id)
        ),
        present(
            &subnets,
            |ids| listing::subnets(cx, by("subnet-id", ids)),
            |it| exists(it.subnet_id)
        ),
        present(
            &gateways,
            |ids| listing::gateways(cx, by("internet-gateway-id", ids)),
            |it| exists(it.internet_gateway_id)
        ),
        present(
            &tables,
            |ids| listing::tables(cx, by("route-table-id", ids)),
            |it| exists(it.route_table_id)
        ),
    );
    let asked = [vpcs, subnets, gateways, tables].concat().into_iter();
    let (a, b, c, d) = answers;
    merged(ids, asked.zip([a, b, c, d].concat()))
}
