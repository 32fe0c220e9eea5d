//! Takes a role down with all that hangs on it, and tells whether it is gone.

use std::collections::HashSet;
use std::time::Duration;

use super::Live;
use crate::aws::{Poll, Wait, done, iam, is_code, refused, unless};
use crate::base::Result;
use crate::contract::{Context, Presence};

/// What the ids of instance profiles begin with in receipts.
pub(super) const PROFILE: &str = "instance-profile/";

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let role = live.name.as_str();
    for arn in &live.managed_policies {
        detach(cx, role, arn).await?;
    }
    for name in live.policies.keys() {
        delete_policy(cx, role, name).await?;
    }
    match &live.instance_profile {
        Some(profile) => delete_profile(cx, role, &profile.name).await?,
        None => delete_forgotten_profile(cx, role).await?,
    }
    let what = format!("role `{role}` to be free");
    let wait = Wait::new(what, Duration::from_mins(1), &|_| {});
    wait.until(async || {
        let call = cx.aws.iam.delete_role().role_name(role).send().await;
        match done("iam:DeleteRole", call) {
            // Something was put on it that was not there when it was looked at.
            Err(error) if is_code(&error, iam::HELD) => {
                clear(cx, role).await?;
                Ok(Poll::Pending(error.message().to_owned()))
            }
            done => unless(iam::NOT_FOUND, done).map(Poll::Ready),
        }
    })
    .await
}

/// Frees a role of whatever is on it now. An instance profile of others loses only the role.
async fn clear(cx: &Context, role: &str) -> Result<()> {
    let client = &cx.aws.iam;
    let pages = client.list_attached_role_policies().role_name(role);
    let mut attached = pages.into_paginator().items().send();
    while let Some(policy) = attached.next().await {
        let policy = policy.map_err(refused("iam:ListAttachedRolePolicies"))?;
        if let Some(arn) = policy.policy_arn {
            detach(cx, role, &arn).await?;
        }
    }
    let pages = client.list_role_policies().role_name(role);
    let mut names = pages.into_paginator().items().send();
    while let Some(name) = names.next().await {
        let name = name.map_err(refused("iam:ListRolePolicies"))?;
        delete_policy(cx, role, &name).await?;
    }
    let pages = client.list_instance_profiles_for_role().role_name(role);
    let mut profiles = pages.into_paginator().items().send();
    while let Some(profile) = profiles.next().await {
        let profile = profile.map_err(refused("iam:ListInstanceProfilesForRole"))?;
        let name = &profile.instance_profile_name;
        if profile.path == iam::path(&cx.stack) {
            delete_profile(cx, role, name).await?;
        } else {
            remove(cx, role, name).await?;
        }
    }
    Ok(())
}

/// An earlier run ended when the role was in the instance profile not yet, or no longer.
async fn delete_forgotten_profile(cx: &Context, role: &str) -> Result<()> {
    let call = cx.aws.iam.get_instance_profile();
    let told = call.instance_profile_name(role).send().await;
    let told = match told.map_err(refused("iam:GetInstanceProfile")) {
        Err(error) if is_code(&error, iam::NOT_FOUND) => return Ok(()),
        told => told?,
    };
    let path = iam::path(&cx.stack);
    match told.instance_profile.filter(|profile| profile.path == path) {
        Some(profile) => delete_profile(cx, role, &profile.instance_profile_name).await,
        None => Ok(()),
    }
}

pub(super) async fn detach(cx: &Context, role: &str, arn: &str) -> Result<()> {
    let call = cx.aws.iam.detach_role_policy();
    let call = call.role_name(role).policy_arn(arn).send().await;
    unless(iam::NOT_FOUND, done("iam:DetachRolePolicy", call))
}

pub(super) async fn delete_policy(cx: &Context, role: &str, name: &str) -> Result<()> {
    let call = cx.aws.iam.delete_role_policy();
    let call = call.role_name(role).policy_name(name).send().await;
    unless(iam::NOT_FOUND, done("iam:DeleteRolePolicy", call))
}

pub(super) async fn delete_profile(cx: &Context, role: &str, name: &str) -> Result<()> {
    remove(cx, role, name).await?;
    let call = cx.aws.iam.delete_instance_profile();
    let call = call.instance_profile_name(name).send().await;
    unless(iam::NOT_FOUND, done("iam:DeleteInstanceProfile", call))
}

async fn remove(cx: &Context, role: &str, profile: &str) -> Result<()> {
    let call = cx.aws.iam.remove_role_from_instance_profile();
    let call = call.role_name(role).instance_profile_name(profile);
    let done = done("iam:RemoveRoleFromInstanceProfile", call.send().await);
    unless(iam::NOT_FOUND, done)
}

/// One answer per id: a role's name, or `instance-profile/NAME`.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let listed = match left(cx, ids).await {
        Ok(listed) => listed,
        Err(error) => {
            let unknown = Presence::unknown(&error);
            return vec![unknown; ids.len()];
        }
    };
    let answer = |id: &String| {
        if listed.contains(id) {
            Presence::Present("listed".to_owned())
        } else {
            Presence::Absent
        }
    };
    ids.iter().map(answer).collect()
}

/// All that the stack has, by the ids of receipts.
async fn left(cx: &Context, ids: &[String]) -> Result<HashSet<String>> {
    let path = iam::path(&cx.stack);
    let mut left = HashSet::new();
    let is_profile = |id: &String| id.starts_with(PROFILE);
    if !ids.iter().all(is_profile) {
        let pages = cx.aws.iam.list_roles().path_prefix(&path);
        let mut roles = pages.into_paginator().items().send();
        while let Some(role) = roles.next().await {
            left.insert(role.map_err(refused("iam:ListRoles"))?.role_name);
        }
    }
    if ids.iter().any(is_profile) {
        let pages = cx.aws.iam.list_instance_profiles().path_prefix(&path);
        let mut profiles = pages.into_paginator().items().send();
        while let Some(profile) = profiles.next().await {
            let profile = profile.map_err(refused("iam:ListInstanceProfiles"))?;
            left.insert(format!("{PROFILE}{}", profile.instance_profile_name));
        }
    }
    Ok(left)
}
