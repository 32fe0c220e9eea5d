//! Roles as IAM tells them in bulk: the stack's own by their path, and others by name.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_iam::types::RoleDetail;
use futures::try_join;

use super::{Live, Profile, Role};
use crate::aws::{iam, refused};
use crate::base::Result;
use crate::contract::{Context, Resource as _, Wanted};
use crate::resources::apart::is_asked;
use crate::resources::policy_document::PolicyDocument;

/// The most entries that IAM puts in one page.
const PAGE: i32 = 1000;
/// Seconds that a session lasts at most when nothing else was said.
const HOUR: i32 = 3600;

/// What only `ListRoles` tells: description, and the longest session in seconds.
type Described = HashMap<String, (Option<String>, Option<i32>)>;

/// The stack's roles, and those that are called `external` or whose instance profile is. Where the
/// stack may have none, one listing by path says so, and the account is not listed.
pub(super) async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
    let in_use = wanted.in_use.contains(Role::KIND);
    if !in_use && described(cx).await?.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = list(cx, &wanted.external, wanted.for_deletion).await?;
    let asked = |live: &Live| is_asked(wanted, &live.tags, super::DESCRIBED);
    if found.iter().any(asked) {
        let described = described(cx).await?;
        for live in &mut found {
            live.describe(&described);
        }
    }
    Ok(found)
}

/// The same with nothing left out.
pub(super) async fn own(cx: &Context) -> Result<Vec<Live>> {
    let (mut found, described) = try_join!(list(cx, &[], false), described(cx))?;
    for live in &mut found {
        live.describe(&described);
    }
    Ok(found)
}

async fn list(cx: &Context, external: &[String], with_policies: bool) -> Result<Vec<Live>> {
    let path = iam::path(&cx.stack);
    let account = if with_policies {
        iam::everything(&cx.aws, &cx.stack).await?
    } else {
        Arc::new(iam::roles(&cx.aws, &cx.stack).await?)
    };
    let mut found = Vec::new();
    for detail in &account.roles {
        let is_own = detail.path.as_ref() == Some(&path);
        let role = live(detail.clone(), &path);
        let names = external.iter().filter(|name| role.is_called(name));
        let named = names.map(|name| role.clone().known_as(name));
        let before = found.len();
        found.extend(named);
        if is_own && found.len() == before {
            found.push(role.own_profile());
        }
    }
    Ok(found.into_iter().map(|role: Listed| role.live).collect())
}

async fn described(cx: &Context) -> Result<Described> {
    let pages = cx.aws.iam.list_roles().path_prefix(iam::path(&cx.stack));
    let mut pages = pages.max_items(PAGE).into_paginator().items().send();
    let mut described = HashMap::new();
    while let Some(role) = pages.next().await {
        let role = role.map_err(refused("iam:ListRoles"))?;
        described.insert(
            role.role_name,
            (role.description, role.max_session_duration),
        );
    }
    Ok(described)
}

/// A role with all its instance profiles; its own is the one of its name in the stack's path.
#[derive(Clone)]
struct Listed {
    live: Live,
    profiles: Vec<(Profile, bool)>,
}

impl Listed {
    fn is_called(&self, name: &str) -> bool {
        self.live.name == name || self.profiles.iter().any(|(its, _)| its.name == name)
    }

    /// As the playbook names it, with the instance profile that it may mean.
    fn known_as(mut self, name: &str) -> Self {
        let named = self.profiles.iter().find(|(its, _)| its.name == name);
        let own = self
            .profiles
            .iter()
            .find(|(its, _)| its.name == self.live.name);
        let profile = named.or(own).or(self.profiles.first());
        self.live.instance_profile = profile.map(|(its, _)| its.clone());
        self.live.known_as = (self.live.name != name).then(|| name.to_owned());
        self
    }

    fn own_profile(mut self) -> Self {
        let own = |(its, own): &&(Profile, bool)| *own && its.name == self.live.name;
        self.live.instance_profile = self.profiles.iter().find(own).map(|(its, _)| its.clone());
        self
    }
}

impl Live {
    fn describe(&mut self, described: &Described) {
        if let Some((description, seconds)) = described.get(&self.name) {
            self.description = description.clone().filter(|text| !text.is_empty());
            self.max_session_seconds = seconds.unwrap_or(HOUR);
        }
    }
}

fn live(detail: RoleDetail, path: &str) -> Listed {
    let name = detail.role_name.unwrap_or_default();
    let boundary = detail.permissions_boundary;
    let attached = detail.attached_managed_policies.into_iter().flatten();
    let inline = detail.role_policy_list.into_iter().flatten();
    let profiles = detail.instance_profile_list.into_iter().flatten();
    let profiles = profiles.map(|its| {
        let own = its.path == path;
        let profile = Profile {
            name: its.instance_profile_name,
            arn: its.arn,
        };
        (profile, own)
    });
    let document = |text: Option<String>| PolicyDocument::read(&text.unwrap_or_default());
    let live = Live {
        arn: detail.arn.unwrap_or_default(),
        known_as: None,
        description: None,
        max_session_seconds: HOUR,
        trust_policy: document(detail.assume_role_policy_document),
        managed_policies: attached.filter_map(|policy| policy.policy_arn).collect(),
        policies: inline
            .filter_map(|policy| Some((policy.policy_name?, document(policy.policy_document))))
            .collect(),
        permissions_boundary: boundary.and_then(|it| it.permissions_boundary_arn),
        instance_profile: None,
        tags: iam::tags_of(&detail.tags.unwrap_or_default()),
        name,
    };
    Listed {
        live,
        profiles: profiles.collect(),
    }
}
