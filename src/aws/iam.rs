//! What all IAM kinds do alike: the stack's path, tags, documents as IAM writes them, and patience
//! with what IAM does not show everywhere yet.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_iam::types::{EntityType, RoleDetail, Tag};

use super::tags::Tags;
use super::wait::{Poll, Wait};
use super::{Clients, OnItsWay, is_code, refused};
use crate::base::{Error, Result};

/// IAM's code for what is not there.
pub const NOT_FOUND: &str = "NoSuchEntity";
/// IAM's code for a name that is taken.
pub const EXISTS: &str = "EntityAlreadyExists";
/// IAM's code for what something else still uses.
pub const HELD: &str = "DeleteConflict";

/// The path of all that a stack has in IAM, which can be listed by its path and not by tags.
#[must_use]
pub fn path(stack: &str) -> String {
    format!("/tidewalk/{stack}/")
}

/// The most entries that IAM puts in one page.
const PAGE: i32 = 1000;

/// What IAM tells of the whole account in one listing.
#[derive(Debug, Default)]
pub struct Account {
    /// Every role, with its policies, instance profiles and tags.
    pub roles: Vec<RoleDetail>,
    /// ARNs of the managed policies under the stack's path, where these were asked for.
    pub policies: Vec<String>,
}

/// Every role of the account.
///
/// # Errors
/// What AWS said.
pub async fn roles(clients: &Clients, stack: &str) -> Result<Account> {
    account(clients, stack, &[EntityType::Role]).await
}

/// Every role and managed policy of the account, one listing for all that ask at the same moment.
///
/// # Errors
/// What AWS said.
pub async fn everything(clients: &Clients, stack: &str) -> Result<Arc<Account>> {
    let kinds = [EntityType::Role, EntityType::LocalManagedPolicy];
    let shared = clients.shared::<OnItsWay<Account>>();
    shared.ask(|| account(clients, stack, &kinds)).await
}

async fn account(clients: &Clients, stack: &str, kinds: &[EntityType]) -> Result<Account> {
    let path = path(stack);
    let pages = clients.iam.get_account_authorization_details();
    let pages = pages.set_filter(Some(kinds.to_vec())).max_items(PAGE);
    let mut pages = pages.into_paginator().send();
    let mut account = Account::default();
    while let Some(page) = pages.next().await {
        let page = page.map_err(refused("iam:GetAccountAuthorizationDetails"))?;
        let roles = page.role_detail_list.into_iter().flatten();
        account.roles.extend(roles);
        let policies = page.policies.into_iter().flatten();
        let own = policies.filter(|policy| policy.path.as_ref() == Some(&path));
        account.policies.extend(own.filter_map(|policy| policy.arn));
    }
    Ok(account)
}

/// The tags that IAM reports.
#[must_use]
pub fn tags_of(tags: &[Tag]) -> Tags {
    let pairs = tags.iter();
    Tags(
        pairs
            .map(|tag| (tag.key.clone(), tag.value.clone()))
            .collect(),
    )
}

/// Tags as IAM takes them.
///
/// # Errors
/// Never for tags with a key and a value, which all have.
pub fn sdk_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>> {
    let tags = tags.iter().map(|(key, value)| {
        let tag = Tag::builder().key(key).value(value).build();
        tag.map_err(|error| Error::failed(format!("tag `{key}`: {error}")))
    });
    tags.collect()
}

/// A policy document as IAM tells it: percent-encoded JSON (RFC 3986).
#[must_use]
pub fn decoded(document: &str) -> String {
    let mut bytes = Vec::with_capacity(document.len());
    let mut rest = document.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let byte = match (first, after) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = byte {
            bytes.push(high * 16 + low);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// Calls until IAM has taken in what was made or changed a moment ago.
///
/// # Errors
/// What the call failed with otherwise, or that the time is up.
pub async fn settling<T, F, R>(
    what: String,
    news: &(dyn Fn(&str) + Send + Sync),
    mut call: F,
) -> Result<T>
where
    F: FnMut() -> R,
    R: Future<Output = Result<T>>,
{
    let wait = Wait::new(what, Duration::from_secs(30), news);
    wait.until(|| {
        let called = call();
        async move {
            match called.await {
                Ok(value) => Ok(Poll::Ready(value)),
                Err(error) if is_unsettled(&error) => Ok(Poll::Pending(error.message().to_owned())),
                Err(error) => Err(error),
            }
        }
    })
    .await
}

/// IAM shows new things late, and takes one change of a thing at a time:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>.
fn is_unsettled(error: &Error) -> bool {
    let is = |code: &str| is_code(error, code);
    let new_principal = is("MalformedPolicyDocument") && error.message().contains("principal");
    is(NOT_FOUND)
        || is("ConcurrentModification")
        || is("EntityTemporarilyUnmodifiable")
        || new_principal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_decoded() {
        assert_eq!(decoded("%7B%22a%22%3A%22%C3%A4%22%7D"), "{\"a\":\"ä\"}");
        assert_eq!(decoded("{\"a\":\"100%\"}"), "{\"a\":\"100%\"}");
        assert_eq!(decoded("100%2"), "100%2");
    }
}
