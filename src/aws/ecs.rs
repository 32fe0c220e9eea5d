//! What all ECS kinds do alike: tags in both directions, retagging.

use aws_sdk_ecs::types::Tag;

use super::tags::{self, Tags};
use super::{Clients, refused};
use crate::base::Result;

/// The tags that ECS reports.
#[must_use]
pub fn tags_of(tags: Option<Vec<Tag>>) -> Tags {
    let pairs = tags.into_iter().flatten();
    Tags(
        pairs
            .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
            .collect(),
    )
}

/// Tags to be written.
#[must_use]
pub fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<Tag> {
    tags.into_iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}

/// Brings the tags of one resource from `live` to `wanted`; tags of other people stay.
///
/// # Errors
/// What AWS said.
pub async fn retag(clients: &Clients, arn: &str, live: &Tags, wanted: &Tags) -> Result<()> {
    let (set, unset) = tags::changes(live, wanted);
    if !set.is_empty() {
        let call = clients.ecs.tag_resource().resource_arn(arn);
        let done = call.set_tags(Some(sdk_tags(&set))).send().await;
        done.map_err(refused("ecs:TagResource"))?;
    }
    if !unset.is_empty() {
        let call = clients.ecs.untag_resource().resource_arn(arn);
        let done = call.set_tag_keys(Some(unset)).send().await;
        done.map_err(refused("ecs:UntagResource"))?;
    }
    Ok(())
}
