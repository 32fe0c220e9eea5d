//! Changes of a bucket in place.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{
    BucketVersioningStatus, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging,
    VersioningConfiguration,
};

use super::creation::incomplete;
use super::{Bucket, Live, lifecycle};
use crate::aws::{Tags, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::kms_key::is_same;

/// Objects belong to the bucket's owner, and access lists mean nothing.
pub(super) const ENFORCED: &str = "BucketOwnerEnforced";

pub(super) async fn apply(
    bucket: &Bucket,
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
) -> Result<()> {
    tags(cx, live, target.tags).await?;
    block(cx, live, bucket.block_public_access).await?;
    ownership(cx, live).await?;
    encryption(bucket, cx, target, live).await?;
    versioning(cx, live, bucket.versioning).await?;
    expiry(bucket, cx, live).await?;
    policy(bucket, cx, live).await
}

/// S3 takes all tags at once, so other people's are written again.
pub(super) async fn tags(cx: &Context, live: &mut Live, wanted: &Tags) -> Result<()> {
    let before = live.tags.clone();
    live.tags.apply(wanted);
    if live.tags == before {
        return Ok(());
    }
    let tagging = Tagging::builder().set_tag_set(Some(sdk_tags(&live.tags.0)?));
    let tagging = tagging.build().map_err(incomplete)?;
    let call = cx.aws.s3.put_bucket_tagging().bucket(&live.name);
    let done = call.tagging(tagging).send().await;
    done.map_err(refused("s3:PutBucketTagging"))?;
    Ok(())
}

async fn block(cx: &Context, live: &mut Live, wanted: bool) -> Result<()> {
    if live.block_public_access == wanted {
        return Ok(());
    }
    let block = PublicAccessBlockConfiguration::builder()
        .block_public_acls(wanted)
        .ignore_public_acls(wanted)
        .block_public_policy(wanted)
        .restrict_public_buckets(wanted);
    let call = cx.aws.s3.put_public_access_block().bucket(&live.name);
    let call = call.public_access_block_configuration(block.build());
    let done = call.send().await;
    done.map_err(refused("s3:PutBucketPublicAccessBlock"))?;
    live.block_public_access = wanted;
    Ok(())
}

async fn ownership(cx: &Context, live: &mut Live) -> Result<()> {
    if live.object_ownership == ENFORCED {
        return Ok(());
    }
    let rule = OwnershipControlsRule::builder();
    let rule = rule.object_ownership(ObjectOwnership::BucketOwnerEnforced);
    let controls = OwnershipControls::builder().rules(rule.build().map_err(incomplete)?);
    let call = cx.aws.s3.put_bucket_ownership_controls().bucket(&live.name);
    let call = call.ownership_controls(controls.build().map_err(incomplete)?);
    let done = call.send().await;
    done.map_err(refused("s3:PutBucketOwnershipControls"))?;
    ENFORCED.clone_into(&mut live.object_ownership);
    Ok(())
}

async fn encryption(
    bucket: &Bucket,
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
) -> Result<()> {
    let wanted = match &bucket.key {
        None => None,
        Some(key) => {
            let missing = || Error::playbook(format!("key `{}` does not exist", key.0), target.at);
            Some(key.id(target.world).ok_or_else(missing)?.to_owned())
        }
    };
    let same = match (&wanted, &live.key) {
        (Some(wanted), Some(live)) => is_same(live, wanted),
        (None, None) => true,
        _ => false,
    };
    if same {
        return Ok(());
    }
    let by_default = ServerSideEncryptionByDefault::builder();
    let by_default = match &wanted {
        Some(key) => by_default
            .sse_algorithm(ServerSideEncryption::AwsKms)
            .kms_master_key_id(key),
        None => by_default.sse_algorithm(ServerSideEncryption::Aes256),
    };
    let by_default = by_default.build().map_err(incomplete)?;
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(by_default)
        // One call of KMS for many objects, not one for each.
        .bucket_key_enabled(wanted.is_some())
        .build();
    let rules = ServerSideEncryptionConfiguration::builder().rules(rule);
    let rules = rules.build().map_err(incomplete)?;
    let call = cx.aws.s3.put_bucket_encryption().bucket(&live.name);
    let done = call
        .server_side_encryption_configuration(rules)
        .send()
        .await;
    done.map_err(refused("s3:PutEncryptionConfiguration"))?;
    live.key = wanted;
    Ok(())
}

async fn versioning(cx: &Context, live: &mut Live, wanted: bool) -> Result<()> {
    if live.versioning == wanted {
        return Ok(());
    }
    let status = if wanted {
        BucketVersioningStatus::Enabled
    } else {
        BucketVersioningStatus::Suspended
    };
    let configuration = VersioningConfiguration::builder().status(status).build();
    let call = cx.aws.s3.put_bucket_versioning().bucket(&live.name);
    let done = call.versioning_configuration(configuration).send().await;
    done.map_err(refused("s3:PutBucketVersioning"))?;
    live.versioning = wanted;
    Ok(())
}

async fn expiry(bucket: &Bucket, cx: &Context, live: &mut Live) -> Result<()> {
    let (mut there, mut wanted) = (live.lifecycle.clone(), bucket.lifecycle.clone());
    there.sort();
    wanted.sort();
    if there == wanted && live.other_rules.is_empty() {
        return Ok(());
    }
    if let Some(configuration) = lifecycle::configuration(&wanted)? {
        let call = cx.aws.s3.put_bucket_lifecycle_configuration();
        let call = call
            .bucket(&live.name)
            .lifecycle_configuration(configuration);
        let done = call.send().await;
        done.map_err(refused("s3:PutLifecycleConfiguration"))?;
    } else {
        let call = cx.aws.s3.delete_bucket_lifecycle().bucket(&live.name);
        let done = call.send().await;
        done.map_err(refused("s3:PutLifecycleConfiguration"))?;
    }
    live.lifecycle = wanted;
    live.other_rules.clear();
    Ok(())
}

async fn policy(bucket: &Bucket, cx: &Context, live: &mut Live) -> Result<()> {
    if live.policy == bucket.policy {
        return Ok(());
    }
    if let Some(policy) = &bucket.policy {
        let call = cx.aws.s3.put_bucket_policy().bucket(&live.name);
        let done = call.policy(policy.text()).send().await;
        done.map_err(refused("s3:PutBucketPolicy"))?;
    } else {
        let call = cx.aws.s3.delete_bucket_policy().bucket(&live.name);
        let done = call.send().await;
        done.map_err(refused("s3:DeleteBucketPolicy"))?;
    }
    live.policy.clone_from(&bucket.policy);
    Ok(())
}

pub(super) fn sdk_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build();
    let tags: Result<Vec<_>, _> = tags.iter().map(tag).collect();
    tags.map_err(incomplete)
}
