//! Changes of records: always together with their companions, in one batch that is done whole or
//! not at all.

use std::time::Duration;

use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecord,
    ResourceRecordSet, RrType,
};

use super::listing::{NO_ZONE, at, live, tags_in};
use super::place::{Place, fqdn};
use super::{Live, Record, companion, values};
use crate::aws::{Poll, Tags, Wait, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Target};

/// A batch that does not fit what is there: something exists already, or is not as it was told.
const MISFIT: &str = "InvalidChangeBatch";
/// Seconds that others may remember a companion.
const COMPANION_TTL: i64 = 300;

pub(super) async fn apply(
    record: &Record,
    cx: &Context,
    target: Target<'_>,
    before: Option<&Live>,
) -> Result<Live> {
    let place = record.place(target)?;
    let tags = companion::kept(target.tags);
    let set = record.set(&place, target)?;
    let its = companion_set(&place.companion(), &tags)?;
    let wanted = live(&place, Some(&set), Some(&its), tags);
    if before.is_some_and(|before| before.is_as(&wanted)) {
        return Ok(wanted);
    }
    // What is not ours yet is made, so that Route 53 itself refuses to touch another's.
    let action = match before {
        Some(_) => ChangeAction::Upsert,
        None => ChangeAction::Create,
    };
    let made = send(cx, &place.zone, &wanted.sets, &action).await;
    let change = match made {
        Err(error) if before.is_none() && is_code(&error, MISFIT) => {
            must_be_ours(cx, target, &place, error).await?;
            send(cx, &place.zone, &wanted.sets, &ChangeAction::Upsert).await?
        }
        made => made?,
    };
    in_sync(cx, target.address, &place, &change).await?;
    Ok(wanted)
}

/// After a refusal to make it: goes on when it is this resource's already, since an answer was
/// lost or the record was deleted by hand.
async fn must_be_ours(
    cx: &Context,
    target: Target<'_>,
    place: &Place,
    refusal: Error,
) -> Result<()> {
    let companion = at(cx, &place.companion()).await?;
    let owner = companion.as_ref().and_then(tags_in);
    let owner = owner.and_then(|tags| tags.owner());
    if owner.is_some() && owner == target.tags.owner() {
        return Ok(());
    }
    let whose = match owner {
        Some(owner) => format!("it is `{}` of stack `{}`", owner.address, owner.stack),
        None if at(cx, place).await?.is_none() => return Err(refusal),
        None => format!(
            "it has no companion `{}`, so it is not tidewalk's",
            place.companion().fqdn
        ),
    };
    let text = format!(
        "the {} record `{}` exists already",
        place.r#type, place.fqdn
    );
    Err(Error::failed(text)
        .note(whose)
        .hint("write another `name:`, or delete the other one"))
}

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let place = live.place();
    let owner = live.tags.owner();
    let mut sets = live.sets.clone();
    for last in [false, true] {
        if sets.is_empty() {
            return Ok(());
        }
        match send(cx, &place.zone, &sets, &ChangeAction::Delete).await {
            Ok(_) => return Ok(()),
            Err(error) if is_code(&error, NO_ZONE) => return Ok(()),
            Err(error) if last || !is_code(&error, MISFIT) => return Err(error),
            // An answer was lost, or somebody changed it since it was looked at.
            Err(_) => {
                let companion = at(cx, &place.companion()).await?;
                let record = at(cx, &place).await?;
                let its = companion.as_ref().and_then(tags_in);
                let ours = its.is_some_and(|tags| owner.is_some() && tags.owner() == owner);
                if !ours && record.is_some() {
                    let text = format!(
                        "the {} record `{}` has lost its companion: it is not deleted",
                        place.r#type, place.fqdn
                    );
                    return Err(Error::failed(text).hint("delete it by hand, if it may go"));
                }
                sets = companion
                    .filter(|_| ours)
                    .into_iter()
                    .chain(record)
                    .collect();
            }
        }
    }
    Ok(())
}

