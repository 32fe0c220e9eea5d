//! Who gets the messages of a topic.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Live, NOT_FOUND};
use crate::aws::{is_code, refused};
use crate::base::{Result, Shown};
use crate::contract::{Context, Target};

/// Somebody who gets the messages
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// How messages are delivered
    pub protocol: Protocol,
    /// Where to: an e-mail address, a URL, a telephone number (`+353…`), or the ARN of a queue or
    /// function. Who is at an e-mail address or URL has to confirm it once; that is not waited for
    pub endpoint: String,
}

/// How messages are delivered
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// By e-mail.
    Email,
    /// By e-mail, as JSON.
    EmailJson,
    /// To a URL.
    Http,
    /// To a URL, encrypted.
    Https,
    /// To an SQS queue.
    Sqs,
    /// To a Lambda function.
    Lambda,
    /// As text messages.
    Sms,
    /// To an app, by a platform endpoint.
    Application,
    /// To a Firehose stream.
    Firehose,
}

impl Protocol {
    fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::EmailJson => "email-json",
            Self::Http => "http",
            Self::Https => "https",
            Self::Sqs => "sqs",
            Self::Lambda => "lambda",
            Self::Sms => "sms",
            Self::Application => "application",
            Self::Firehose => "firehose",
        }
    }

    /// Somebody has to confirm it before messages come.
    fn is_confirmed_first(self) -> bool {
        matches!(
            self,
            Self::Email | Self::EmailJson | Self::Http | Self::Https
        )
    }
}

impl Subscription {
    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<String> {
        let Self { protocol, endpoint } = self;
        let (right, needed) = match protocol {
            Protocol::Email | Protocol::EmailJson => (endpoint.contains('@'), "an e-mail address"),
            Protocol::Http => (endpoint.starts_with("http://"), "a URL with `http://`"),
            Protocol::Https => (endpoint.starts_with("https://"), "a URL with `https://`"),
            Protocol::Sms => (
                endpoint
                    .trim_start_matches('+')
                    .chars()
                    .all(|c| c.is_ascii_digit()),
                "a telephone number such as `+35312345678`",
            ),
            _ => (endpoint.starts_with("arn:"), "an ARN"),
        };
        (!right).then(|| format!("`{}` needs {needed}, not `{endpoint}`", protocol.word()))
    }

    fn is(&self, live: &LiveSubscription) -> bool {
        live.protocol == self.protocol.word() && live.endpoint == self.endpoint
    }
}

/// A subscription in AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiveSubscription {
    pub(super) protocol: String,
    pub(super) endpoint: String,
    /// `None` until it is confirmed; unconfirmed ones cannot be ended, and end by themselves.
    pub(super) arn: Option<String>,
}

/// Both sides to be shown.
pub(super) fn shown(live: &[LiveSubscription], wanted: &[Subscription]) -> (Shown, Shown) {
    let counts = |it: &&LiveSubscription| it.arn.is_some() || wanted.iter().any(|one| one.is(it));
    let old = live.iter().filter(counts);
    let old = old.map(|it| format!("{} {}", it.protocol, it.endpoint));
    let new = wanted.iter();
    let new = new.map(|it| format!("{} {}", it.protocol.word(), it.endpoint));
    (sorted(old.collect()), sorted(new.collect()))
}

fn sorted(mut texts: Vec<String>) -> Shown {
    texts.sort();
    texts.dedup();
    Shown::list(texts)
}

pub(super) async fn list(cx: &Context, topic: &str) -> Result<Vec<LiveSubscription>> {
    let pages = cx.aws.sns.list_subscriptions_by_topic().topic_arn(topic);
    let mut pages = pages.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(one) = pages.next().await {
        let one = match one.map_err(refused("sns:ListSubscriptionsByTopic")) {
            Ok(one) => one,
            Err(error) if is_code(&error, NOT_FOUND) => break,
            Err(error) => return Err(error),
        };
        let arn = one.subscription_arn.unwrap_or_default();
        if arn != "Deleted" {
            found.push(LiveSubscription {
                protocol: one.protocol.unwrap_or_default(),
                endpoint: one.endpoint.unwrap_or_default(),
                arn: Some(arn).filter(|arn| arn.starts_with("arn:")),
            });
        }
    }
    Ok(found)
}

pub(super) async fn bring(
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
    wanted: &[Subscription],
) -> Result<()> {
    for one in wanted {
        if live.subscriptions.iter().any(|it| one.is(it)) {
            continue;
        }
        let call = cx.aws.sns.subscribe().topic_arn(&live.arn);
        let call = call.protocol(one.protocol.word()).endpoint(&one.endpoint);
        let made = call.return_subscription_arn(true).send().await;
        let made = made.map_err(refused("sns:Subscribe"))?;
        let arn = made.subscription_arn;
        live.subscriptions.push(LiveSubscription {
            protocol: one.protocol.word().to_owned(),
            endpoint: one.endpoint.clone(),
            arn: arn.filter(|_| !one.protocol.is_confirmed_first()),
        });
    }
    for there in live.subscriptions.iter().filter(|it| it.arn.is_none()) {
        let text = format!("`{}` has to confirm the subscription", there.endpoint);
        cx.progress.doing(target.address, &text);
    }
    let (staying, going): (Vec<_>, Vec<_>) = std::mem::take(&mut live.subscriptions)
        .into_iter()
        .partition(|it| it.arn.is_none() || wanted.iter().any(|one| one.is(it)));
    for there in &going {
        end(cx, there).await?;
    }
    live.subscriptions = staying;
    Ok(())
}

/// Ends a subscription that was confirmed.
pub(super) async fn end(cx: &Context, there: &LiveSubscription) -> Result<()> {
    let Some(arn) = &there.arn else {
        return Ok(());
    };
    let call = cx.aws.sns.unsubscribe().subscription_arn(arn);
    match call.send().await.map_err(refused("sns:Unsubscribe")) {
        Err(error) if !is_code(&error, NOT_FOUND) => Err(error),
        _ => Ok(()),
    }
}
