//! Makes secrets, and changes them in place.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_secretsmanager::types::Tag;
use sha2::{Digest, Sha256};

use super::{DEFAULT_KEY, Live, RECOVERY_DAYS, StoredSecret, VALUE, listing};
use crate::aws::{Poll, Tags, Wait, done, is_code, refused, tags};
use crate::base::{Error, Result, Secret, hex};
use crate::contract::{Context, Target};
use crate::resources::named;
use crate::resources::value_from::fingerprint;

/// The id of the version whose value has this note: whoever writes another one makes another
/// version, which is noticed. It also makes a repeated request one.
pub(super) fn version_of(note: &str) -> String {
    hex(&Sha256::digest(format!("tidewalk\n{note}")))
}

/// A value, what the tag says of it, and the id of its version.
struct Written {
    value: Secret,
    note: String,
    version: String,
}

pub(super) async fn created(spec: &StoredSecret, cx: &Context, target: Target<'_>) -> Result<Live> {
    let name = named::name_of(spec.name.as_ref(), target);
    let written = spec.written(target)?;
    let key = spec.key_to_use(target)?;
    let wanted = spec.tags(target, &written.note);
    let call = cx.aws.secrets.create_secret().name(&name);
    let call = call
        .client_request_token(&written.version)
        .secret_string(written.value.expose())
        .description(&spec.description)
        .set_kms_key_id(key.map(str::to_owned))
        .set_tags(Some(sdk_tags(&wanted.0)));
    let made = call.send().await;
    match made.map_err(refused("secretsmanager:CreateSecret")) {
        Ok(made) => Ok(Live {
            arn: made.arn.unwrap_or_default(),
            known_as: None,
            description: spec.description.clone(),
            key: key.map(str::to_owned),
            version: made.version_id,
            tags: wanted,
            name,
        }),
        // An earlier run made it, it waits for its deletion, or somebody has that name.
        Err(error)
            if is_code(&error, "ResourceExistsException")
                || is_code(&error, "InvalidRequestException") =>
        {
            let live = existing(cx, target, &name, error).await?;
            updated(spec, cx, target, live).await
        }
        Err(error) => Err(error),
    }
}

/// The secret of that name, if it is this one, brought back if it waits for its deletion.
async fn existing(cx: &Context, target: Target<'_>, name: &str, why: Error) -> Result<Live> {
    let Some(told) = listing::describe(cx, name).await? else {
        return Err(why);
    };
    let waits = told.deleted_date.is_some();
    let live = listing::live(told);
    named::must_be_ours("secret", name, &live.tags, target)?;
    if !waits {
        return if is_code(&why, "ResourceExistsException") {
            Ok(live)
        } else {
            Err(why)
        };
    }
    let call = cx.aws.secrets.restore_secret().secret_id(&live.arn);
    done("secretsmanager:RestoreSecret", call.send().await)?;
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("secret `{name}` to be back");
    let wait = Wait::new(what, Duration::from_mins(1), &news);
    wait.until(async || {
        let told = listing::describe(cx, &live.arn).await?;
        Ok(match told.filter(|told| told.deleted_date.is_none()) {
            Some(told) => Poll::Ready(listing::live(told)),
            None => Poll::Pending("waiting for its deletion".to_owned()),
        })
    })
    .await
}

pub(super) async fn updated(
    spec: &StoredSecret,
    cx: &Context,
    target: Target<'_>,
    mut live: Live,
) -> Result<Live> {
    let mut note = live.tags.value(VALUE).unwrap_or_default().to_owned();
    if !spec.is_current(&live, target)? {
        let written = spec.written(target)?;
        let call = cx.aws.secrets.put_secret_value().secret_id(&live.arn);
        let call = call
            .client_request_token(&written.version)
            .secret_string(written.value.expose())
            .send();
        done("secretsmanager:PutSecretValue", call.await)?;
        live.version = Some(written.version);
        note = written.note;
    }
    let key = spec.key_to_use(target)?;
    let old = live.key.as_deref().filter(|key| *key != DEFAULT_KEY);
    if old != key || live.description != spec.description {
        let call = cx.aws.secrets.update_secret().secret_id(&live.arn);
        let call = call
            .description(&spec.description)
            .kms_key_id(key.unwrap_or(DEFAULT_KEY));
        done("secretsmanager:UpdateSecret", call.send().await)?;
        live.key = key.map(str::to_owned);
        live.description.clone_from(&spec.description);
    }
    // The note of the value comes last: without it, the value is written again.
    retag(cx, &mut live, &spec.tags(target, &note)).await?;
    Ok(live)
}

impl StoredSecret {
    fn written(&self, target: Target<'_>) -> Result<Written> {
        if let Some(generate) = &self.generate {
            let value = generate.value()?;
            let version = version_of(&fingerprint(&value)?);
            let note = generate.words();
            return Ok(Written {
                value,
                note,
                version,
            });
        }
        let missing = || Error::playbook("the secret has no value", target.at);
        let source = self.value_from.as_ref().ok_or_else(missing)?;
        let value = source.read(target)?;
        let note = fingerprint(&value)?;
        let version = version_of(&note);
        Ok(Written {
            value,
            note,
            version,
        })
    }

    fn tags(&self, target: Target<'_>, note: &str) -> Tags {
        let mut tags = target.tags.clone();
        tags.0.insert(VALUE.to_owned(), note.to_owned());
        let days = self.recovery_days.to_string();
        tags.0.insert(RECOVERY_DAYS.to_owned(), days);
        tags
    }

    fn key_to_use<'a>(&self, target: Target<'a>) -> Result<Option<&'a str>> {
        let Some(name) = &self.key else {
            return Ok(None);
        };
        let at = target.node.entry("key").map_or(target.at, |node| &node.at);
        let missing = || Error::playbook(format!("key `{}` does not exist", name.0), at);
        self.key_id(target).ok_or_else(missing).map(Some)
    }
}

async fn retag(cx: &Context, live: &mut Live, wanted: &Tags) -> Result<()> {
    let (set, unset) = tags::changes(&live.tags, wanted);
    if !set.is_empty() {
        let call = cx.aws.secrets.tag_resource().secret_id(&live.arn);
        let call = call.set_tags(Some(sdk_tags(&set))).send().await;
        done("secretsmanager:TagResource", call)?;
    }
    if !unset.is_empty() {
        let call = cx.aws.secrets.untag_resource().secret_id(&live.arn);
        let call = call.set_tag_keys(Some(unset)).send().await;
        done("secretsmanager:UntagResource", call)?;
    }
    live.tags.apply(wanted);
    Ok(())
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}
