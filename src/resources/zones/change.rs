//! Changes of a zone in place, and what keeps one from being deleted.

use std::collections::BTreeSet;

use aws_sdk_route53::types::{Tag, TagResourceType};

use super::Live;
use super::creation::vpc;
use super::listing::plain;
use crate::aws::{Tags, is_code, refused, tags};
use crate::base::{Error, Result};
use crate::contract::Context;

/// The most tags set, and the most removed, in one `ChangeTagsForResource`:
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html>.
const TAGS_AT_ONCE: usize = 10;
/// So many records are named as what holds a zone.
const NAMED: usize = 20;

pub(super) async fn tags(cx: &Context, live: &mut Live, wanted: &Tags) -> Result<()> {
    if std::mem::take(&mut live.untagged) {
        live.tags = Tags::default();
    }
    let (set, unset) = tags::changes(&live.tags, wanted);
    let set: Vec<Tag> = set
        .into_iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect();
    let mut set = set.chunks(TAGS_AT_ONCE);
    let mut unset = unset.chunks(TAGS_AT_ONCE);
    loop {
        let (set, unset) = (set.next(), unset.next());
        if set.is_none() && unset.is_none() {
            break;
        }
        let call = cx.aws.route53.change_tags_for_resource();
        let call = call.resource_type(TagResourceType::Hostedzone);
        let call = call.resource_id(&live.id);
        let call = call.set_add_tags(set.map(<[_]>::to_vec));
        let call = call.set_remove_tag_keys(unset.map(<[_]>::to_vec));
        let done = call.send().await;
        done.map_err(refused("route53:ChangeTagsForResource"))?;
    }
    live.tags.apply(wanted);
    Ok(())
}

pub(super) async fn comment(cx: &Context, live: &mut Live, wanted: &str) -> Result<()> {
    if live.comment == wanted {
        return Ok(());
    }
    let call = cx.aws.route53.update_hosted_zone_comment().id(&live.id);
    // Without one, Route 53 removes what was there.
    let call = call.set_comment(Some(wanted.to_owned()).filter(|it| !it.is_empty()));
    let done = call.send().await;
    done.map_err(refused("route53:UpdateHostedZoneComment"))?;
    wanted.clone_into(&mut live.comment);
    Ok(())
}

/// New ones first: a private zone always has one.
pub(super) async fn vpcs(cx: &Context, live: &mut Live, wanted: BTreeSet<String>) -> Result<()> {
    for id in wanted.iter().filter(|id| !live.vpcs.contains(id)) {
        let call = cx.aws.route53.associate_vpc_with_hosted_zone();
        let call = call.hosted_zone_id(&live.id).vpc(vpc(cx, id));
        let done = call.send().await;
        match done.map_err(refused("route53:AssociateVPCWithHostedZone")) {
            // An answer was lost, unless it is another zone of that domain.
            Err(error) if is_code(&error, "ConflictingDomainExists") => {
                if !sees(cx, &live.id, id).await? {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    for id in live.vpcs.iter().filter(|id| !wanted.contains(*id)) {
        let call = cx.aws.route53.disassociate_vpc_from_hosted_zone();
        let call = call.hosted_zone_id(&live.id).vpc(vpc(cx, id));
        let done = call.send().await;
        match done.map_err(refused("route53:DisassociateVPCFromHostedZone")) {
            Err(error) if !is_code(&error, "VPCAssociationNotFound") => return Err(error),
            _ => {}
        }
    }
    live.vpcs = wanted.into_iter().collect();
    Ok(())
}

async fn sees(cx: &Context, zone: &str, vpc: &str) -> Result<bool> {
    let told = cx.aws.route53.get_hosted_zone().id(zone).send().await;
    let told = told.map_err(refused("route53:GetHostedZone"))?;
    let mut vpcs = told.vpcs.into_iter().flatten();
    Ok(vpcs.any(|it| it.vpc_id.as_deref() == Some(vpc)))
}

/// The refusal to delete a zone, with the records that are still in it.
pub(super) async fn held(cx: &Context, live: &Live, refusal: Error) -> Error {
    let call = cx.aws.route53.list_resource_record_sets();
    let told = call.hosted_zone_id(&live.id).send().await;
    let Ok(told) = told else {
        return refusal;
    };
    let its_own = |name: &str, kind: &str| name == live.domain && ["NS", "SOA"].contains(&kind);
    let held: Vec<String> = told
        .resource_record_sets
        .iter()
        .map(|set| (plain(&set.name), set.r#type.as_str()))
        .filter(|(name, kind)| !its_own(name, kind))
        .map(|(name, kind)| format!("{kind} {name}"))
        .collect();
    let text = format!("the zone `{}` still has records", live.domain);
    let mut error = Error::failed(text).code("HostedZoneNotEmpty");
    for record in held.iter().take(NAMED) {
        error = error.note(format!("held by: {record}"));
    }
    if held.len() > NAMED || told.is_truncated {
        error = error.note("and more".to_owned());
    }
    error.hint("delete them, or keep the zone: `keep: true`")
}
