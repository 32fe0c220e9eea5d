//! Managed policies as IAM tells them: the stack's own by their path, others by name.

use aws_sdk_iam::types::PolicyScopeType;

use super::Live;
use crate::aws::{iam, is_code, partition, refused};
use crate::base::Result;
use crate::contract::{Context, Wanted};
use crate::resources::policy_document::PolicyDocument;

/// Where AWS keeps its own policies.
const PATHS: [&str; 3] = ["", "service-role/", "job-function/"];

/// ARNs of all that the stack has: before its end with the roles, in one listing.
pub(super) async fn own(cx: &Context, wanted: &Wanted) -> Result<Vec<String>> {
    if wanted.for_deletion && wanted.in_use.contains("roles") {
        let account = iam::everything(&cx.aws, &cx.stack).await?;
        return Ok(account.policies.clone());
    }
    let pages = cx.aws.iam.list_policies().scope(PolicyScopeType::Local);
    let pages = pages.path_prefix(iam::path(&cx.stack)).max_items(1000);
    let mut policies = pages.into_paginator().items().send();
    let mut arns = Vec::new();
    while let Some(policy) = policies.next().await {
        arns.extend(policy.map_err(refused("iam:ListPolicies"))?.arn);
    }
    Ok(arns)
}

/// A policy with its document; AWS tells the document of one version at a time.
pub(super) async fn describe(cx: &Context, arn: &str) -> Result<Option<Live>> {
    let Some((mut live, version)) = without_document(cx, arn).await? else {
        return Ok(None);
    };
    let call = cx.aws.iam.get_policy_version().policy_arn(arn);
    let told = call.version_id(version).send().await;
    let told = match told.map_err(refused("iam:GetPolicyVersion")) {
        Err(error) if is_code(&error, iam::NOT_FOUND) => return Ok(None),
        told => told?,
    };
    let text = told.policy_version.and_then(|version| version.document);
    live.document = PolicyDocument::read(&text.unwrap_or_default());
    Ok(Some(live))
}

/// An existing policy of that name: of AWS, or of the account.
pub(super) async fn named(cx: &Context, name: &str) -> Result<Option<Live>> {
    let partition = partition(&cx.region);
    let of_aws = PATHS.iter();
    let of_aws = of_aws.map(|path| format!("arn:{partition}:iam::aws:policy/{path}{name}"));
    let own = format!("arn:{partition}:iam::{}:policy/{name}", cx.account);
    for arn in of_aws.chain([own]) {
        if let Some((live, _)) = without_document(cx, &arn).await? {
            return Ok(Some(live));
        }
    }
    Ok(None)
}

async fn without_document(cx: &Context, arn: &str) -> Result<Option<(Live, String)>> {
    let told = cx.aws.iam.get_policy().policy_arn(arn).send().await;
    let told = match told.map_err(refused("iam:GetPolicy")) {
        Err(error) if is_code(&error, iam::NOT_FOUND) => return Ok(None),
        told => told?,
    };
    Ok(told.policy.map(|policy| {
        let live = Live {
            arn: arn.to_owned(),
            name: policy.policy_name.unwrap_or_default(),
            description: policy.description.filter(|text| !text.is_empty()),
            document: PolicyDocument::default(),
            tags: iam::tags_of(&policy.tags.unwrap_or_default()),
        };
        (live, policy.default_version_id.unwrap_or_default())
    }))
}
