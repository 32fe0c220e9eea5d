//! Makes managed policies, once, and new versions of them.

use super::{Live, Policy, delete::Detached, listing};
use crate::aws::{done, iam, is_code, partition, refused, tags, unless};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::named;

pub(super) async fn created(spec: &Policy, cx: &Context, target: Target<'_>) -> Result<Live> {
    let name = named::name_of(spec.name.as_ref(), target);
    let call = cx.aws.iam.create_policy().policy_name(&name);
    let call = call
        .path(iam::path(&cx.stack))
        .policy_document(spec.document.text())
        .set_description(spec.description.clone())
        .set_tags(Some(iam::sdk_tags(&target.tags.0)?));
    let made = call.send().await.map_err(refused("iam:CreatePolicy"));
    let arn = match made {
        Ok(made) => made.policy.and_then(|policy| policy.arn),
        // An answer was lost, or somebody has a policy of that name.
        Err(error) if is_code(&error, iam::EXISTS) => return existing(cx, target, &name).await,
        Err(error) => return Err(error),
    };
    let arn = arn.unwrap_or_default();
    again_on_roles(cx, &arn).await?;
    Ok(Live {
        arn,
        name,
        description: spec.description.clone(),
        document: spec.document.clone(),
        tags: target.tags.clone(),
    })
}

/// The policy of that name, if it is this one.
async fn existing(cx: &Context, target: Target<'_>, name: &str) -> Result<Live> {
    let partition = partition(&cx.region);
    let path = iam::path(&cx.stack);
    let arn = format!("arn:{partition}:iam::{}:policy{path}{name}", cx.account);
    let news = |text: &str| cx.progress.doing(target.address, text);
    let found = iam::settling(format!("policy `{name}` to be visible"), &news, || async {
        let found = listing::describe(cx, &arn).await?;
        let missing = || Error::failed("not there yet").code(iam::NOT_FOUND);
        found.ok_or_else(missing)
    });
    let live = match found.await {
        // Names are the account's, whatever the path: it is in another one.
        Err(error) if is_code(&error, "Timeout") => {
            let text = format!("the policy `{name}` exists already, and is not in `{path}`");
            return Err(Error::failed(text).hint("write another `name:`, or delete the other one"));
        }
        found => found?,
    };
    named::must_be_ours("policy", name, &live.tags, target)?;
    again_on_roles(cx, &arn).await?;
    Ok(live)
}

/// The roles that lost the policy so that it could be made anew have it again.
async fn again_on_roles(cx: &Context, arn: &str) -> Result<()> {
    for role in cx.aws.shared::<Detached>().take(arn) {
        let call = cx.aws.iam.attach_role_policy();
        let call = call.role_name(&role).policy_arn(arn).send().await;
        unless(iam::NOT_FOUND, done("iam:AttachRolePolicy", call))?;
    }
    Ok(())
}

pub(super) async fn apply(
    spec: &Policy,
    cx: &Context,
    target: Target<'_>,
    mut live: Live,
) -> Result<Live> {
    if live.document != spec.document {
        match new_version(spec, cx, &live.arn).await {
            Err(error) if is_code(&error, "LimitExceeded") => {
                drop_oldest(cx, &live.arn).await?;
                new_version(spec, cx, &live.arn).await?;
            }
            made => made?,
        }
        live.document = spec.document.clone();
    }
    let (set, unset) = tags::changes(&live.tags, target.tags);
    if !set.is_empty() {
        let call = cx.aws.iam.tag_policy().policy_arn(&live.arn);
        let call = call.set_tags(Some(iam::sdk_tags(&set)?)).send().await;
        done("iam:TagPolicy", call)?;
    }
    if !unset.is_empty() {
        let call = cx.aws.iam.untag_policy().policy_arn(&live.arn);
        let call = call.set_tag_keys(Some(unset)).send().await;
        done("iam:UntagPolicy", call)?;
    }
    live.tags.apply(target.tags);
    Ok(live)
}

async fn new_version(spec: &Policy, cx: &Context, arn: &str) -> Result<()> {
    let call = cx.aws.iam.create_policy_version().policy_arn(arn);
    let call = call.policy_document(spec.document.text());
    done(
        "iam:CreatePolicyVersion",
        call.set_as_default(true).send().await,
    )
}

/// A policy has at most five versions: the oldest that is not in use makes room.
async fn drop_oldest(cx: &Context, arn: &str) -> Result<()> {
    let call = cx.aws.iam.list_policy_versions().policy_arn(arn);
    let listed = call.send().await;
    let listed = listed.map_err(refused("iam:ListPolicyVersions"))?.versions;
    let unused = listed.into_iter().flatten();
    let unused = unused.filter(|version| !version.is_default_version);
    let number = |id: &str| {
        id.trim_start_matches('v')
            .parse::<u64>()
            .unwrap_or(u64::MAX)
    };
    let ids = unused.filter_map(|version| version.version_id);
    if let Some(oldest) = ids.min_by_key(|id| number(id)) {
        let call = cx.aws.iam.delete_policy_version().policy_arn(arn);
        let call = call.version_id(oldest).send().await;
        unless(iam::NOT_FOUND, done("iam:DeletePolicyVersion", call))?;
    }
    Ok(())
}
