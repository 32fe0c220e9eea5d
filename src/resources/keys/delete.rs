//! Schedules a key's deletion, and tells whether it is gone or when it will be.

use aws_sdk_kms::types::KeyMetadata;
use aws_smithy_types::date_time::Format;
use futures::future::join_all;

use super::{ALIAS, DELETION_DAYS, Live, NOT_FOUND, listing};
use crate::aws::{done, is_code, unless};
use crate::base::Result;
use crate::contract::{Context, Presence};

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    // A key that took this one's place has the alias by now.
    for alias in listing::aliases(cx, Some(&live.id)).await?.keys() {
        let call = cx.aws.kms.delete_alias();
        let gone = call.alias_name(format!("{ALIAS}{alias}")).send().await;
        unless(NOT_FOUND, done("kms:DeleteAlias", gone))?;
    }
    let days = live.tags.value(DELETION_DAYS);
    let days = days.and_then(|days| days.parse().ok()).unwrap_or(7);
    let call = cx.aws.kms.schedule_key_deletion().key_id(&live.id);
    let call = call.pending_window_in_days(days).send().await;
    match done("kms:ScheduleKeyDeletion", call) {
        // It is waiting already, or another state forbids it.
        Err(error) if is_code(&error, "KMSInvalidStateException") => {
            let told = listing::metadata(cx, &live.id).await?;
            if told.is_none_or(|key| listing::is_dying(&key)) {
                Ok(())
            } else {
                Err(error)
            }
        }
        done => unless(NOT_FOUND, done),
    }
}

/// One answer per id: a key's id, or `alias/NAME`.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let aliases = if ids.iter().any(|id| id.starts_with(ALIAS)) {
        Some(listing::aliases(cx, None).await)
    } else {
        None
    };
    let answers = ids.iter().map(|id| async {
        let Some(alias) = id.strip_prefix(ALIAS) else {
            return match listing::metadata(cx, id).await {
                Ok(told) => told.map_or(Presence::Absent, of_key),
                Err(error) => Presence::unknown(&error),
            };
        };
        match &aliases {
            Some(Ok(aliases)) if aliases.contains_key(alias) => {
                Presence::Present("listed".to_owned())
            }
            Some(Err(error)) => Presence::unknown(error),
            _ => Presence::Absent,
        }
    });
    join_all(answers).await
}

fn of_key(key: KeyMetadata) -> Presence {
    if !listing::is_dying(&key) {
        let state = key.key_state.map(|state| state.as_str().to_owned());
        return Presence::Present(state.unwrap_or_default());
    }
    let date = key.deletion_date;
    let date = date.and_then(|date| date.fmt(Format::DateTime).ok());
    Presence::Pending(date.unwrap_or_else(|| "its deletion".to_owned()))
}
