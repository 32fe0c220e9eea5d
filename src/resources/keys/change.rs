//! Changes of a key in place.

use std::collections::BTreeMap;

use super::create::sdk_tags;
use super::{ALIAS, Key, Live, NOT_FOUND, listing};
use crate::aws::{Tags, done, is_code, tags, unless};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Target};

pub(super) async fn apply(
    spec: &Key,
    cx: &Context,
    target: Target<'_>,
    mut live: Live,
) -> Result<Live> {
    let kms = &cx.aws.kms;
    if live.description != spec.description {
        let call = kms.update_key_description().key_id(&live.id);
        let call = call.description(&spec.description).send().await;
        done("kms:UpdateKeyDescription", call)?;
        live.description.clone_from(&spec.description);
    }
    rotation(spec, cx, &mut live).await?;
    let policy = spec.policy_of(&live.arn);
    if live.policy != policy {
        let call = kms.put_key_policy().key_id(&live.id);
        let call = call.policy(policy.text()).send().await;
        done("kms:PutKeyPolicy", call)?;
        live.policy = policy;
    }
    alias(cx, spec.alias(target), &mut live).await?;
    retag(cx, &mut live, &spec.tags(target)).await?;
    Ok(live)
}

async fn rotation(spec: &Key, cx: &Context, live: &mut Live) -> Result<()> {
    let wanted = spec.rotation();
    match (live.rotation_days, wanted) {
        (old, Some(days)) if old != wanted => {
            let call = cx.aws.kms.enable_key_rotation().key_id(&live.id);
            let call = call.rotation_period_in_days(days).send().await;
            done("kms:EnableKeyRotation", call)?;
        }
        (Some(_), None) => {
            let call = cx.aws.kms.disable_key_rotation().key_id(&live.id);
            done("kms:DisableKeyRotation", call.send().await)?;
        }
        _ => {}
    }
    live.rotation_days = wanted;
    Ok(())
}

/// Gives the key its alias; one that stands on an older key of the stack moves.
async fn alias(cx: &Context, wanted: String, live: &mut Live) -> Result<()> {
    if live.alias.as_ref() == Some(&wanted) {
        return Ok(());
    }
    let name = format!("{ALIAS}{wanted}");
    let call = cx.aws.kms.create_alias().alias_name(&name);
    let made = call.target_key_id(&live.id).send().await;
    match done("kms:CreateAlias", made) {
        Err(error) if is_code(&error, "AlreadyExistsException") => {
            take(cx, &wanted, live).await?;
        }
        made => made?,
    }
    if let Some(old) = live.alias.replace(wanted) {
        let call = cx.aws.kms.delete_alias();
        let gone = call.alias_name(format!("{ALIAS}{old}")).send().await;
        unless(NOT_FOUND, done("kms:DeleteAlias", gone))?;
    }
    Ok(())
}

async fn take(cx: &Context, alias: &str, live: &Live) -> Result<()> {
    let aliases = listing::aliases(cx, None).await?;
    let holder = aliases.get(alias);
    if holder == Some(&live.id) {
        return Ok(());
    }
    if let Some(holder) = holder {
        let tags = listing::tags_of(cx, holder).await?;
        if tags.value(tags::STACK) != Some(&cx.stack) {
            let text = format!("the alias `{alias}` is taken by the key `{holder}`");
            return Err(Error::failed(text).hint("write another `alias:`"));
        }
    }
    let call = cx.aws.kms.update_alias();
    let call = call.alias_name(format!("{ALIAS}{alias}"));
    let moved = call.target_key_id(&live.id).send().await;
    done("kms:UpdateAlias", moved)
}

pub(super) async fn depose(cx: &Context, old: &Live, address: &Address) -> Result<()> {
    let address = tags::written_address(address);
    let tags = BTreeMap::from([(tags::ADDRESS.to_owned(), address)]);
    let call = cx.aws.kms.tag_resource().key_id(&old.id);
    let call = call.set_tags(Some(sdk_tags(&Tags(tags))?)).send().await;
    done("kms:TagResource", call)
}

async fn retag(cx: &Context, live: &mut Live, wanted: &Tags) -> Result<()> {
    let (set, unset) = tags::changes(&live.tags, wanted);
    if !set.is_empty() {
        let call = cx.aws.kms.tag_resource().key_id(&live.id);
        let call = call.set_tags(Some(sdk_tags(&Tags(set))?)).send().await;
        done("kms:TagResource", call)?;
    }
    if !unset.is_empty() {
        let call = cx.aws.kms.untag_resource().key_id(&live.id);
        let call = call.set_tag_keys(Some(unset)).send().await;
        done("kms:UntagResource", call)?;
    }
    live.tags.apply(wanted);
    Ok(())
}
