//! What ECR tells of repositories: all in one listing, settings one at a time.

use aws_sdk_ecr::types;

use super::document::Document;
use super::{Live, NOT_FOUND};
use crate::aws::{Tags, is_code, refused};
use crate::base::{Error, Result};
use crate::contract::Context;

impl From<types::Repository> for Live {
    fn from(told: types::Repository) -> Self {
        let scanning = told.image_scanning_configuration;
        let mutability = told.image_tag_mutability;
        Self {
            name: told.repository_name.unwrap_or_default(),
            arn: told.repository_arn.unwrap_or_default(),
            uri: told.repository_uri.unwrap_or_default(),
            scan_on_push: scanning.is_some_and(|scanning| scanning.scan_on_push),
            mutability: mutability.map_or_else(String::new, |it| it.as_str().to_owned()),
            encryption_key: told.encryption_configuration.and_then(|it| it.kms_key),
            ..Self::default()
        }
    }
}

/// Every repository of the account and region, without settings and tags.
pub(super) async fn all(cx: &Context) -> Result<Vec<Live>> {
    let pages = cx.aws.ecr.describe_repositories().max_results(1000);
    let mut pages = pages.into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(told) = pages.next().await {
        all.push(Live::from(
            told.map_err(refused("ecr:DescribeRepositories"))?,
        ));
    }
    Ok(all)
}

pub(super) async fn one(cx: &Context, name: &str) -> Result<Option<Live>> {
    let call = cx.aws.ecr.describe_repositories().repository_names(name);
    match call
        .send()
        .await
        .map_err(refused("ecr:DescribeRepositories"))
    {
        Ok(told) => Ok(told
            .repositories
            .into_iter()
            .flatten()
            .next()
            .map(Live::from)),
        Err(error) if is_code(&error, NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn tags_of(cx: &Context, arn: &str) -> Result<Tags> {
    let call = cx.aws.ecr.list_tags_for_resource().resource_arn(arn);
    let told = call.send().await;
    let told = told.map_err(refused("ecr:ListTagsForResource"))?;
    let tags = told.tags.into_iter().flatten();
    Ok(Tags(tags.map(|tag| (tag.key, tag.value)).collect()))
}

/// Fills in what no listing has, where it is asked for: the lifecycle policy, and who else has
/// access.
pub(super) async fn settings(
    cx: &Context,
    live: &mut Live,
    with_lifecycle: bool,
    with_policy: bool,
) -> Result<()> {
    let name = live.name.as_str();
    let lifecycle = cx.aws.ecr.get_lifecycle_policy().repository_name(name);
    let policy = cx.aws.ecr.get_repository_policy().repository_name(name);
    let lifecycle = async {
        if !with_lifecycle {
            return Ok(None);
        }
        let told = lifecycle.send().await;
        let told = told.map_err(refused("ecr:GetLifecyclePolicy"));
        let told = known(told, "LifecyclePolicyNotFoundException")?;
        Ok::<_, Error>(told.and_then(|told| told.lifecycle_policy_text))
    };
    let policy = async {
        if !with_policy {
            return Ok(None);
        }
        let told = policy.send().await;
        let told = told.map_err(refused("ecr:GetRepositoryPolicy"));
        let told = known(told, "RepositoryPolicyNotFoundException")?;
        Ok(told.and_then(|told| told.policy_text))
    };
    let aliases = aliases(cx, live.encryption_key.as_deref());
    let (lifecycle, policy, aliases) = futures::try_join!(lifecycle, policy, aliases)?;
    live.lifecycle_policy = lifecycle.as_deref().map(Document::read);
    live.policy = policy.as_deref().map(Document::read);
    live.aliases = aliases;
    Ok(())
}

/// An answer, or nothing when there is no such policy or no repository any more.
fn known<T>(told: Result<T>, missing: &str) -> Result<Option<T>> {
    match told {
        Ok(told) => Ok(Some(told)),
        Err(error) if is_code(&error, missing) || is_code(&error, NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn aliases(cx: &Context, key: Option<&str>) -> Result<Vec<String>> {
    let Some(arn) = key.filter(|key| key.starts_with("arn:")) else {
        return Ok(Vec::new());
    };
    let mut pages = cx
        .aws
        .kms
        .list_aliases()
        .key_id(arn)
        .into_paginator()
        .items()
        .send();
    let mut names = Vec::new();
    while let Some(alias) = pages.next().await {
        match alias.map_err(refused("kms:ListAliases")) {
            Ok(alias) => names.extend(alias.alias_name),
            // The key is gone: it has no name.
            Err(error) if is_code(&error, "NotFoundException") => break,
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}
