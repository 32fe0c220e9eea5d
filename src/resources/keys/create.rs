//! Makes a key, once. KMS has no client token: a request is not repeated before it was looked for
//! what it made.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_kms::config::Builder;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, Tag};

use super::{Key, Live, listing};
use crate::aws::{Poll, Tags, Wait, is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};

pub(super) async fn found_or_created(spec: &Key, cx: &Context, target: Target<'_>) -> Result<Live> {
    let tags = spec.tags(target);
    let mut call = cx.aws.kms.create_key();
    call = call
        .description(&spec.description)
        .key_spec(KeySpec::from(spec.key_spec.as_str()))
        .key_usage(KeyUsageType::from(spec.key_usage.as_str()))
        .multi_region(spec.multi_region)
        .set_policy(
            spec.policy
                .as_ref()
                .map(super::super::policy_document::PolicyDocument::text),
        )
        .set_tags(Some(sdk_tags(&tags)?));
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wait = Wait::new("the new key", Duration::from_mins(2), &news);
    wait.until(async || {
        if let Some(live) = made_before(cx, target).await? {
            return Ok(Poll::Ready(live));
        }
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let made = call.clone().customize().config_override(once).send().await;
        let made = match made.map_err(refused("kms:CreateKey")) {
            Err(error) if may_have_worked(&error) => {
                return Ok(Poll::Pending(error.message().to_owned()));
            }
            made => made?.key_metadata,
        };
        let made = made.ok_or_else(|| Error::failed("kms:CreateKey told of no key"))?;
        let arn = made.arn.unwrap_or_default();
        Ok(Poll::Ready(Live {
            alias: None,
            known_as: None,
            description: spec.description.clone(),
            key_spec: spec.key_spec.clone(),
            key_usage: spec.key_usage.clone(),
            multi_region: spec.multi_region,
            rotation_days: None,
            policy: spec.policy_of(&arn),
            tags: tags.clone(),
            id: made.key_id,
            arn,
        }))
    })
    .await
}

/// A key of this address that an earlier run or request made and gave no alias.
async fn made_before(cx: &Context, target: Target<'_>) -> Result<Option<Live>> {
    let aliases = listing::aliases(cx, None).await?;
    let aliased: BTreeSet<&String> = aliases.values().collect();
    let call = cx.aws.kms.list_keys().limit(1000);
    let mut keys = call.into_paginator().items().send();
    while let Some(key) = keys.next().await {
        let id = key.map_err(refused("kms:ListKeys"))?.key_id;
        let Some(id) = id.filter(|id| !aliased.contains(id)) else {
            continue;
        };
        let tags = listing::tags_of(cx, &id).await?;
        if tags.owner().is_none() || tags.owner() != target.tags.owner() {
            continue;
        }
        if let Some(mut live) = listing::describe(cx, id, &aliases).await? {
            live.tags = tags;
            return Ok(Some(live));
        }
    }
    Ok(None)
}

/// The answer does not tell whether a key was made, or says to try again.
fn may_have_worked(error: &Error) -> bool {
    let again = [
        "Unreachable",
        "ThrottlingException",
        "Throttling",
        "DependencyTimeoutException",
        "KMSInternalException",
        "InternalFailure",
        "InternalServerError",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    ];
    error.service_code().is_none() || again.iter().any(|code| is_code(error, code))
}

pub(super) fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>> {
    let tags = tags.0.iter().map(|(key, value)| {
        let tag = Tag::builder().tag_key(key).tag_value(value).build();
        tag.map_err(|error| Error::failed(format!("tag `{key}`: {error}")))
    });
    tags.collect()
}
