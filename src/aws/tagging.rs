//! The Resource Groups Tagging API: everything of a stack that it covers, in one listing. It lags,
//! and shows what is gone for a while: never the only proof of anything.

use std::sync::Arc;

use aws_sdk_resourcegroupstagging::types::TagFilter;
use tokio::sync::OnceCell;

use super::arn::Arn;
use super::ec2::filter;
use super::tags::{STACK, Tags};
use super::{Clients, refused};
use crate::base::Result;

/// The action that the listing takes.
pub const ACTION: &str = "tag:GetResources";

/// The action that EC2's own listing of tags takes.
pub const EC2_ACTION: &str = "ec2:DescribeTags";

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

/// All that carries the stack's tag now: what the Tagging API lists, and what EC2 itself lists,
/// which is there sooner. EC2's have no other tags here.
///
/// # Errors
/// What AWS said.
pub async fn everything(clients: &Clients, stack: &str) -> Result<Tagged> {
    let (listed, of_ec2) = tokio::try_join!(list(clients, stack), ec2_tags(clients, stack))?;
    let all = listed.into_iter().chain(of_ec2).collect();
    Ok(Tagged(Arc::new(OnceCell::new_with(Some(all)))))
}

async fn ec2_tags(clients: &Clients, stack: &str) -> Result<Vec<TaggedResource>> {
    let call = clients.ec2.describe_tags();
    let call = call.filters(filter("key", [STACK]));
    let call = call.filters(filter("value", [stack]));
    let mut pages = call.into_paginator().items().send();
    let mut listed = Vec::new();
    while let Some(tag) = pages.next().await {
        let tag = tag.map_err(refused(EC2_ACTION))?;
        let kind = tag.resource_type.map(|kind| kind.as_str().to_owned());
        let (kind, id) = (
            kind.unwrap_or_default(),
            tag.resource_id.unwrap_or_default(),
        );
        let region = clients.region();
        listed.push(TaggedResource {
            arn: format!("arn:aws:ec2:{region}::{kind}/{id}"),
            tags: Tags([(STACK.to_owned(), stack.to_owned())].into()),
        });
    }
    Ok(listed)
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
