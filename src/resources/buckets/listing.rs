//! Reading buckets: the account's, and all that is managed of one.

use aws_sdk_s3::types::{BucketVersioningStatus, ServerSideEncryption};
use futures::future::{try_join, try_join5};

use super::lifecycle::Rule;
use super::{Live, arn};
use crate::aws::versions::NO_BUCKET;
use crate::aws::{Tags, is_code, refused};
use crate::base::Result;
use crate::contract::{Context, Wanted};
use crate::resources::named;
use crate::resources::policy_document::PolicyDocument;

/// Names of the account's buckets in this region.
pub(super) async fn names(cx: &Context) -> Result<Vec<String>> {
    let pages = cx.aws.s3.list_buckets().bucket_region(cx.aws.region());
    let mut pages = pages.max_buckets(10_000).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(refused("s3:ListAllMyBuckets"))?;
        let buckets = page.buckets.into_iter().flatten();
        names.extend(buckets.filter_map(|bucket| bucket.name));
    }
    Ok(names)
}

/// A bucket that is only named: nothing of it is compared.
pub(super) fn bare(cx: &Context, name: &str) -> Live {
    Live {
        name: name.to_owned(),
        region: cx.aws.region().to_owned(),
        ..Live::default()
    }
}

/// All that is managed of a bucket, all asked for at once; `None` when it is gone.
pub(super) async fn whole(cx: &Context, wanted: &Wanted, name: &str) -> Result<Option<Live>> {
    let arn = arn(cx.aws.region(), name);
    let ask = || async { Ok(tags(cx, name).await?.unwrap_or_default()) };
    let tags = named::tags(cx, wanted, &arn, ask);
    let looked = try_join(tags, Box::pin(settings(cx, name))).await;
    gone(looked.map(|(tags, live)| Some(Live { tags, ..live })))
}

/// A bucket without its tags.
pub(super) async fn settings(cx: &Context, name: &str) -> Result<Live> {
    let some = try_join5(
        versioning(cx, name),
        key(cx, name),
        block(cx, name),
        ownership(cx, name),
        lifecycle(cx, name),
    );
    let (some, policy) = try_join(Box::pin(some), policy(cx, name)).await?;
    let (versioning, key, block_public_access, object_ownership, (lifecycle, other_rules)) = some;
    Ok(Live {
        versioning,
        key,
        block_public_access,
        object_ownership,
        lifecycle,
        other_rules,
        policy,
        ..bare(cx, name)
    })
}

fn gone(looked: Result<Option<Live>>) -> Result<Option<Live>> {
    match looked {
        Err(error) if is_code(&error, NO_BUCKET) => Ok(None),
        looked => looked,
    }
}

/// A bucket's tags; `None` when there is no such bucket.
pub(super) async fn tags(cx: &Context, name: &str) -> Result<Option<Tags>> {
    let told = cx.aws.s3.get_bucket_tagging().bucket(name).send().await;
    match told.map_err(refused("s3:GetBucketTagging")) {
        Ok(told) => {
            let tags = told.tag_set.into_iter();
            Ok(Some(Tags(tags.map(|tag| (tag.key, tag.value)).collect())))
        }
        Err(error) if is_code(&error, "NoSuchTagSet") => Ok(Some(Tags::default())),
        Err(error) if is_code(&error, NO_BUCKET) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn versioning(cx: &Context, name: &str) -> Result<bool> {
    let told = cx.aws.s3.get_bucket_versioning().bucket(name).send().await;
    let told = told.map_err(refused("s3:GetBucketVersioning"))?;
    Ok(told.status == Some(BucketVersioningStatus::Enabled))
}

async fn key(cx: &Context, name: &str) -> Result<Option<String>> {
    let told = cx.aws.s3.get_bucket_encryption().bucket(name).send().await;
    let told = match told.map_err(refused("s3:GetEncryptionConfiguration")) {
        Ok(told) => told.server_side_encryption_configuration,
        Err(error) if is_code(&error, "ServerSideEncryptionConfigurationNotFoundError") => None,
        Err(error) => return Err(error),
    };
    let mut rules = told.map(|it| it.rules).unwrap_or_default().into_iter();
    let default = rules.find_map(|rule| rule.apply_server_side_encryption_by_default);
    let by_kms = default.filter(|it| it.sse_algorithm == ServerSideEncryption::AwsKms);
    Ok(by_kms.map(|it| it.kms_master_key_id.unwrap_or_else(|| "aws/s3".to_owned())))
}

async fn block(cx: &Context, name: &str) -> Result<bool> {
    let told = cx
        .aws
        .s3
        .get_public_access_block()
        .bucket(name)
        .send()
        .await;
    match told.map_err(refused("s3:GetBucketPublicAccessBlock")) {
        Ok(told) => Ok(told.public_access_block_configuration.is_some_and(|it| {
            let all = [
                it.block_public_acls,
                it.ignore_public_acls,
                it.block_public_policy,
                it.restrict_public_buckets,
            ];
            all.iter().all(|it| *it == Some(true))
        })),
        Err(error) if is_code(&error, "NoSuchPublicAccessBlockConfiguration") => Ok(false),
        Err(error) => Err(error),
    }
}

async fn ownership(cx: &Context, name: &str) -> Result<String> {
    let call = cx.aws.s3.get_bucket_ownership_controls().bucket(name);
    let told = call.send().await;
    let rules = match told.map_err(refused("s3:GetBucketOwnershipControls")) {
        Ok(told) => told.ownership_controls.map(|it| it.rules),
        Err(error) if is_code(&error, "OwnershipControlsNotFoundError") => None,
        Err(error) => return Err(error),
    };
    let rule = rules.into_iter().flatten().next();
    Ok(rule.map_or_else(
        || "ObjectWriter".to_owned(),
        |rule| rule.object_ownership.as_str().to_owned(),
    ))
}

async fn lifecycle(cx: &Context, name: &str) -> Result<(Vec<Rule>, Vec<String>)> {
    let call = cx.aws.s3.get_bucket_lifecycle_configuration().bucket(name);
    let rules = match call
        .send()
        .await
        .map_err(refused("s3:GetLifecycleConfiguration"))
    {
        Ok(told) => told.rules.unwrap_or_default(),
        Err(error) if is_code(&error, "NoSuchLifecycleConfiguration") => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut ours = Vec::new();
    let mut others = Vec::new();
    for rule in rules {
        match Rule::read(&rule) {
            Some(rule) => ours.push(rule),
            None => others.push(rule.id.unwrap_or_default()),
        }
    }
    Ok((ours, others))
}

async fn policy(cx: &Context, name: &str) -> Result<Option<PolicyDocument>> {
    let told = cx.aws.s3.get_bucket_policy().bucket(name).send().await;
    match told.map_err(refused("s3:GetBucketPolicy")) {
        Ok(told) => Ok(told.policy.as_deref().map(PolicyDocument::read)),
        Err(error) if is_code(&error, "NoSuchBucketPolicy") => Ok(None),
        Err(error) => Err(error),
    }
}
