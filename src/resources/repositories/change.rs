//! Changes of a repository in place.

use aws_sdk_ecr::types::ImageScanningConfiguration;

use super::document::Document;
use super::{Live, sdk_tags};
use crate::aws::{Tags, is_code, refused, tags};
use crate::base::{Error, Result};
use crate::contract::Context;

pub(super) async fn scanning(cx: &Context, live: &mut Live, wanted: bool) -> Result<()> {
    if live.scan_on_push == wanted {
        return Ok(());
    }
    let scanning = ImageScanningConfiguration::builder().scan_on_push(wanted);
    let call = cx.aws.ecr.put_image_scanning_configuration();
    let call = call.repository_name(&live.name);
    let done = call.image_scanning_configuration(scanning.build()).send();
    done.await
        .map_err(refused("ecr:PutImageScanningConfiguration"))?;
    live.scan_on_push = wanted;
    Ok(())
}

pub(super) async fn mutability(cx: &Context, live: &mut Live, immutable: bool) -> Result<()> {
    let wanted = super::mutability(immutable);
    if live.mutability == wanted.as_str() {
        return Ok(());
    }
    let call = cx.aws.ecr.put_image_tag_mutability();
    let call = call.repository_name(&live.name);
    let done = call.image_tag_mutability(wanted.clone()).send().await;
    done.map_err(refused("ecr:PutImageTagMutability"))?;
    wanted.as_str().clone_into(&mut live.mutability);
    Ok(())
}

pub(super) async fn lifecycle(
    cx: &Context,
    live: &mut Live,
    wanted: Option<Document>,
) -> Result<()> {
    if live.lifecycle_policy == wanted {
        return Ok(());
    }
    if let Some(policy) = &wanted {
        let call = cx.aws.ecr.put_lifecycle_policy();
        let call = call.repository_name(&live.name);
        let done = call.lifecycle_policy_text(policy.text()).send().await;
        done.map_err(refused("ecr:PutLifecyclePolicy"))?;
    } else {
        let call = cx.aws.ecr.delete_lifecycle_policy();
        let gone = call.repository_name(&live.name).send().await;
        let gone = gone.map_err(refused("ecr:DeleteLifecyclePolicy"));
        gone_already(gone, "LifecyclePolicyNotFoundException")?;
    }
    live.lifecycle_policy = wanted;
    Ok(())
}

pub(super) async fn policy(cx: &Context, live: &mut Live, wanted: Option<&Document>) -> Result<()> {
    if live.policy.as_ref() == wanted {
        return Ok(());
    }
    if let Some(policy) = wanted {
        let call = cx.aws.ecr.set_repository_policy();
        let call = call.repository_name(&live.name);
        let done = call.policy_text(policy.text()).send().await;
        done.map_err(refused("ecr:SetRepositoryPolicy"))?;
    } else {
        let call = cx.aws.ecr.delete_repository_policy();
        let gone = call.repository_name(&live.name).send().await;
        let gone = gone.map_err(refused("ecr:DeleteRepositoryPolicy"));
        gone_already(gone, "RepositoryPolicyNotFoundException")?;
    }
    live.policy = wanted.cloned();
    Ok(())
}

fn gone_already<T>(gone: Result<T, Error>, missing: &str) -> Result<()> {
    match gone {
        Err(error) if !is_code(&error, missing) => Err(error),
        _ => Ok(()),
    }
}

pub(super) async fn tags(cx: &Context, live: &mut Live, wanted: &Tags) -> Result<()> {
    let (set, unset) = tags::changes(&live.tags, wanted);
    if !set.is_empty() {
        let call = cx.aws.ecr.tag_resource().resource_arn(&live.arn);
        let done = call.set_tags(Some(sdk_tags(&set)?)).send().await;
        done.map_err(refused("ecr:TagResource"))?;
    }
    if !unset.is_empty() {
        let call = cx.aws.ecr.untag_resource().resource_arn(&live.arn);
        let done = call.set_tag_keys(Some(unset)).send().await;
        done.map_err(refused("ecr:UntagResource"))?;
    }
    live.tags.apply(wanted);
    Ok(())
}
