//! Parameters as AWS tells them: described 50 at a time, values of plain ones 10 at a time.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::types::{ParameterStringFilter, ResourceTypeForTagging};
use futures::future::try_join_all;

use super::{ARN, Live};
use crate::aws::{Tags, is_code, partition, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Presence, Wanted};
use crate::resources::named;

/// The most names in one filter of `DescribeParameters`.
const DESCRIBED: usize = 50;
/// The most names in one `GetParameters`.
const READ: usize = 10;

pub(super) async fn list(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
    let names = names(cx, wanted).await?;
    let described = names.chunks(DESCRIBED).map(|names| describe(cx, names));
    let mut found: Vec<Live> = try_join_all(described)
        .await?
        .into_iter()
        .flatten()
        .collect();
    let plain = found.iter().filter(|live| live.kind != "SecureString");
    let plain: Vec<String> = plain.map(|live| live.name.clone()).collect();
    let values = plain.chunks(READ).map(|names| values(cx, names));
    let mut values: BTreeMap<String, (String, i64)> =
        try_join_all(values).await?.into_iter().flatten().collect();
    for live in &mut found {
        if let Some((value, version)) = values.remove(&live.name) {
            live.value = Some(value);
            live.version = version;
        }
    }
    let tagged = found.into_iter().map(|mut live| async move {
        let ask = || tags_of(cx, &live.name);
        live.tags = named::tags(cx, wanted, &live.arn, ask).await?;
        Ok::<_, Error>(live)
    });
    try_join_all(tagged).await
}

/// Names to look for. An ARN does not tell whether a name without levels begins with a slash.
async fn names(cx: &Context, wanted: &Wanted) -> Result<Vec<String>> {
    let mut names: BTreeSet<String> = wanted.names().into_iter().collect();
    names.extend(wanted.external.iter().cloned());
    for (name, _) in wanted.tagged.named(&cx.aws, &cx.stack, ARN).await? {
        names.insert(format!("/{name}"));
        if !name.contains('/') {
            names.insert(name.to_owned());
        }
    }
    Ok(names.into_iter().collect())
}

async fn describe(cx: &Context, names: &[String]) -> Result<Vec<Live>> {
    let filter = ParameterStringFilter::builder().key("Name");
    let filter = filter.set_values(Some(names.to_vec())).build();
    let filter = filter.map_err(|error| Error::failed(format!("a filter: {error}")))?;
    let pages = cx.aws.ssm.describe_parameters().parameter_filters(filter);
    let mut pages = pages.max_results(50).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(refused("ssm:DescribeParameters"))?;
        for told in page.parameters.into_iter().flatten() {
            let name = told.name.unwrap_or_default();
            if !names.contains(&name) {
                continue;
            }
            found.push(Live {
                arn: told.arn.unwrap_or_else(|| arn(cx, &name)),
                kind: told
                    .r#type
                    .map_or(String::new(), |it| it.as_str().to_owned()),
                value: None,
                version: told.version,
                tier: told.tier.map_or(String::new(), |it| it.as_str().to_owned()),
                key: told.key_id,
                description: told.description.unwrap_or_default(),
                data_type: told.data_type.unwrap_or_default(),
                tags: Tags::default(),
                name,
            });
        }
    }
    Ok(found)
}

/// The ARN of a parameter: the slash that a name with levels begins with is written once.
pub(super) fn arn(cx: &Context, name: &str) -> String {
    let partition = partition(&cx.region);
    let name = name.trim_start_matches('/');
    format!(
        "arn:{partition}:ssm:{}:{}:parameter/{name}",
        cx.region, cx.account
    )
}

/// Values and versions of plain parameters, by name.
async fn values(cx: &Context, names: &[String]) -> Result<Vec<(String, (String, i64))>> {
    let call = cx.aws.ssm.get_parameters().with_decryption(false);
    let told = call.set_names(Some(names.to_vec())).send().await;
    let told = told.map_err(refused("ssm:GetParameters"))?.parameters;
    let pairs = told.into_iter().flatten();
    Ok(pairs
        .filter_map(|it| Some((it.name?, (it.value?, it.version))))
        .collect())
}

pub(super) async fn tags_of(cx: &Context, name: &str) -> Result<Tags> {
    let call = cx.aws.ssm.list_tags_for_resource();
    let call = call
        .resource_type(ResourceTypeForTagging::Parameter)
        .resource_id(name);
    let told = match call
        .send()
        .await
        .map_err(refused("ssm:ListTagsForResource"))
    {
        Err(error) if is_code(&error, "InvalidResourceId") => return Ok(Tags::default()),
        told => told?.tag_list,
    };
    let tags = told.into_iter().flatten();
    Ok(Tags(tags.map(|tag| (tag.key, tag.value)).collect()))
}

/// One answer per name.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let mut answers = Vec::with_capacity(ids.len());
    for names in ids.chunks(READ) {
        let told = values(cx, names).await;
        answers.extend(names.iter().map(|name| match &told {
            Err(error) => Presence::unknown(error),
            Ok(there) => {
                if there.iter().any(|(its, _)| its == name) {
                    Presence::Present("there".to_owned())
                } else {
                    Presence::Absent
                }
            }
        }));
    }
    answers
}
