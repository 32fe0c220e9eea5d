//! Writes an alarm, and its tags.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, Statistic, Tag};

use super::listing::{self, Live};
use super::metric::is_percentile;
use super::{ActionName, Alarm, TOPICS};
use crate::aws::{Poll, Tags, Wait, refused, tags};
use crate::base::{Error, Result, World};
use crate::contract::{Context, Target};

/// The ARN of each action; `None` while a topic does not exist.
pub(super) fn arns(actions: &[ActionName], world: &World) -> Option<Vec<String>> {
    let arn = |ActionName(name): &ActionName| {
        if name.starts_with("arn:") {
            Some(name.clone())
        } else {
            world.id(TOPICS, name).map(str::to_owned)
        }
    };
    actions.iter().map(arn).collect()
}

pub(super) async fn put(alarm: &Alarm, cx: &Context, target: Target<'_>, name: &str) -> Result<()> {
    let actions = |actions: &[ActionName]| {
        let missing = || {
            let lacks = |it: &&ActionName| {
                !it.0.starts_with("arn:") && target.world.id(TOPICS, &it.0).is_none()
            };
            let name = actions.iter().find(lacks).map_or("", |it| it.0.as_str());
            Error::playbook(format!("topic `{name}` does not exist"), target.at)
        };
        let arns = arns(actions, target.world).ok_or_else(missing)?;
        let arns: BTreeSet<String> = arns.into_iter().collect();
        Ok::<_, Error>(Some(arns.into_iter().collect::<Vec<_>>()))
    };
    let dimensions = alarm.dimensions.iter().map(|(name, value)| {
        let dimension = Dimension::builder().name(name);
        dimension.value(value).build()
    });
    let call = cx.aws.cloudwatch.put_metric_alarm().alarm_name(name);
    let call = call
        .set_alarm_description(alarm.description.clone())
        .namespace(&alarm.namespace)
        .metric_name(&alarm.metric)
        .set_dimensions(Some(dimensions.collect()))
        .period(alarm.period_seconds)
        .evaluation_periods(alarm.evaluation_periods)
        .set_datapoints_to_alarm(alarm.datapoints_to_alarm)
        .threshold(alarm.threshold)
        .comparison_operator(ComparisonOperator::from(alarm.comparison.word()))
        .treat_missing_data(alarm.missing_data.word())
        .set_alarm_actions(actions(&alarm.alarm_actions)?)
        .set_ok_actions(actions(&alarm.ok_actions)?)
        .actions_enabled(alarm.actions_enabled)
        // Taken when the alarm is made, and not looked at when it is changed.
        .set_tags(Some(sdk_tags(&target.tags.0)));
    let call = if is_percentile(&alarm.statistic) {
        call.extended_statistic(&alarm.statistic)
    } else {
        call.statistic(Statistic::from(alarm.statistic.as_str()))
    };
    let done = call.send().await;
    done.map_err(refused("cloudwatch:PutMetricAlarm"))?;
    Ok(())
}

/// Waits until the alarm can be seen.
pub(super) async fn made(cx: &Context, target: Target<'_>, name: &str) -> Result<Live> {
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("alarm `{name}` to be seen");
    let wait = Wait::new(what, Duration::from_mins(1), &news);
    let mut live = wait
        .until(async || {
            Ok(match listing::describe(cx, name).await? {
                Some(live) => Poll::Ready(live),
                None => Poll::Pending("not visible yet".to_owned()),
            })
        })
        .await?;
    live.tags = target.tags.clone();
    Ok(live)
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect()
}

pub(super) async fn retag(cx: &Context, live: &mut Live, wanted: &Tags) -> Result<()> {
    let (set, unset) = tags::changes(&live.tags, wanted);
    if !set.is_empty() {
        let call = cx.aws.cloudwatch.tag_resource().resource_arn(&live.arn);
        let done = call.set_tags(Some(sdk_tags(&set))).send().await;
        done.map_err(refused("cloudwatch:TagResource"))?;
    }
    if !unset.is_empty() {
        let call = cx.aws.cloudwatch.untag_resource().resource_arn(&live.arn);
        let done = call.set_tag_keys(Some(unset)).send().await;
        done.map_err(refused("cloudwatch:UntagResource"))?;
    }
    live.tags.apply(wanted);
    Ok(())
}
