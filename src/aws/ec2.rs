//! What all EC2 kinds do alike: tags in both directions, filters, retagging.

use std::time::Duration;

use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};

use super::tags::{self, Tags};
use super::{Clients, Poll, Wait, refused};
use crate::base::{Address, Error, Result};

/// The tags that EC2 reports.
#[must_use]
pub fn tags_of(tags: Option<Vec<Tag>>) -> Tags {
    let pairs = tags.into_iter().flatten();
    Tags(
        pairs
            .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
            .collect(),
    )
}

/// Tags to be written when something is made.
#[must_use]
pub fn specification(of: ResourceType, tags: &Tags) -> TagSpecification {
    TagSpecification::builder()
        .resource_type(of)
        .set_tags(Some(sdk_tags(&tags.0)))
        .build()
}

/// A filter with some values.
#[must_use]
pub fn filter<T: Into<String>>(name: &str, values: impl IntoIterator<Item = T>) -> Filter {
    Filter::builder()
        .name(name)
        .set_values(Some(values.into_iter().map(Into::into).collect()))
        .build()
}

/// The filter for all that a stack owns.
#[must_use]
pub fn of_stack(stack: &str) -> Filter {
    filter(&format!("tag:{}", tags::STACK), [stack])
}

/// The filter for one address; together with [`of_stack`].
#[must_use]
pub fn of_address(address: &Address) -> Filter {
    filter(
        &format!("tag:{}", tags::ADDRESS),
        [tags::written_address(address)],
    )
}

/// Brings the tags of `ids` from `live` to `wanted`; tags of other people stay.
///
/// # Errors
/// What AWS said.
pub async fn retag(clients: &Clients, ids: &[String], live: &Tags, wanted: &Tags) -> Result<()> {
    let (set, unset) = tags::changes(live, wanted);
    if !set.is_empty() {
        let call = clients.ec2.create_tags().set_resources(Some(ids.to_vec()));
        call.set_tags(Some(sdk_tags(&set)))
            .send()
            .await
            .map_err(refused("ec2:CreateTags"))?;
    }
    if !unset.is_empty() {
        let keys = unset.iter().map(|key| Tag::builder().key(key).build());
        let call = clients.ec2.delete_tags().set_resources(Some(ids.to_vec()));
        call.set_tags(Some(keys.collect()))
            .send()
            .await
            .map_err(refused("ec2:DeleteTags"))?;
    }
    Ok(())
}

/// Sets tags of `ids`.
///
/// # Errors
/// What AWS said.
pub async fn write_tags(clients: &Clients, ids: &[String], tags: &Tags) -> Result<()> {
    let call = clients.ec2.create_tags().set_resources(Some(ids.to_vec()));
    let done = call.set_tags(Some(sdk_tags(&tags.0))).send().await;
    done.map(drop).map_err(refused("ec2:CreateTags"))
}

/// Removes a tag from `ids`.
///
/// # Errors
/// What AWS said.
pub async fn remove_tag(clients: &Clients, ids: &[String], key: &str) -> Result<()> {
    let call = clients.ec2.delete_tags().set_resources(Some(ids.to_vec()));
    let done = call.tags(Tag::builder().key(key).build()).send().await;
    done.map(drop).map_err(refused("ec2:DeleteTags"))
}

/// Writes another address on `ids`.
///
/// # Errors
/// What AWS said.
pub async fn write_address(clients: &Clients, ids: &[String], address: &Address) -> Result<()> {
    let written = tags::written_address(address);
    let tags = Tags([(tags::ADDRESS.to_owned(), written)].into());
    write_tags(clients, ids, &tags).await
}

/// AWS does not know the id: it is gone, or was made a moment ago.
#[must_use]
pub fn is_unknown(error: &Error) -> bool {
    let code = error.service_code().unwrap_or_default();
    code.ends_with(".NotFound") || code == "InvalidID"
}

/// Repeats `call` while AWS does not know yet what was made a moment ago.
///
/// # Errors
/// What `call` failed with in the end.
pub async fn once_visible<T, R>(
    progress: impl Fn(&str) + Send + Sync,
    call: impl Fn() -> R,
) -> Result<T>
where
    R: Future<Output = Result<T>>,
{
    let wait = Wait::new("what was just made", Duration::from_mins(1), &progress);
    wait.until(async || match call().await {
        Ok(done) => Ok(Poll::Ready(done)),
        Err(error) if is_unknown(&error) => Ok(Poll::Pending(error.message().to_owned())),
        Err(error) => Err(error),
    })
    .await
}

/// Tags as EC2 takes them.
#[must_use]
pub fn sdk_tags(tags: &std::collections::BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}
