//! Keys as KMS tells them: by their aliases, which are listed, and one by one.

use std::collections::BTreeMap;

use aws_sdk_kms::types::{KeyMetadata, KeyState};
use futures::future::try_join_all;

use super::{ALIAS, ARN, Live, NOT_FOUND, SYMMETRIC, default_alias};
use crate::aws::{Tags, is_code, refused};
use crate::base::{Error, Result, Value};
use crate::contract::{Context, Wanted};
use crate::resources::named;
use crate::resources::policy_document::PolicyDocument;

/// Key ids by alias, without `alias/`.
pub(super) type Aliases = BTreeMap<String, String>;

pub(super) async fn list(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
    let aliases = aliases(cx, None).await?;
    // Each id, with the name that the playbook has for what it does not declare.
    let mut ids: BTreeMap<String, Option<&String>> = BTreeMap::new();
    for alias in declared(cx, wanted) {
        ids.extend(aliases.get(&alias).map(|id| (id.clone(), None)));
    }
    for (id, _) in wanted.tagged.named(&cx.aws, &cx.stack, ARN).await? {
        ids.insert(id.to_owned(), None);
    }
    for name in &wanted.external {
        let alias = name.strip_prefix(ALIAS).unwrap_or(name);
        let id = aliases.get(alias).cloned();
        ids.insert(id.unwrap_or_else(|| name.clone()), Some(name));
    }
    let aliases = &aliases;
    let found = ids.into_iter().map(|(id, known_as)| async move {
        let Some(mut live) = describe(cx, id, aliases).await? else {
            return Ok(None);
        };
        live.known_as = known_as.cloned();
        let ask = || tags_of(cx, &live.id);
        live.tags = named::tags(cx, wanted, &live.arn, ask).await?;
        Ok::<_, Error>(Some(live))
    });
    Ok(try_join_all(found).await?.into_iter().flatten().collect())
}

fn declared(cx: &Context, wanted: &Wanted) -> Vec<String> {
    let aliases = wanted.declared.iter().map(|(address, node)| {
        let alias = node.entry("alias").map(|node| &node.value);
        match alias {
            Some(Value::Text(alias)) => alias.clone(),
            _ => default_alias(&cx.stack, address),
        }
    });
    aliases.collect()
}

/// All aliases, or those of one key.
pub(super) async fn aliases(cx: &Context, key: Option<&str>) -> Result<Aliases> {
    let call = cx.aws.kms.list_aliases().set_key_id(key.map(str::to_owned));
    let mut pages = call.limit(100).into_paginator().items().send();
    let mut aliases = Aliases::new();
    while let Some(alias) = pages.next().await {
        let alias = match alias.map_err(refused("kms:ListAliases")) {
            Err(error) if is_code(&error, NOT_FOUND) => break,
            alias => alias?,
        };
        let name = alias.alias_name.unwrap_or_default();
        let name = name.strip_prefix(ALIAS).unwrap_or(&name).to_owned();
        aliases.extend(alias.target_key_id.map(|id| (name, id)));
    }
    Ok(aliases)
}

/// A key with its policy and rotation; one that waits for its deletion is absence.
pub(super) async fn describe(cx: &Context, id: String, aliases: &Aliases) -> Result<Option<Live>> {
    let Some(told) = metadata(cx, &id).await? else {
        return Ok(None);
    };
    if is_dying(&told) {
        return Ok(None);
    }
    let id = told.key_id;
    let spec = told.key_spec.map(|spec| spec.as_str().to_owned());
    let spec = spec.unwrap_or_default();
    let policy = async {
        let call = cx.aws.kms.get_key_policy().key_id(&id).send().await;
        let told = call.map_err(refused("kms:GetKeyPolicy"))?;
        Ok::<_, Error>(PolicyDocument::read(&told.policy.unwrap_or_default()))
    };
    let rotation = async {
        if spec != SYMMETRIC {
            return Ok(None);
        }
        let call = cx.aws.kms.get_key_rotation_status().key_id(&id);
        let told = call.send().await;
        let told = told.map_err(refused("kms:GetKeyRotationStatus"))?;
        let days = told.rotation_period_in_days.unwrap_or(365);
        Ok(told.key_rotation_enabled.then_some(days))
    };
    let (policy, rotation_days) = futures::try_join!(policy, rotation)?;
    let alias = aliases.iter().find(|(_, key)| **key == id);
    Ok(Some(Live {
        alias: alias.map(|(alias, _)| alias.clone()),
        known_as: None,
        arn: told.arn.unwrap_or_default(),
        description: told.description.unwrap_or_default(),
        key_spec: spec,
        key_usage: told
            .key_usage
            .map_or(String::new(), |it| it.as_str().to_owned()),
        multi_region: told.multi_region.unwrap_or_default(),
        rotation_days,
        policy,
        tags: Tags::default(),
        id,
    }))
}

pub(super) async fn metadata(cx: &Context, id: &str) -> Result<Option<KeyMetadata>> {
    let told = cx.aws.kms.describe_key().key_id(id).send().await;
    match told.map_err(refused("kms:DescribeKey")) {
        Err(error) if is_code(&error, NOT_FOUND) => Ok(None),
        told => Ok(told?.key_metadata),
    }
}

pub(super) fn is_dying(key: &KeyMetadata) -> bool {
    let state = key.key_state.as_ref();
    matches!(
        state,
        Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
    )
}

pub(super) async fn tags_of(cx: &Context, id: &str) -> Result<Tags> {
    let call = cx.aws.kms.list_resource_tags().key_id(id);
    let mut pages = call.into_paginator().items().send();
    let mut tags = Tags::default();
    while let Some(tag) = pages.next().await {
        let tag = match tag.map_err(refused("kms:ListResourceTags")) {
            Err(error) if is_code(&error, NOT_FOUND) => break,
            // Keys of AWS itself, and of others.
            Err(error) if is_code(&error, "AccessDeniedException") => break,
            tag => tag?,
        };
        tags.0.insert(tag.tag_key, tag.tag_value);
    }
    Ok(tags)
}
