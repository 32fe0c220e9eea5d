//! Topics as AWS reports them.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::subscriptions::LiveSubscription;
use super::{NOT_FOUND, fifo_name};
use crate::aws::arn::partition;
use crate::aws::{Tags, is_code, refused};
use crate::base::{Address, Cost, Node, Outputs, Result, Value};
use crate::contract::{Context, Part, Presence, aws_name};

/// A topic in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) fifo: bool,
    pub(super) display_name: Option<String>,
    pub(super) encryption_key: Option<String>,
    pub(super) policy: Json,
    pub(super) subscriptions: Vec<LiveSubscription>,
    pub(super) tags: Tags,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.arn
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        let unconfirmed = self.subscriptions.iter().filter(|it| it.arn.is_none());
        let unconfirmed: Vec<_> = unconfirmed.map(|it| it.endpoint.clone()).collect();
        Outputs::default()
            .with("id", self.arn.as_str())
            .with("arn", self.arn.as_str())
            .with("name", self.name.as_str())
            .with("unconfirmed", unconfirmed)
    }

    fn cost(&self, _region: &str) -> Option<Cost> {
        Some(Cost::by_use("messages"))
    }

    fn parts(&self) -> Vec<Part> {
        let arns = self.subscriptions.iter().filter_map(|it| it.arn.clone());
        let part = |id| Part {
            noun: "subscription",
            id,
        };
        arns.map(part).collect()
    }
}

/// The name in AWS of a declared one, where it is known.
pub(super) fn declared_name((address, node): &(Address, Node)) -> Option<String> {
    let name = match node.entry("name").map(|node| &node.value) {
        Some(Value::Text(name)) => name.clone(),
        None | Some(Value::Null) => aws_name(address),
        Some(_) => return None,
    };
    let fifo = node.entry("fifo").map(|node| &node.value) == Some(&Value::Bool(true));
    Some(fifo_name(name, fifo))
}

pub(super) fn arn_of(cx: &Context, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    let (partition, region) = (partition(&cx.region), &cx.region);
    format!("arn:{partition}:sns:{region}:{}:{name}", cx.account)
}

pub(super) async fn describe(cx: &Context, arn: &str) -> Result<Option<Live>> {
    let call = cx.aws.sns.get_topic_attributes().topic_arn(arn);
    let told = match call.send().await.map_err(refused("sns:GetTopicAttributes")) {
        Ok(told) => told.attributes.unwrap_or_default(),
        Err(error) if is_code(&error, NOT_FOUND) => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = |told: &HashMap<String, String>, key: &str| {
        let text = told.get(key).cloned();
        text.filter(|text| !text.is_empty())
    };
    let policy = text(&told, "Policy").and_then(|text| serde_json::from_str(&text).ok());
    Ok(Some(Live {
        arn: arn.to_owned(),
        name: arn.rsplit(':').next().unwrap_or_default().to_owned(),
        fifo: text(&told, "FifoTopic").is_some_and(|it| it.eq_ignore_ascii_case("true")),
        display_name: text(&told, "DisplayName"),
        encryption_key: text(&told, "KmsMasterKeyId"),
        policy: policy.unwrap_or_default(),
        ..Live::default()
    }))
}

/// For a topic's or a subscription's ARN, which has one part more.
pub(super) async fn is_there(cx: &Context, arn: &str) -> Presence {
    let told = if arn.split(':').count() > 6 {
        let call = cx.aws.sns.get_subscription_attributes();
        let told = call.subscription_arn(arn).send().await;
        match told.map_err(refused("sns:GetSubscriptionAttributes")) {
            Ok(_) => Ok(true),
            Err(error) if is_code(&error, NOT_FOUND) => Ok(false),
            Err(error) => Err(error),
        }
    } else {
        describe(cx, arn).await.map(|found| found.is_some())
    };
    match told {
        Ok(true) => Presence::Present("exists".to_owned()),
        Ok(false) => Presence::Absent,
        Err(error) => Presence::unknown(&error),
    }
}

pub(super) async fn tags_of(cx: &Context, arn: &str) -> Result<Tags> {
    let call = cx.aws.sns.list_tags_for_resource().resource_arn(arn);
    let told = call.send().await;
    let told = told.map_err(refused("sns:ListTagsForResource"))?;
    let told = told.tags.into_iter().flatten();
    Ok(Tags(told.map(|tag| (tag.key, tag.value)).collect()))
}
