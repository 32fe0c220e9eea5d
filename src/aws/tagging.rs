//! The Resource Groups Tagging API: everything of a stack that it covers, in one listing. It lags,
//! and shows what is gone for a while: never the only proof of anything.

use std::sync::Arc;

use aws_sdk_resourcegroupstagging::types::TagFilter;
use tokio::sync::OnceCell;

use super::arn::Arn;
use super::tags::{STACK, Tags};
use super::{Clients, refused};
use crate::base::Result;

/// The action that the listing takes.
pub const ACTION: &str = "tag:GetResources";

/// A resource as the Tagging API lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedResource {
    /// Its ARN.
    pub arn: String,
    /// Its tags, as they were a moment ago.
    pub tags: Tags,
}

/// All that the Tagging API lists of one stack: asked for when first needed, then kept. Cheap to
/// clone; clones share the answer.
#[derive(Clone, Debug, Default)]
pub struct Tagged(Arc<OnceCell<Vec<TaggedResource>>>);

impl Tagged {
    /// The listing.
    ///
    /// # Errors
    /// What AWS said.
    pub async fn of(&self, clients: &Clients, stack: &str) -> Result<&[TaggedResource]> {
        let listed = self.0.get_or_try_init(|| list(clients, stack)).await?;
        Ok(listed)
    }

    /// Those whose ARN begins so (`kinesis:stream/`): what follows in the ARN, and the resource.
    ///
    /// # Errors
    /// What AWS said.
    pub async fn named(
        &self,
        clients: &Clients,
        stack: &str,
        begin: &str,
    ) -> Result<Vec<(&str, &TaggedResource)>> {
        let listed = self.of(clients, stack).await?.iter();
        Ok(listed
            .filter_map(|one| Some((Arn::read(&one.arn)?.after(begin)?, one)))
            .collect())
    }
}

async fn list(clients: &Clients, stack: &str) -> Result<Vec<TaggedResource>> {
    let filter = TagFilter::builder().key(STACK).values(stack).build();
    let pages = clients.tagging.get_resources().tag_filters(filter);
    let mut pages = pages.into_paginator().items().send();
    let mut listed = Vec::new();
    while let Some(mapping) = pages.next().await {
        let mapping = mapping.map_err(refused(ACTION))?;
        let tags = mapping.tags.into_iter().flatten();
        listed.push(TaggedResource {
            arn: mapping.resource_arn.unwrap_or_default(),
            tags: Tags(tags.map(|tag| (tag.key, tag.value)).collect()),
        });
    }
    Ok(listed)
}
