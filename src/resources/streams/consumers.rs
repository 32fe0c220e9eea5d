//! Enhanced fan-out consumers of a stream.

use std::time::Duration;

use super::{Live, NOT_FOUND};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::Result;
use crate::contract::{Context, Target};

pub(super) fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names
}

/// Names of the stream's consumers, those that are going left out.
pub(super) async fn list(cx: &Context, arn: &str) -> Result<Vec<String>> {
    let pages = cx.aws.kinesis.list_stream_consumers().stream_arn(arn);
    let mut pages = pages.into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = match page.map_err(refused("kinesis:ListStreamConsumers")) {
            Ok(page) => page,
            Err(error) if is_code(&error, NOT_FOUND) => break,
            Err(error) => return Err(error),
        };
        let consumers = page.consumers.into_iter().flatten();
        let alive = consumers.filter(|one| one.consumer_status.as_str() != "DELETING");
        names.extend(alive.map(|one| one.consumer_name));
    }
    Ok(sorted(&names))
}

pub(super) async fn bring(
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
    wanted: &[String],
) -> Result<()> {
    let wanted = sorted(wanted);
    let kinesis = &cx.aws.kinesis;
    for name in wanted.iter().filter(|name| !live.consumers.contains(name)) {
        let call = kinesis.register_stream_consumer().stream_arn(&live.arn);
        let done = call.consumer_name(name).send().await;
        match done.map_err(refused("kinesis:RegisterStreamConsumer")) {
            // An answer was lost.
            Err(error) if !is_code(&error, "ResourceInUseException") => return Err(error),
            _ => {}
        }
    }
    for name in live.consumers.iter().filter(|name| !wanted.contains(name)) {
        let call = kinesis.deregister_stream_consumer().stream_arn(&live.arn);
        let done = call.consumer_name(name).send().await;
        match done.map_err(refused("kinesis:DeregisterStreamConsumer")) {
            Err(error) if !is_code(&error, NOT_FOUND) => return Err(error),
            _ => {}
        }
    }
    if live.consumers == wanted {
        return Ok(());
    }
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("consumers of stream `{}`", live.name);
    let wait = Wait::new(what, Duration::from_mins(5), &news);
    live.consumers = wait
        .until(async || {
            let there = list(cx, &live.arn).await?;
            Ok(if there == wanted {
                Poll::Ready(there)
            } else {
                Poll::Pending(there.join(", "))
            })
        })
        .await?;
    Ok(())
}
