//! Log groups as AWS reports them.

use aws_sdk_cloudwatchlogs::types::LogGroupClass;
use serde::Deserialize;

use super::Class;
use crate::aws::{Tags, refused};
use crate::base::{Cost, Outputs, Result};
use crate::contract::Context;

/// A log group in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    pub(super) name: String,
    pub(super) arn: String,
    /// 0 for ever.
    pub(super) retention_days: i32,
    pub(super) encryption_key: Option<String>,
    /// As AWS words it: `STANDARD`.
    pub(super) class: String,
    pub(super) tags: Tags,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.name
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn cost(&self, _region: &str) -> Option<Cost> {
        Some(Cost::by_use("logs"))
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.name.as_str())
            .with("name", self.name.as_str())
            .with("arn", self.arn.as_str())
    }
}

pub(super) async fn describe(cx: &Context, name: &str) -> Result<Option<Live>> {
    let found = list(cx, std::slice::from_ref(&name.to_owned())).await?;
    Ok(found.into_iter().next())
}

/// Those that exist, by one listing of all whose names begin as theirs do.
pub(super) async fn list(cx: &Context, names: &[String]) -> Result<Vec<Live>> {
    let Some(prefix) = common_prefix(names) else {
        return Ok(Vec::new());
    };
    let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
    let call = cx.aws.logs.describe_log_groups();
    let call = call.set_log_group_name_prefix(prefix.map(str::to_owned));
    let mut pages = call.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(group) = pages.next().await {
        let group = group.map_err(refused("logs:DescribeLogGroups"))?;
        let name = group.log_group_name.unwrap_or_default();
        if names.contains(&name) {
            let class = group.log_group_class.as_ref();
            let class = class.map_or(Class::Standard.word(), LogGroupClass::as_str);
            // `arn` ends in `:*`, which is for policies only.
            let arn = group.log_group_arn.or(group.arn).unwrap_or_default();
            found.push(Live {
                arn: arn.trim_end_matches(":*").to_owned(),
                name,
                retention_days: group.retention_in_days.unwrap_or_default(),
                encryption_key: group.kms_key_id,
                class: class.to_owned(),
                tags: Tags::default(),
            });
        }
    }
    Ok(found)
}

/// What all of them begin with; nothing if there are none.
fn common_prefix(names: &[String]) -> Option<&str> {
    let (first, rest) = names.split_first()?;
    let shared = |prefix: &str, name: &String| {
        let same = prefix.bytes().zip(name.bytes());
        same.take_while(|(a, b)| a == b).count()
    };
    Some(rest.iter().fold(first.as_str(), |prefix, name| {
        let length = shared(prefix, name);
        prefix.get(..length).unwrap_or_default()
    }))
}

pub(super) async fn tags_of(cx: &Context, arn: &str) -> Result<Tags> {
    let call = cx.aws.logs.list_tags_for_resource().resource_arn(arn);
    let told = call.send().await;
    let told = told.map_err(refused("logs:ListTagsForResource"))?;
    Ok(Tags(told.tags.into_iter().flatten().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_prefix_lists_all() {
        let names = ["/ecs/api", "/ecs/app", "/ecs"].map(str::to_owned);
        assert_eq!(common_prefix(&names[..2]), Some("/ecs/ap"));
        assert_eq!(common_prefix(&names), Some("/ecs"));
        assert_eq!(common_prefix(&["a".to_owned(), "b".to_owned()]), Some(""));
        assert_eq!(common_prefix(&[]), None);
    }
}
