//! Existing IAM users, for expressions: looked up, never made or deleted.

pub mod linux_names;

use std::collections::BTreeMap;

use aws_sdk_iam::types::{EntityType, UserDetail};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::sync::OnceCell;

use super::lookup::Lookup;
use crate::aws::{iam, refused};
use crate::base::{Error, OutputMeaning, Outputs, Result};
use crate::contract::Context;

/// Existing IAM users that fit all that is said here, to be named in expressions; nothing is made
/// or deleted
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IamUsers {
    /// Members of this group
    pub group: Option<String>,
    /// Path that theirs begins with, such as `/team/`
    pub path: Option<String>,
    /// Tags that they carry, with these values
    #[serde(default)]
    pub tag: BTreeMap<String, String>,
    /// Also tell the login that each gets on a Linux host, as `linux_name` of `users`: the name before
    /// `@` in small letters, with `_` for what is not a letter, digit, `_` or `-`; or what the user's
    /// tag `linux-name` says. Logins that are taken, too long or the system's are an error
    #[serde(default)]
    pub linux_names: bool,
}

/// All users of the account, asked for once a run.
#[derive(Default)]
struct Everybody(OnceCell<Vec<UserDetail>>);

impl Lookup for IamUsers {
    const KIND: &'static str = "iam_users";
    const ACTIONS: &'static [&'static str] = &["iam:GetAccountAuthorizationDetails"];
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("names", "Names of the users, sorted"),
        ("arns", "Their Amazon resource names, in the same order"),
        (
            "users",
            "The users, in the same order: `name`, `arn`, `path`, `groups`, `tags`, and `linux_name` where that is asked for",
        ),
    ];

    async fn look(&self, cx: &Context) -> Result<Outputs> {
        let known = cx.aws.shared::<Everybody>();
        let all = known.0.get_or_try_init(|| everybody(cx)).await?;
        let fitting: Vec<&UserDetail> = all.iter().filter(|user| self.fits(user)).collect();
        let names: Vec<Json> = fitting.iter().map(|user| json!(user.user_name)).collect();
        let arns: Vec<Json> = fitting.iter().map(|user| json!(user.arn)).collect();
        let mut users: Vec<Json> = fitting.iter().map(|user| shown(user)).collect();
        if self.linux_names {
            for (user, login) in users.iter_mut().zip(logins(&fitting)?) {
                user["linux_name"] = json!(login);
            }
        }
        Ok(Outputs::default()
            .with("names", names)
            .with("arns", arns)
            .with("users", users))
    }
}

impl IamUsers {
    fn fits(&self, user: &UserDetail) -> bool {
        let tags = iam::tags_of(user.tags());
        let path = user.path().unwrap_or_default();
        let group = self.group.as_ref();
        group.is_none_or(|group| user.group_list().contains(group))
            && self
                .path
                .as_ref()
                .is_none_or(|begin| path.starts_with(begin))
            && self
                .tag
                .iter()
                .all(|(key, value)| tags.value(key) == Some(value))
    }
}

/// The Linux names of these users; all that is wrong with them in one error.
fn logins(users: &[&UserDetail]) -> Result<Vec<String>> {
    let tags: Vec<_> = users.iter().map(|user| iam::tags_of(user.tags())).collect();
    let named = users.iter().zip(&tags).map(|(user, tags)| {
        let name = user.user_name().unwrap_or_default();
        (name, tags.value(linux_names::TAG))
    });
    linux_names::all(&named.collect::<Vec<_>>()).map_err(|errors| {
        let mut errors = errors.0.into_iter();
        let first = errors.next().unwrap_or_else(|| Error::failed("no logins"));
        errors.fold(first, |first, next| first.note(next.message()))
    })
}

fn shown(user: &UserDetail) -> Json {
    json!({
        "name": user.user_name,
        "arn": user.arn,
        "path": user.path,
        "groups": user.group_list(),
        "tags": iam::tags_of(user.tags()),
    })
}

/// All users with their groups and tags: IAM tells both only for the whole account or one by one.
async fn everybody(cx: &Context) -> Result<Vec<UserDetail>> {
    let pages = cx.aws.iam.get_account_authorization_details();
    let pages = pages.filter(EntityType::User).max_items(1000);
    let mut pages = pages.into_paginator().send();
    let mut users = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(refused("iam:GetAccountAuthorizationDetails"))?;
        users.extend(page.user_detail_list.into_iter().flatten());
    }
    users.sort_by(|a, b| a.user_name.cmp(&b.user_name));
    Ok(users)
}
