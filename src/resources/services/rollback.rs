//! Going back to an earlier revision of what a service runs.

use aws_sdk_ecs::types::TaskDefinitionStatus;

use super::logs::missing;
use super::{listing, rollout};
use crate::aws::refused;
use crate::base::{Address, Error, Result};
use crate::contract::Context;

/// From one revision of a service's task definition to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    cluster: String,
    service: String,
    /// ARN of what it runs now.
    from: String,
    /// ARN of what it is to run.
    to: String,
}

impl Way {
    /// The way back to the revision with that number, or to the newest before what it runs now.
    ///
    /// # Errors
    /// When there is no such service or revision, and what AWS says.
    pub async fn back(cx: &Context, cluster: &str, name: &str, to: Option<i32>) -> Result<Self> {
        let told = listing::one(cx, cluster, name).await?;
        let from = told.and_then(|told| told.task_definition);
        let from = from.ok_or_else(|| missing(name))?;
        let (family, now) = parts(&from);
        let call = cx.aws.ecs.list_task_definitions().family_prefix(family);
        let call = call.status(TaskDefinitionStatus::Active);
        let mut pages = call.into_paginator().items().send();
        let mut usable = Vec::new();
        while let Some(arn) = pages.next().await {
            usable.push(arn.map_err(refused("ecs:ListTaskDefinitions"))?);
        }
        usable.retain(|arn| parts(arn).0 == family);
        usable.sort_by_key(|arn| std::cmp::Reverse(parts(arn).1));
        let fits = |arn: &&String| {
            let (_, revision) = parts(arn);
            to.map_or(revision < now, |to| revision == to)
        };
        let Some(found) = usable.iter().find(fits) else {
            let numbers = usable.iter().map(|arn| parts(arn).1.to_string());
            let numbers = numbers.collect::<Vec<_>>().join(", ");
            let text = match to {
                Some(to) => format!("`{family}` has no revision {to} that can be used"),
                None => format!("`{family}` has no revision before {now} that can be used"),
            };
            return Err(Error::failed(text)
                .note(format!("there are: {numbers}"))
                .hint("more are kept with `keep_revisions` of the task definition"));
        };
        Ok(Self {
            cluster: cluster.to_owned(),
            service: name.to_owned(),
            to: found.clone(),
            from,
        })
    }

    /// What it runs now, as `FAMILY:REVISION`.
    #[must_use]
    pub fn from(&self) -> &str {
        short(&self.from)
    }

    /// What it is to run, in the same form.
    #[must_use]
    pub fn to(&self) -> &str {
        short(&self.to)
    }
}

fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

/// Family and revision.
fn parts(arn: &str) -> (&str, i32) {
    let (family, revision) = short(arn).rsplit_once(':').unwrap_or_default();
    (family, revision.parse().unwrap_or_default())
}

/// Goes that way, and waits until the service is steady.
///
/// # Errors
/// What AWS says, and why tasks did not come up.
pub async fn go(cx: &Context, address: &Address, way: &Way) -> Result<()> {
    let call = cx.aws.ecs.update_service().service(&way.service);
    let call = call.cluster(&way.cluster).task_definition(&way.to);
    let told = call.send().await;
    let told = told.map_err(refused("ecs:UpdateService"))?.service;
    let told = told.ok_or_else(|| Error::failed("ecs:UpdateService: an empty answer"))?;
    rollout::finished(cx, address, told).await.map(drop)
}
