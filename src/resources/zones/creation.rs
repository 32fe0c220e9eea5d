//! Making a zone once, whatever answers are lost: by its `CallerReference`, which also tells whose
//! it is until it is tagged.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_route53::types::{HostedZoneConfig, Vpc, VpcRegion};

use super::listing::{Listed, plain_id, tags_of_ours, zones};
use super::{Live, Zone, describe};
use crate::aws::{Poll, Tags, Wait, client_token, is_code, refused, tags};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Target};

const BEGIN: &str = "tidewalk";
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html>.
const LONGEST: usize = 128;
/// A reference is used up with the zone that it made: so many zones of one address may have come
/// and gone.
const GENERATIONS: usize = 50;

/// `tidewalk|STACK|ADDRESS|GENERATION`; a hash where that is too long.
fn reference(cx: &Context, address: &Address, generation: usize) -> String {
    let written = tags::written_address(address);
    let clear = format!("{BEGIN}|{}|{written}|{generation}", cx.stack);
    if clear.len() <= LONGEST {
        return clear;
    }
    let token = client_token(&cx.account, &cx.stack, &written, generation);
    format!("{BEGIN}|{token}")
}

/// The ownership that a zone's reference tells; none that can be read where it is a hash. `None`
/// for a zone that tidewalk did not make.
pub(super) fn owner_in(zone: &Listed) -> Option<Tags> {
    let told = zone.reference.strip_prefix(BEGIN)?.strip_prefix('|')?;
    let mut parts = told.split('|');
    let mut owner = BTreeMap::new();
    if let (Some(stack), Some(address), Some(_)) = (parts.next(), parts.next(), parts.next()) {
        owner.insert(tags::STACK.to_owned(), stack.to_owned());
        owner.insert(tags::ADDRESS.to_owned(), address.to_owned());
    }
    Some(Tags(owner))
}

impl Zone {
    pub(super) async fn created(
        &self,
        cx: &Context,
        target: Target<'_>,
        vpcs: &BTreeSet<String>,
    ) -> Result<Live> {
        for generation in 0..GENERATIONS {
            let reference = reference(cx, target.address, generation);
            let config = HostedZoneConfig::builder()
                .set_comment(Some(self.comment.clone()).filter(|it| !it.is_empty()))
                .private_zone(self.is_private())
                .build();
            let call = cx.aws.route53.create_hosted_zone();
            let call = call.name(self.domain(target.address));
            let call = call.caller_reference(&reference).hosted_zone_config(config);
            let call = call.set_vpc(vpcs.first().map(|id| vpc(cx, id)));
            match call
                .send()
                .await
                .map_err(refused("route53:CreateHostedZone"))
            {
                Ok(made) => {
                    let zone = made.hosted_zone;
                    let id = zone.as_ref().map_or("", |zone| plain_id(&zone.id));
                    let delegation = made.delegation_set;
                    return Ok(Live {
                        id: id.to_owned(),
                        domain: self.domain(target.address),
                        comment: self.comment.clone(),
                        private: self.is_private(),
                        vpcs: vpcs.first().cloned().into_iter().collect(),
                        name_servers: delegation.map(|it| it.name_servers).unwrap_or_default(),
                        ..Live::default()
                    });
                }
                // An answer was lost, or the reference is used up.
                Err(error) if is_code(&error, "HostedZoneAlreadyExists") => {
                    if let Some(live) = made_before(cx, target, &reference).await? {
                        return Ok(live);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        let text = format!("{GENERATIONS} zones of this address came and went already");
        Err(Error::failed(text).hint("use another name for it in the playbook"))
    }
}

pub(super) fn vpc(cx: &Context, id: &str) -> Vpc {
    let region = VpcRegion::from(cx.aws.region());
    Vpc::builder().vpc_id(id).vpc_region(region).build()
}

/// The zone that a lost call with this reference made. It may take a moment to be seen.
async fn made_before(cx: &Context, target: Target<'_>, reference: &str) -> Result<Option<Live>> {
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wait = Wait::new("the zone to be seen", Duration::from_secs(8), &news);
    let wait = wait.every(Duration::from_millis(250), Duration::from_secs(2));
    let seen = wait.until(async || {
        let listed = zones(cx).await?;
        let mut listed = listed.iter();
        let found = listed.find(|zone| zone.reference == reference);
        Ok(match found {
            Some(zone) => Poll::Ready(zone.clone()),
            None => Poll::Pending("not listed".to_owned()),
        })
    });
    let zone = match seen.await {
        Ok(zone) => zone,
        Err(error) if is_code(&error, "Timeout") => return Ok(None),
        Err(error) => return Err(error),
    };
    let tags = tags_of_ours(cx, std::slice::from_ref(&zone)).await?;
    let (tags, untagged) = tags.get(&zone.id).cloned().unwrap_or_default();
    // The one that it is about to replace has another address by now.
    let ours = tags.0.is_empty() || tags.owner() == target.tags.owner();
    let live = describe(cx, &zone).await?.filter(|_| ours);
    Ok(live.map(|live| Live {
        tags,
        untagged,
        ..live
    }))
}
