//! Alarms as AWS reports them.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{AlarmType, ComparisonOperator, MetricAlarm, StateValue};
use serde::Deserialize;

use crate::aws::{Tags, refused};
use crate::base::{Cost, Outputs, Result};
use crate::contract::Context;

/// The most names in one `DescribeAlarms`:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>.
const AT_ONCE: usize = 100;

/// An alarm in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) namespace: String,
    pub(super) metric: String,
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) statistic: String,
    pub(super) period_seconds: i32,
    pub(super) evaluation_periods: i32,
    pub(super) datapoints_to_alarm: Option<i32>,
    pub(super) threshold: f64,
    /// As AWS words it: `GreaterThanThreshold`.
    pub(super) comparison: String,
    /// As AWS words it: `notBreaching`.
    pub(super) missing_data: String,
    pub(super) alarm_actions: Vec<String>,
    pub(super) ok_actions: Vec<String>,
    pub(super) actions_enabled: bool,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub(super) state: String,
    pub(super) tags: Tags,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.name
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn cost(&self, region: &str) -> Option<Cost> {
        Some(super::price(self.period_seconds, region))
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.name.as_str())
            .with("name", self.name.as_str())
            .with("arn", self.arn.as_str())
    }
}

impl From<MetricAlarm> for Live {
    fn from(alarm: MetricAlarm) -> Self {
        let sorted = |arns: Option<Vec<String>>| {
            let mut arns = arns.unwrap_or_default();
            arns.sort();
            arns
        };
        let word = |word: Option<&str>| word.unwrap_or_default().to_owned();
        let dimensions = alarm.dimensions.into_iter().flatten();
        let dimensions = dimensions.filter_map(|it| Some((it.name?, it.value?)));
        let statistic = alarm.statistic.map(|it| it.as_str().to_owned());
        let percentile = alarm.extended_statistic.filter(|it| !it.is_empty());
        let description = alarm.alarm_description;
        Self {
            comparison: word(
                alarm
                    .comparison_operator
                    .as_ref()
                    .map(ComparisonOperator::as_str),
            ),
            state: word(alarm.state_value.as_ref().map(StateValue::as_str)),
            name: alarm.alarm_name.unwrap_or_default(),
            arn: alarm.alarm_arn.unwrap_or_default(),
            description: description.filter(|it| !it.is_empty()),
            namespace: alarm.namespace.unwrap_or_default(),
            metric: alarm.metric_name.unwrap_or_default(),
            dimensions: dimensions.collect(),
            statistic: percentile.or(statistic).unwrap_or_default(),
            period_seconds: alarm.period.unwrap_or_default(),
            evaluation_periods: alarm.evaluation_periods.unwrap_or_default(),
            datapoints_to_alarm: alarm.datapoints_to_alarm,
            threshold: alarm.threshold.unwrap_or_default(),
            missing_data: alarm.treat_missing_data.unwrap_or_default(),
            alarm_actions: sorted(alarm.alarm_actions),
            ok_actions: sorted(alarm.ok_actions),
            actions_enabled: alarm.actions_enabled.unwrap_or(true),
            tags: Tags::default(),
        }
    }
}

/// Those of these names that exist.
pub(super) async fn list(cx: &Context, names: &[String]) -> Result<Vec<Live>> {
    let mut found = Vec::new();
    for some in names.chunks(AT_ONCE) {
        let call = cx.aws.cloudwatch.describe_alarms();
        let call = call.alarm_types(AlarmType::MetricAlarm).max_records(100);
        let call = call.set_alarm_names(Some(some.to_vec()));
        let mut pages = call.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(refused("cloudwatch:DescribeAlarms"))?;
            found.extend(page.metric_alarms.into_iter().flatten().map(Live::from));
        }
    }
    Ok(found)
}

pub(super) async fn describe(cx: &Context, name: &str) -> Result<Option<Live>> {
    let found = list(cx, std::slice::from_ref(&name.to_owned())).await?;
    Ok(found.into_iter().next())
}

pub(super) async fn tags_of(cx: &Context, arn: &str) -> Result<Tags> {
    let call = cx.aws.cloudwatch.list_tags_for_resource();
    let told = call.resource_arn(arn).send().await;
    let told = told.map_err(refused("cloudwatch:ListTagsForResource"))?;
    let told = told.tags.into_iter().flatten();
    let told = told.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())));
    Ok(Tags(told.collect()))
}
