//! The internet gateway of a network, and the route to it.

use aws_sdk_ec2::types::ResourceType;

use super::{EVERYWHERE, Gateway, Live, delete, listing, ours};
use crate::aws::ec2::{filter, once_visible, specification, write_tags};
use crate::aws::{Poll, Tags, Wait, is_code, refused};
use crate::base::{Address, Result};
use crate::contract::{Context, Target};

/// Makes, attaches and routes to the gateway, and gives the rest back.
pub(super) async fn bring(
    cx: &Context,
    target: Target<'_>,
    live: &Live,
    tags: &Tags,
) -> Result<Live> {
    let mut live = live.clone();
    let (first, rest) = found_or_made(cx, target, &live, tags).await?;
    for other in rest {
        delete::gateway(cx, target.address, &other).await?;
    }
    if !first.is_attached_to(&live.id) {
        attach(cx, target.address, &first.id, &live.id).await?;
    }
    live.gateways = vec![Gateway {
        id: first.id,
        vpc: Some(live.id.clone()),
    }];
    let table = main_table(cx, target.address, &mut live).await?;
    if !live.table_tagged {
        write_tags(&cx.aws, std::slice::from_ref(&table), tags).await?;
    }
    route(cx, target.address, &live, &table).await?;
    Ok(live)
}

/// `CreateInternetGateway` takes no client token, and the SDK sends it again when an answer is
/// lost: several may come of it.
async fn found_or_made(
    cx: &Context,
    target: Target<'_>,
    live: &Live,
    tags: &Tags,
) -> Result<(Gateway, Vec<Gateway>)> {
    let list = async || {
        let listed = listing::gateways(cx, ours(cx, target.address)).await?;
        Ok::<Vec<_>, crate::base::Error>(listed.into_iter().map(Gateway::from).collect())
    };
    let mut found = live.gateways.clone();
    if found.is_empty() {
        found = list().await?;
    }
    if found.is_empty() {
        let call = cx.aws.ec2.create_internet_gateway();
        let call = call.tag_specifications(specification(ResourceType::InternetGateway, tags));
        let made = call.send().await;
        let made = made.map_err(refused("ec2:CreateInternetGateway"))?;
        found = list().await?;
        if found.is_empty() {
            found.extend(made.internet_gateway.map(Gateway::from));
        }
    }
    found.sort_by_key(|gateway| (!gateway.is_attached_to(&live.id), gateway.id.clone()));
    let mut found = found.into_iter();
    Ok((found.next().unwrap_or_default(), found.collect()))
}

async fn attach(cx: &Context, address: &Address, gateway: &str, vpc: &str) -> Result<()> {
    let attached = once_visible(
        |text: &str| cx.progress.doing(address, text),
        async || {
            let call = cx.aws.ec2.attach_internet_gateway();
            let call = call.internet_gateway_id(gateway).vpc_id(vpc);
            call.send()
                .await
                .map_err(refused("ec2:AttachInternetGateway"))
        },
    );
    match attached.await {
        // An earlier try, whose answer was lost: it is this network's gateway.
        Err(error) if is_code(&error, "Resource.AlreadyAssociated") => Ok(()),
        attached => attached.map(drop),
    }
}

/// The VPC's main route table, which it is born with.
async fn main_table(cx: &Context, address: &Address, live: &mut Live) -> Result<String> {
    if let Some(table) = &live.route_table {
        return Ok(table.clone());
    }
    let news = |text: &str| cx.progress.doing(address, text);
    let what = "the route table to be visible";
    let wait = Wait::new(what, std::time::Duration::from_mins(2), &news);
    let table = wait.until(async || {
        let filters = vec![
            filter("vpc-id", [&live.id]),
            filter("association.main", ["true"]),
        ];
        let found = listing::tables(cx, filters).await?.into_iter();
        let mut ids = found.filter_map(|table| table.route_table_id);
        Ok(match ids.next() {
            Some(id) => Poll::Ready(id),
            None => Poll::Pending("not there yet".to_owned()),
        })
    });
    let table = table.await?;
    live.route_table = Some(table.clone());
    Ok(table)
}

async fn route(cx: &Context, address: &Address, live: &Live, table: &str) -> Result<()> {
    let Some(gateway) = live.gateway() else {
        return Ok(());
    };
    if live.route.as_deref() == Some(gateway) {
        return Ok(());
    }
    let ec2 = &cx.aws.ec2;
    let made = once_visible(
        |text: &str| cx.progress.doing(address, text),
        async || {
            let call = ec2.create_route().route_table_id(table);
            let call = call.gateway_id(gateway).destination_cidr_block(EVERYWHERE);
            call.send().await.map_err(refused("ec2:CreateRoute"))
        },
    );
    match made.await {
        Err(error) if is_code(&error, "RouteAlreadyExists") => {
            let call = ec2.replace_route().route_table_id(table);
            let call = call.gateway_id(gateway).destination_cidr_block(EVERYWHERE);
            let done = call.send().await.map(drop);
            done.map_err(refused("ec2:ReplaceRoute"))
        }
        made => made.map(drop),
    }
}
