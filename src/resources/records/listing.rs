//! Reading record sets of a zone, and finding the stack's among them.

use std::collections::HashMap;

use aws_sdk_route53::types::{ResourceRecordSet, RrType};

use super::place::{LABEL, Place, subtree};
use super::{Live, LiveAlias, companion};
use crate::aws::{Tags, is_code, refused, tags};
use crate::base::Result;
use crate::contract::Context;
use crate::resources::zones::listing::{Listed, plain};

/// The record sets that every zone has of itself: NS and SOA.
pub(super) const OWN_SETS: i64 = 2;
/// The most record sets in one page:
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html>.
const PAGE: i64 = 300;
/// No such zone.
pub(super) const NO_ZONE: &str = "NoSuchHostedZone";

/// What the stack owns in a zone. Small zones are read at once; of large ones the companions
/// first, which stand together, and the rest only when some are the stack's.
pub(super) async fn ours(cx: &Context, zone: &Listed) -> Result<Vec<Live>> {
    if zone.records > PAGE {
        let start = format!("{LABEL}.{}", zone.domain);
        let below = subtree(&zone.domain);
        let inside = |name: &str| name == start || name.ends_with(&below);
        let companions = list(cx, &zone.id, Some((&start, None)), &inside).await?;
        if of_stack(cx, zone, companions).is_empty() {
            return Ok(Vec::new());
        }
    }
    let all = list(cx, &zone.id, None, &|_| true).await?;
    Ok(of_stack(cx, zone, all))
}

fn of_stack(cx: &Context, zone: &Listed, sets: Vec<ResourceRecordSet>) -> Vec<Live> {
    let place = |set: &ResourceRecordSet| Place {
        zone: zone.id.clone(),
        domain: zone.domain.clone(),
        fqdn: plain(&set.name),
        r#type: set.r#type.as_str().to_owned(),
    };
    let sets: HashMap<Place, ResourceRecordSet> =
        sets.into_iter().map(|set| (place(&set), set)).collect();
    let mut found = Vec::new();
    for (place, companion) in &sets {
        let (Some(of), Some(tags)) = (place.of_companion(), tags_in(companion)) else {
            continue;
        };
        if tags.value(tags::STACK) == Some(&cx.stack) {
            found.push(live(&of, sets.get(&of), Some(companion), tags));
        }
    }
    found
}

/// The tags in a companion record.
pub(super) fn tags_in(set: &ResourceRecordSet) -> Option<Tags> {
    let mut values = set.resource_records.iter().flatten();
    values.find_map(|record| companion::read(&record.value))
}

/// The live view of a record and its companion.
pub(super) fn live(
    place: &Place,
    set: Option<&ResourceRecordSet>,
    companion: Option<&ResourceRecordSet>,
    tags: Tags,
) -> Live {
    let alias = set.and_then(|set| set.alias_target.as_ref());
    let values = set.iter().flat_map(|set| set.resource_records());
    Live {
        id: place.id(),
        zone: place.zone.clone(),
        domain: place.domain.clone(),
        fqdn: place.fqdn.clone(),
        r#type: place.r#type.clone(),
        ttl: set.and_then(|set| set.ttl),
        values: values.map(|record| record.value.clone()).collect(),
        alias: alias.map(|alias| LiveAlias {
            dns_name: plain(&alias.dns_name),
            zone_id: alias.hosted_zone_id.clone(),
            evaluate_target_health: alias.evaluate_target_health,
        }),
        tags,
        sets: set.into_iter().chain(companion).cloned().collect(),
    }
}

/// The record set at one place.
pub(super) async fn at(cx: &Context, place: &Place) -> Result<Option<ResourceRecordSet>> {
    let call = cx.aws.route53.list_resource_record_sets();
    let call = call
        .hosted_zone_id(&place.zone)
        .start_record_name(&place.fqdn)
        .start_record_type(RrType::from(place.r#type.as_str()))
        .max_items(1);
    let told = call
        .send()
        .await
        .map_err(refused("route53:ListResourceRecordSets"))?;
    let fits = |set: &ResourceRecordSet| {
        plain(&set.name) == place.fqdn && set.r#type.as_str() == place.r#type
    };
    Ok(told.resource_record_sets.into_iter().find(fits))
}

/// All record sets of a zone from `start` on, as long as names are `wanted`; none of a zone that is
/// gone.
pub(super) async fn list(
    cx: &Context,
    zone: &str,
    start: Option<(&str, Option<RrType>)>,
    wanted: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Vec<ResourceRecordSet>> {
    let mut next = start.map(|(name, kind)| (name.to_owned(), kind, None));
    let mut listed = Vec::new();
    loop {
        let mut call = cx.aws.route53.list_resource_record_sets();
        call = call.hosted_zone_id(zone);
        if let Some((name, kind, identifier)) = next {
            call = call.start_record_name(name).set_start_record_type(kind);
            call = call.set_start_record_identifier(identifier);
        }
        let told = match call.send().await {
            Ok(told) => told,
            Err(error) => {
                let error = refused("route53:ListResourceRecordSets")(error);
                return if is_code(&error, NO_ZONE) {
                    Ok(Vec::new())
                } else {
                    Err(error)
                };
            }
        };
        for set in told.resource_record_sets {
            if !wanted(&plain(&set.name)) {
                return Ok(listed);
            }
            listed.push(set);
        }
        next = match told.next_record_name {
            Some(name) if told.is_truncated => {
                Some((name, told.next_record_type, told.next_record_identifier))
            }
            _ => return Ok(listed),
        };
    }
}
