//! What programs have written to `CloudWatch` Logs.

use super::clients::Clients;
use super::refusal::{is_code, refused};
use crate::base::{Error, Result};

/// A line of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogEvent {
    /// By which it is known: the same line has the same one.
    pub id: String,
    /// When it was written, milliseconds since 1970.
    pub at: i64,
    /// The log stream that it is in.
    pub stream: String,
    /// The line.
    pub text: String,
}

/// Those of a log group, in streams whose names begin with `begin`, written at `since` (milliseconds
/// since 1970) or later.
///
/// # Errors
/// What AWS refuses; also that there is no such group.
pub async fn since(aws: &Clients, group: &str, begin: &str, since: i64) -> Result<Vec<LogEvent>> {
    let call = aws.logs.filter_log_events().log_group_name(group);
    let call = call.log_stream_name_prefix(begin).start_time(since);
    let mut pages = call.into_paginator().send();
    let mut events = Vec::new();
    while let Some(page) = pages.next().await {
        let page = match page.map_err(refused("logs:FilterLogEvents")) {
            Ok(page) => page,
            Err(error) if is_code(&error, "ResourceNotFoundException") => {
                let text = format!("there is no log group `{group}`");
                return Err(Error::failed(text));
            }
            Err(error) => return Err(error),
        };
        let told = page.events.into_iter().flatten();
        events.extend(told.map(|event| LogEvent {
            id: event.event_id.unwrap_or_default(),
            at: event.timestamp.unwrap_or_default(),
            stream: event.log_stream_name.unwrap_or_default(),
            text: event.message.unwrap_or_default(),
        }));
    }
    Ok(events)
}

/// The last lines of a log stream, at most so many.
///
/// # Errors
/// What AWS refuses; also that there is no such group or stream.
pub async fn last(aws: &Clients, group: &str, stream: &str, count: i32) -> Result<Vec<String>> {
    let call = aws.logs.get_log_events().log_group_name(group);
    let call = call.log_stream_name(stream).start_from_head(false);
    let told = call.limit(count).send().await;
    let told = told.map_err(refused("logs:GetLogEvents"))?;
    let events = told.events.into_iter().flatten();
    Ok(events.filter_map(|event| event.message).collect())
}
