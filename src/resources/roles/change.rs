//! Changes of a role in place.

use super::create::arn_of;
use super::{Live, Profile, Role, delete};
use crate::aws::{done, iam, is_code, refused, tags, unless};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Target};
use crate::resources::apart::remembered;

pub(super) async fn apply(
    spec: &Role,
    cx: &Context,
    target: Target<'_>,
    mut live: Live,
) -> Result<Live> {
    trust_and_session(spec, cx, &mut live).await?;
    boundary(spec, cx, target, &mut live).await?;
    managed_policies(spec, cx, target, &mut live).await?;
    inline_policies(spec, cx, &mut live).await?;
    profile(spec, cx, target, &mut live).await?;
    let tags = remembered(target, &[super::DESCRIBED]);
    let (set, unset) = tags::changes(&live.tags, &tags);
    if !set.is_empty() {
        let call = cx.aws.iam.tag_role().role_name(&live.name);
        let call = call.set_tags(Some(iam::sdk_tags(&set)?)).send().await;
        done("iam:TagRole", call)?;
    }
    if !unset.is_empty() {
        let call = cx.aws.iam.untag_role().role_name(&live.name);
        let call = call.set_tag_keys(Some(unset)).send().await;
        done("iam:UntagRole", call)?;
    }
    live.tags.apply(&tags);
    Ok(live)
}

pub(super) async fn depose(cx: &Context, old: &Live, address: &Address) -> Result<()> {
    let tag = [(tags::ADDRESS.to_owned(), tags::written_address(address))];
    let call = cx.aws.iam.tag_role().role_name(&old.name);
    let call = call
        .set_tags(Some(iam::sdk_tags(&tag.into())?))
        .send()
        .await;
    done("iam:TagRole", call)
}

async fn trust_and_session(spec: &Role, cx: &Context, live: &mut Live) -> Result<()> {
    let trust = spec.trust();
    if live.trust_policy != trust {
        let call = cx.aws.iam.update_assume_role_policy();
        let call = call.role_name(&live.name).policy_document(trust.text());
        done("iam:UpdateAssumeRolePolicy", call.send().await)?;
        live.trust_policy = trust;
    }
    let seconds = spec.max_session_hours * 3600;
    if (live.max_session_seconds, &live.description) != (seconds, &spec.description) {
        let call = cx.aws.iam.update_role().role_name(&live.name);
        let call = call.max_session_duration(seconds);
        let call = call.description(spec.description.clone().unwrap_or_default());
        done("iam:UpdateRole", call.send().await)?;
        live.max_session_seconds = seconds;
        live.description.clone_from(&spec.description);
    }
    Ok(())
}

async fn boundary(spec: &Role, cx: &Context, target: Target<'_>, live: &mut Live) -> Result<()> {
    let Some(policy) = &spec.permissions_boundary else {
        if live.permissions_boundary.take().is_some() {
            let call = cx.aws.iam.delete_role_permissions_boundary();
            let call = call.role_name(&live.name).send().await;
            let gone = done("iam:DeleteRolePermissionsBoundary", call);
            return unless(iam::NOT_FOUND, gone);
        }
        return Ok(());
    };
    let arn = arn_of(policy, "permissions_boundary", target)?;
    if live.permissions_boundary.as_deref() != Some(arn) {
        let call = cx.aws.iam.put_role_permissions_boundary();
        let call = call.role_name(&live.name).permissions_boundary(arn);
        done("iam:PutRolePermissionsBoundary", call.send().await)?;
        live.permissions_boundary = Some(arn.to_owned());
    }
    Ok(())
}

