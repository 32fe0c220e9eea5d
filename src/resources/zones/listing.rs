//! The account's hosted zones, listed once for all that ask at the same moment.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_route53::types::TagResourceType;

use super::creation::owner_in;
use crate::aws::{OnItsWay, Tags, refused};
use crate::base::Result;
use crate::contract::Context;

/// The most ids in one `ListTagsForResources`:
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListTagsForResources.html>.
const IDS_AT_ONCE: usize = 10;

/// A zone as `ListHostedZones` has it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Id, such as `Z0123456789ABCDEFGHIJ`.
    pub id: String,
    /// Domain, without a dot at the end.
    pub domain: String,
    /// The note that is kept with it.
    pub comment: String,
    /// Only its networks see it.
    pub private: bool,
    /// The `CallerReference` that it was made with.
    pub reference: String,
    /// How many record sets it has.
    pub records: i64,
}

/// Every hosted zone of the account.
///
/// # Errors
/// What AWS said.
pub async fn zones(cx: &Context) -> Result<Arc<Vec<Listed>>> {
    let shared = cx.aws.shared::<OnItsWay<Vec<Listed>>>();
    shared.ask(|| list(cx)).await
}

async fn list(cx: &Context) -> Result<Vec<Listed>> {
    let pages = cx.aws.route53.list_hosted_zones().into_paginator();
    let mut pages = pages.items().send();
    let mut listed = Vec::new();
    while let Some(zone) = pages.next().await {
        let zone = zone.map_err(refused("route53:ListHostedZones"))?;
        let config = zone.config;
        listed.push(Listed {
            id: plain_id(&zone.id).to_owned(),
            domain: plain(&zone.name),
            private: config.as_ref().is_some_and(|config| config.private_zone),
            comment: config.and_then(|it| it.comment).unwrap_or_default(),
            reference: zone.caller_reference,
            records: zone.resource_record_set_count.unwrap_or(i64::MAX),
        });
    }
    Ok(listed)
}

/// The tags of the zones that tidewalk made, which their references tell; of one that was not
/// tagged yet, what its reference says, and that it says so.
pub(super) async fn tags_of_ours(
    cx: &Context,
    listed: &[Listed],
) -> Result<HashMap<String, (Tags, bool)>> {
    let ours = listed.iter().filter(|zone| owner_in(zone).is_some());
    let ours: Vec<&Listed> = ours.collect();
    let ids: Vec<String> = ours.iter().map(|zone| zone.id.clone()).collect();
    let mut tags = tags_of(cx, &ids).await?;
    let its = |zone: &Listed| {
        let tags = tags.remove(&zone.id).unwrap_or_default();
        if tags.0.is_empty() {
            (owner_in(zone).unwrap_or_default(), true)
        } else {
            (tags, false)
        }
    };
    let ids = ids.iter().cloned();
    Ok(ids.zip(ours.into_iter().map(its)).collect())
}

async fn tags_of(cx: &Context, ids: &[String]) -> Result<HashMap<String, Tags>> {
    let mut all = HashMap::new();
    for some in ids.chunks(IDS_AT_ONCE) {
        let call = cx.aws.route53.list_tags_for_resources();
        let call = call.resource_type(TagResourceType::Hostedzone);
        let call = call.set_resource_ids(Some(some.to_vec())).send().await;
        let told = call.map_err(refused("route53:ListTagsForResources"))?;
        for set in told.resource_tag_sets {
            let tags = set.tags.into_iter().flatten();
            let tags = tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())));
            all.insert(set.resource_id.unwrap_or_default(), Tags(tags.collect()));
        }
    }
    Ok(all)
}

/// An id without the `/hostedzone/` that answers have before it.
pub(super) fn plain_id(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// A name as it is compared: no dot at the end, small letters, `\052` as `*`.
#[must_use]
pub fn plain(name: &str) -> String {
    let mut plain = String::new();
    let mut rest = name.strip_suffix('.').unwrap_or(name);
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let code = after.get(..3).map(|code| u8::from_str_radix(code, 8));
        if let Some(Ok(code)) = code {
            plain.push(char::from(code));
            rest = &after[3..];
        } else {
            plain.push('\\');
            rest = after;
        }
    }
    plain.push_str(rest);
    plain.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_their_escapes() {
        assert_eq!(plain("\\052.Example.COM."), "*.example.com");
        assert_eq!(plain("a\\b.c"), "a\\b.c");
    }
}
