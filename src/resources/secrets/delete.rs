//! Deletes a secret, at once or after its days of recovery, and tells which.

use std::time::Duration;

use aws_smithy_types::date_time::Format;
use futures::future::join_all;

use super::{Live, NOT_FOUND, RECOVERY_DAYS, listing};
use crate::aws::{Poll, Wait, done, is_code, unless};
use crate::base::Result;
use crate::contract::{Context, Presence};

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let days = live.tags.value(RECOVERY_DAYS);
    let days: i64 = days.and_then(|days| days.parse().ok()).unwrap_or(7);
    let call = cx.aws.secrets.delete_secret().secret_id(&live.arn);
    let call = match days {
        0 => call.force_delete_without_recovery(true),
        days => call.recovery_window_in_days(days),
    };
    match done("secretsmanager:DeleteSecret", call.send().await) {
        // It waits for its deletion already, or something else holds it.
        Err(error) if is_code(&error, "InvalidRequestException") => {
            let told = listing::describe(cx, &live.arn).await?;
            if told.is_some_and(|told| told.deleted_date.is_none()) {
                return Err(error);
            }
        }
        done => unless(NOT_FOUND, done)?,
    }
    let what = format!("secret `{}` to be gone", live.name);
    let wait = Wait::new(what, Duration::from_mins(2), &|_| {});
    wait.until(async || {
        let told = listing::describe(cx, &live.arn).await?;
        let waits = |deleted: bool| deleted && days != 0;
        Ok(match told {
            None => Poll::Ready(()),
            Some(told) if waits(told.deleted_date.is_some()) => Poll::Ready(()),
            Some(_) => Poll::Pending("still there".to_owned()),
        })
    })
    .await
}

/// One answer per ARN.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let answers = ids.iter().map(|id| async {
        match listing::describe(cx, id).await {
            Err(error) => Presence::unknown(&error),
            Ok(None) => Presence::Absent,
            Ok(Some(told)) => match told.deleted_date {
                None => Presence::Present("there".to_owned()),
                Some(date) => {
                    let date = date.fmt(Format::DateTime);
                    Presence::Pending(date.unwrap_or_else(|_| "its deletion".to_owned()))
                }
            },
        }
    });
    join_all(answers).await
}