async fn managed_policies(
    spec: &Role,
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
) -> Result<()> {
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wanted: Result<Vec<String>> = spec
        .managed_policies
        .iter()
        .map(|policy| arn_of(policy, "managed_policies", target).map(str::to_owned))
        .collect();
    let wanted = wanted?;
    for arn in &wanted {
        if live.managed_policies.contains(arn) {
            continue;
        }
        let what = format!("IAM to know role `{}` and policy `{arn}`", live.name);
        let call = cx.aws.iam.attach_role_policy();
        let call = call.role_name(&live.name).policy_arn(arn);
        iam::settling(what, &news, || {
            let call = call.clone();
            async move { done("iam:AttachRolePolicy", call.send().await) }
        })
        .await?;
    }
    for arn in &live.managed_policies {
        if !wanted.contains(arn) {
            delete::detach(cx, &live.name, arn).await?;
        }
    }
    live.managed_policies = wanted;
    Ok(())
}

async fn inline_policies(spec: &Role, cx: &Context, live: &mut Live) -> Result<()> {
    for (name, document) in &spec.policies {
        if live.policies.get(name) != Some(document) {
            let call = cx.aws.iam.put_role_policy().role_name(&live.name);
            let call = call.policy_name(name).policy_document(document.text());
            iam::settling(
                format!("role `{}` to be visible", live.name),
                &|_| {},
                || {
                    let call = call.clone();
                    async move { done("iam:PutRolePolicy", call.send().await) }
                },
            )
            .await?;
        }
    }
    for name in live.policies.keys() {
        if !spec.policies.contains_key(name) {
            delete::delete_policy(cx, &live.name, name).await?;
        }
    }
    live.policies.clone_from(&spec.policies);
    Ok(())
}

async fn profile(spec: &Role, cx: &Context, target: Target<'_>, live: &mut Live) -> Result<()> {
    match (spec.instance_profile, &live.instance_profile) {
        (true, None) => live.instance_profile = Some(new_profile(cx, target, &live.name).await?),
        (false, Some(profile)) => {
            delete::delete_profile(cx, &live.name, &profile.name).await?;
            live.instance_profile = None;
        }
        _ => {}
    }
    Ok(())
}

/// An instance profile of the role's name, with the role in it.
async fn new_profile(cx: &Context, target: Target<'_>, name: &str) -> Result<Profile> {
    let news = |text: &str| cx.progress.doing(target.address, text);
    let path = iam::path(&cx.stack);
    let call = cx.aws.iam.create_instance_profile();
    let call = call.instance_profile_name(name).path(&path).send().await;
    let made = match call.map_err(refused("iam:CreateInstanceProfile")) {
        Ok(made) => made.instance_profile,
        // An answer was lost, a run ended between the two calls, or somebody has that name.
        Err(error) if is_code(&error, iam::EXISTS) => {
            let what = format!("instance profile `{name}` to be visible");
            let told = iam::settling(what, &news, || async {
                let call = cx.aws.iam.get_instance_profile();
                let call = call.instance_profile_name(name).send().await;
                call.map_err(refused("iam:GetInstanceProfile"))
            });
            told.await?.instance_profile
        }
        Err(error) => return Err(error),
    };
    let made =
        made.ok_or_else(|| Error::failed(format!("instance profile `{name}` is missing")))?;
    let profile = Profile {
        name: name.to_owned(),
        arn: made.arn,
    };
    if made.roles.iter().any(|role| role.role_name == name) {
        return Ok(profile);
    }
    if made.path != path || !made.roles.is_empty() {
        let text = format!("the instance profile `{name}` exists already, and is another's");
        return Err(Error::failed(text).hint("write another `name:` for the role"));
    }
    let what = format!("IAM to know role and instance profile `{name}`");
    let call = cx.aws.iam.add_role_to_instance_profile();
    let call = call.instance_profile_name(name).role_name(name);
    let added = iam::settling(what, &news, || {
        let call = call.clone();
        async move { done("iam:AddRoleToInstanceProfile", call.send().await) }
    });
    // It is full: an answer was lost, since it was empty or new a moment ago.
    unless("LimitExceeded", added.await)?;
    Ok(profile)
}
