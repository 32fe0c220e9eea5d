//! Secrets as AWS tells them: the stack's by their tag, with all but the value; others one by one.

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, Tag};
use futures::future::try_join_all;

use super::{Live, NOT_FOUND};
use crate::aws::{Tags, is_code, refused, tags};
use crate::base::{Error, Result};
use crate::contract::Context;

/// What stands for the version in use.
const CURRENT: &str = "AWSCURRENT";

pub(super) async fn list(cx: &Context, external: &[String]) -> Result<Vec<Live>> {
    let others = external.iter().map(|name| async {
        let told = describe(cx, name).await?;
        // One that waits for its deletion is absence.
        let told = told.filter(|told| told.deleted_date.is_none());
        Ok::<_, Error>(told.map(|told| Live {
            known_as: Some(name.clone()),
            ..live(told)
        }))
    });
    let (own, others) = futures::try_join!(own(cx), try_join_all(others))?;
    let others: Vec<Live> = others.into_iter().flatten().collect();
    let is_other = |live: &Live| others.iter().any(|other| other.arn == live.arn);
    let own: Vec<Live> = own.into_iter().filter(|live| !is_other(live)).collect();
    Ok(own.into_iter().chain(others).collect())
}

async fn own(cx: &Context) -> Result<Vec<Live>> {
    let filter = |key, value: &str| Filter::builder().key(key).values(value).build();
    // The filters match beginnings, and not the same tag: whose a secret is, is told by its tags.
    let pages = cx.aws.secrets.list_secrets().max_results(100);
    let pages = pages
        .filters(filter(FilterNameStringType::TagKey, tags::STACK))
        .filters(filter(FilterNameStringType::TagValue, &cx.stack));
    let mut pages = pages.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(refused("secretsmanager:ListSecrets"))?;
        for told in page.secret_list.into_iter().flatten() {
            if told.deleted_date.is_some() {
                continue;
            }
            let versions = told.secret_versions_to_stages.into_iter().flatten();
            found.push(Live {
                arn: told.arn.unwrap_or_default(),
                name: told.name.unwrap_or_default(),
                known_as: None,
                description: told.description.unwrap_or_default(),
                key: told.kms_key_id,
                version: current(versions),
                tags: tags_of(told.tags),
            });
        }
    }
    found.retain(|live| live.tags.value(tags::STACK) == Some(&cx.stack));
    Ok(found)
}

pub(super) async fn describe(cx: &Context, id: &str) -> Result<Option<DescribeSecretOutput>> {
    let told = cx.aws.secrets.describe_secret().secret_id(id).send().await;
    match told.map_err(refused("secretsmanager:DescribeSecret")) {
        Err(error) if is_code(&error, NOT_FOUND) => Ok(None),
        told => told.map(Some),
    }
}

pub(super) fn live(told: DescribeSecretOutput) -> Live {
    let versions = told.version_ids_to_stages.into_iter().flatten();
    Live {
        arn: told.arn.unwrap_or_default(),
        name: told.name.unwrap_or_default(),
        known_as: None,
        description: told.description.unwrap_or_default(),
        key: told.kms_key_id,
        version: current(versions),
        tags: tags_of(told.tags),
    }
}

fn current(mut versions: impl Iterator<Item = (String, Vec<String>)>) -> Option<String> {
    let current = versions.find(|(_, stages)| stages.iter().any(|stage| stage == CURRENT));
    current.map(|(id, _)| id)
}

fn tags_of(tags: Option<Vec<Tag>>) -> Tags {
    let tags = tags.into_iter().flatten();
    Tags(
        tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
            .collect(),
    )
}
