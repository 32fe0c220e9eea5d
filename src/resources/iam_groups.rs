//! Existing IAM groups, for expressions: looked up, never made or deleted.

use aws_sdk_iam::types::Group;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::lookup::Lookup;
use crate::aws::refused;
use crate::base::{OutputMeaning, Outputs, Result};
use crate::contract::Context;

/// Existing IAM groups, to be named in expressions; nothing is made or deleted
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IamGroups {
    /// Path that theirs begins with, such as `/team/`; without it, all groups
    pub path: Option<String>,
}

impl Lookup for IamGroups {
    const KIND: &'static str = "iam_groups";
    const ACTIONS: &'static [&'static str] = &["iam:ListGroups"];
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("names", "Names of the groups, sorted"),
        ("arns", "Their Amazon resource names, in the same order"),
        (
            "groups",
            "The groups, in the same order: `name`, `arn`, `path`",
        ),
    ];

    async fn look(&self, cx: &Context) -> Result<Outputs> {
        let call = cx.aws.iam.list_groups().set_path_prefix(self.path.clone());
        let mut listed = call.max_items(1000).into_paginator().items().send();
        let mut groups: Vec<Group> = Vec::new();
        while let Some(group) = listed.next().await {
            groups.push(group.map_err(refused("iam:ListGroups"))?);
        }
        groups.sort_by(|a, b| a.group_name.cmp(&b.group_name));
        let names: Vec<Json> = groups.iter().map(|it| json!(it.group_name)).collect();
        let arns: Vec<Json> = groups.iter().map(|it| json!(it.arn)).collect();
        let shown = |it: &Group| json!({ "name": it.group_name, "arn": it.arn, "path": it.path });
        let groups: Vec<Json> = groups.iter().map(shown).collect();
        Ok(Outputs::default()
            .with("names", names)
            .with("arns", arns)
            .with("groups", groups))
    }
}