impl Live {
    /// It needs no change to be like `wanted`.
    fn is_as(&self, wanted: &Self) -> bool {
        let same_values = values::plain(&self.r#type, &self.values)
            == values::plain(&self.r#type, &wanted.values);
        let alias = self.alias == wanted.alias;
        same_values && alias && self.ttl == wanted.ttl && self.tags == wanted.tags
    }
}

impl Record {
    fn place(&self, target: Target<'_>) -> Result<Place> {
        let zone = &self.zone.0;
        let missing = || Error::playbook(format!("zone `{zone}` does not exist"), target.at);
        let id = target.world.id("zones", zone).ok_or_else(missing)?;
        let domain = target.world.output(&self.zone_address(), "domain");
        let domain = domain
            .and_then(serde_json::Value::as_str)
            .ok_or_else(missing)?;
        Ok(Place {
            zone: id.to_owned(),
            domain: domain.to_owned(),
            fqdn: fqdn(&self.name_in(target.address), domain),
            r#type: self.r#type.name().to_owned(),
        })
    }

    fn set(&self, place: &Place, target: Target<'_>) -> Result<ResourceRecordSet> {
        let Some(alias) = &self.alias else {
            return set(place, self.ttl, &values::written(self.r#type, &self.values));
        };
        let missing = || Error::playbook("what the alias leads to does not exist", target.at);
        let to = alias.target(target.world).ok_or_else(missing)?;
        let to = AliasTarget::builder()
            .dns_name(to.dns_name)
            .hosted_zone_id(to.zone_id)
            .evaluate_target_health(to.evaluate_target_health)
            .build()
            .map_err(incomplete)?;
        let set = ResourceRecordSet::builder().name(&place.fqdn);
        let set = set.r#type(RrType::from(place.r#type.as_str()));
        set.alias_target(to).build().map_err(incomplete)
    }
}

fn companion_set(place: &Place, tags: &Tags) -> Result<ResourceRecordSet> {
    set(place, COMPANION_TTL, &[companion::value(tags)])
}

fn set(place: &Place, ttl: i64, values: &[String]) -> Result<ResourceRecordSet> {
    let records = values
        .iter()
        .map(|value| ResourceRecord::builder().value(value).build())
        .collect::<Result<Vec<_>, _>>()
        .map_err(incomplete)?;
    ResourceRecordSet::builder()
        .name(&place.fqdn)
        .r#type(RrType::from(place.r#type.as_str()))
        .ttl(ttl)
        .set_resource_records(Some(records))
        .build()
        .map_err(incomplete)
}

/// Sends one batch; the id of the change.
async fn send(
    cx: &Context,
    zone: &str,
    sets: &[ResourceRecordSet],
    action: &ChangeAction,
) -> Result<String> {
    let change = |set: &ResourceRecordSet| {
        let change = Change::builder().action(action.clone());
        change.resource_record_set(set.clone()).build()
    };
    let changes: Result<Vec<_>, _> = sets.iter().map(change).collect();
    let batch = ChangeBatch::builder().set_changes(Some(changes.map_err(incomplete)?));
    let batch = batch.build().map_err(incomplete)?;
    let call = cx.aws.route53.change_resource_record_sets();
    let call = call.hosted_zone_id(zone).change_batch(batch).send().await;
    let done = call.map_err(refused("route53:ChangeResourceRecordSets"))?;
    Ok(done.change_info.map(|info| info.id).unwrap_or_default())
}

/// Waits until all of Route 53's name servers have the change.
async fn in_sync(cx: &Context, address: &Address, place: &Place, change: &str) -> Result<()> {
    if change.is_empty() {
        return Ok(());
    }
    let news = |text: &str| cx.progress.doing(address, text);
    let what = format!("`{}` to be on all name servers", place.fqdn);
    let wait = Wait::new(what, Duration::from_mins(5), &news);
    wait.until(async || {
        let told = cx.aws.route53.get_change().id(change).send().await;
        let told = told.map_err(refused("route53:GetChange"))?;
        Ok(match told.change_info.map(|info| info.status) {
            Some(ChangeStatus::Insync) => Poll::Ready(()),
            status => Poll::Pending(status.map_or("unknown".to_owned(), |it| it.to_string())),
        })
    })
    .await
}

/// Nothing that the builders require is ever missing.
fn incomplete(error: impl std::fmt::Display) -> Error {
    Error::failed(format!("the record is incomplete: {error}"))
}
