//! Takes a managed policy down: off the stack's own roles, old versions first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Live, listing};
use crate::aws::{Poll, Wait, done, iam, is_code, refused, unless};
use crate::base::{Error, Result};
use crate::contract::{Context, Presence, Wanted};

/// The roles of the stack that lost a policy in this run, by its ARN: when it is made anew under
/// the same ARN, they get it back.
#[derive(Default)]
pub(super) struct Detached(Mutex<HashMap<String, Vec<String>>>);

impl Detached {
    fn note(&self, arn: &str, role: &str) {
        let mut roles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let roles = roles.entry(arn.to_owned()).or_default();
        roles.push(role.to_owned());
    }

    pub(super) fn take(&self, arn: &str) -> Vec<String> {
        let mut roles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        roles.remove(arn).unwrap_or_default()
    }
}

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let arn = live.arn.as_str();
    let what = format!("policy `{}` to be free", live.name);
    let wait = Wait::new(what, Duration::from_mins(1), &|_| {});
    wait.until(async || {
        let call = cx.aws.iam.delete_policy().policy_arn(arn).send().await;
        match done("iam:DeletePolicy", call) {
            // It has older versions, or is attached.
            Err(error) if is_code(&error, iam::HELD) => {
                let others = let_go(cx, arn).await?;
                if !others.is_empty() {
                    return Err(held(live, others));
                }
                drop_old_versions(cx, arn).await?;
                Ok(Poll::Pending(error.message().to_owned()))
            }
            done => unless(iam::NOT_FOUND, done).map(Poll::Ready),
        }
    })
    .await?;
    let what = format!("policy `{}` to be gone", live.name);
    let wait = Wait::new(what, Duration::from_mins(1), &|_| {});
    wait.until(async || {
        let call = cx.aws.iam.get_policy().policy_arn(arn).send().await;
        match done("iam:GetPolicy", call) {
            Ok(()) => Ok(Poll::Pending("still there".to_owned())),
            gone => unless(iam::NOT_FOUND, gone).map(Poll::Ready),
        }
    })
    .await
}

fn held(live: &Live, others: Vec<String>) -> Error {
    let text = format!("policy `{}` is still attached", live.name);
    let error = others.into_iter().fold(Error::failed(text), |error, who| {
        error.note(format!("held by {who}, which is not of this stack"))
    });
    error.hint("detach it there, and run the command again")
}

/// Detaches it from the stack's roles; tells who else has it.
async fn let_go(cx: &Context, arn: &str) -> Result<Vec<String>> {
    let path = iam::path(&cx.stack);
    let mut own: Vec<String> = Vec::new();
    let mut others = Vec::new();
    for prefix in [&*path, "/"] {
        let pages = cx.aws.iam.list_entities_for_policy().policy_arn(arn);
        let mut pages = pages.path_prefix(prefix).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = match page.map_err(refused("iam:ListEntitiesForPolicy")) {
                Err(error) if is_code(&error, iam::NOT_FOUND) => return Ok(Vec::new()),
                page => page?,
            };
            let roles = page.policy_roles.into_iter().flatten();
            let roles = roles.filter_map(|role| role.role_name);
            if prefix == path {
                own.extend(roles);
                continue;
            }
            let roles = roles.filter(|role| !own.contains(role));
            others.extend(roles.map(|role| format!("role `{role}`")));
            let users = page.policy_users.into_iter().flatten();
            let users = users.filter_map(|user| user.user_name);
            others.extend(users.map(|user| format!("user `{user}`")));
            let groups = page.policy_groups.into_iter().flatten();
            let groups = groups.filter_map(|group| group.group_name);
            others.extend(groups.map(|group| format!("group `{group}`")));
        }
    }
    for role in own {
        let call = cx.aws.iam.detach_role_policy();
        let call = call.role_name(&role).policy_arn(arn).send().await;
        unless(iam::NOT_FOUND, done("iam:DetachRolePolicy", call))?;
        cx.aws.shared::<Detached>().note(arn, &role);
    }
    Ok(others)
}

async fn drop_old_versions(cx: &Context, arn: &str) -> Result<()> {
    let call = cx.aws.iam.list_policy_versions().policy_arn(arn);
    let listed = match call.send().await.map_err(refused("iam:ListPolicyVersions")) {
        Err(error) if is_code(&error, iam::NOT_FOUND) => return Ok(()),
        listed => listed?.versions,
    };
    let unused = listed.into_iter().flatten();
    let unused = unused.filter(|version| !version.is_default_version);
    for id in unused.filter_map(|version| version.version_id) {
        let call = cx.aws.iam.delete_policy_version().policy_arn(arn);
        let call = call.version_id(id).send().await;
        unless(iam::NOT_FOUND, done("iam:DeletePolicyVersion", call))?;
    }
    Ok(())
}

/// One answer per ARN.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    match listing::own(cx, &Wanted::default()).await {
        Ok(listed) => {
            let answer = |id: &String| {
                if listed.contains(id) {
                    Presence::Present("listed".to_owned())
                } else {
                    Presence::Absent
                }
            };
            ids.iter().map(answer).collect()
        }
        Err(error) => {
            let unknown = Presence::unknown(&error);
            vec![unknown; ids.len()]
        }
    }
}
