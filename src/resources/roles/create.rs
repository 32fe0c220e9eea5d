//! Makes a role, once.

use std::time::Duration;

use super::{Live, Role, listing};
use crate::aws::{Poll, Wait, iam, is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::apart::remembered;
use crate::resources::named;
use crate::resources::reference::PolicyName;

pub(super) async fn created(spec: &Role, cx: &Context, target: Target<'_>) -> Result<Live> {
    let name = spec.name(target);
    let news = |text: &str| cx.progress.doing(target.address, text);
    let boundary = match &spec.permissions_boundary {
        Some(policy) => Some(arn_of(policy, "permissions_boundary", target)?.to_owned()),
        None => None,
    };
    let tags = remembered(target, &[super::DESCRIBED]);
    let call = cx.aws.iam.create_role().role_name(&name);
    let call = call
        .path(iam::path(&cx.stack))
        .assume_role_policy_document(spec.trust().text())
        .max_session_duration(spec.max_session_hours * 3600)
        .set_description(spec.description.clone())
        .set_permissions_boundary(boundary.clone())
        .set_tags(Some(iam::sdk_tags(&tags.0)?));
    let what = format!("IAM to know what role `{name}` needs");
    let made = iam::settling(what, &news, || {
        let call = call.clone();
        async move { call.send().await.map_err(refused("iam:CreateRole")) }
    });
    let role = match made.await {
        Ok(made) => made.role,
        // An answer was lost, or somebody has a role of that name.
        Err(error) if is_code(&error, iam::EXISTS) => return existing(cx, target, &name).await,
        Err(error) => return Err(error),
    };
    Ok(Live {
        arn: role.map(|role| role.arn).unwrap_or_default(),
        description: spec.description.clone(),
        max_session_seconds: spec.max_session_hours * 3600,
        trust_policy: spec.trust(),
        permissions_boundary: boundary,
        tags,
        name,
        ..Live::default()
    })
}

/// The role of that name, if it is this one.
async fn existing(cx: &Context, target: Target<'_>, name: &str) -> Result<Live> {
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("role `{name}` to be visible");
    let told = iam::settling(what, &news, || async {
        let call = cx.aws.iam.get_role().role_name(name).send().await;
        call.map_err(refused("iam:GetRole"))
    });
    let role = told.await?.role;
    let tags = role.and_then(|role| role.tags).unwrap_or_default();
    named::must_be_ours("role", name, &iam::tags_of(&tags), target)?;
    let what = format!("role `{name}` to be listed");
    let wait = Wait::new(what, Duration::from_mins(1), &news);
    wait.until(async || {
        let mut listed = listing::own(cx).await?.into_iter();
        Ok(match listed.find(|live| live.name == name) {
            Some(live) => Poll::Ready(live),
            None => Poll::Pending("not there yet".to_owned()),
        })
    })
    .await
}

/// The ARN of a policy that `field` names.
pub(super) fn arn_of<'a>(
    policy: &'a PolicyName,
    field: &str,
    target: Target<'a>,
) -> Result<&'a str> {
    let at = target.node.entry(field).map_or(target.at, |node| &node.at);
    let missing = || Error::playbook(format!("policy `{}` does not exist", policy.0), at);
    policy.arn(target.world).ok_or_else(missing)
}
