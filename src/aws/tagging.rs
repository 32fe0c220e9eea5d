//! The Resource Groups Tagging API: everything of a stack that it covers, in one listing. It lags,
//! and shows what is gone for a while: never the only proof of anything.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_resourcegroupstagging::types::TagFilter;
use tokio::sync::OnceCell;

use super::arn::Arn;
use super::ec2::filter;
use super::tags::{STACK, Tags};
use super::{Clients, OnItsWay, is_code, refused};
use crate::base::Result;

/// The action that the listing takes.
pub const ACTION: &str = "tag:GetResources";

/// The action that EC2's own listing of tags takes.
pub const EC2_ACTION: &str = "ec2:DescribeTags";

/// The most resources on a page:
/// <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>.
const PAGE: i32 = 100;

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
pub struct Tagged {
    /// Resource types to ask for; all where there are none.
    types: Vec<String>,
    listed: Arc<OnceCell<Vec<TaggedResource>>>,
}

impl Tagged {
    /// Of resources whose ARNs begin so behind the account (`kinesis:stream/`), and little else: what
    /// comes with every instance (interfaces, a group's rules) would be most of the pages.
    #[must_use]
    pub fn under<'a>(begins: impl IntoIterator<Item = &'a str>) -> Self {
        let types: BTreeSet<String> = begins.into_iter().map(type_filter).collect();
        Self {
            types: types.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The listing.
    ///
    /// # Errors
    /// What AWS said.
    pub async fn of(&self, clients: &Clients, stack: &str) -> Result<&[TaggedResource]> {
        let list = || async {
            match list(clients, stack, &self.types).await {
                // A type that this region does not know.
                Err(error) if is_code(&error, "InvalidParameterException") => {
                    list(clients, stack, &[]).await
                }
                listed => listed,
            }
        };
        let listed = self.listed.get_or_try_init(list).await?;
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
    let (listed, of_ec2) = tokio::try_join!(list(clients, stack, &[]), ec2_now(clients, stack))?;
    let all = listed.into_iter().chain(of_ec2.iter().cloned()).collect();
    Ok(Tagged {
        listed: Arc::new(OnceCell::new_with(Some(all))),
        ..Tagged::default()
    })
}

/// ARNs of what carries the stack's tag by EC2's own listing, which all that ask at the same
/// moment share. Terminated instances stay in it for a while.
///
/// # Errors
/// What AWS said.
pub async fn ec2_now(clients: &Clients, stack: &str) -> Result<Arc<Vec<TaggedResource>>> {
    let shared = clients.shared::<OnItsWay<Vec<TaggedResource>>>();
    shared.ask(|| ec2_tags(clients, stack)).await
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

/// The filter for ARNs that begin so: EC2 has many types that no kind is, other services do not.
fn type_filter(begin: &str) -> String {
    let (service, resource) = begin.split_once(':').unwrap_or((begin, ""));
    match (service, resource.split(['/', ':']).next()) {
        ("ec2", Some(resource)) => format!("ec2:{resource}"),
        _ => service.to_owned(),
    }
}

async fn list(clients: &Clients, stack: &str, types: &[String]) -> Result<Vec<TaggedResource>> {
    let filter = TagFilter::builder().key(STACK).values(stack).build();
    let pages = clients.tagging.get_resources().tag_filters(filter);
    let types = Some(types.to_vec()).filter(|types| !types.is_empty());
    let pages = pages
        .set_resource_type_filters(types)
        .resources_per_page(PAGE);
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
