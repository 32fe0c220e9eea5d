//! `CloudWatch` alarms that watch one metric.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;

use super::named::{self, must_be_ours};
use super::presence::present;
use super::prices::monthly;
use super::reference::ids_shown;
use crate::aws::{Poll, Wait, refused, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, Error, OutputMeaning, Result, Shown, World};
use crate::contract::{Context, Iam, Presence, Resource, Target, Wanted};

mod change;
mod listing;
mod metric;

pub use listing::Live;
pub use metric::{ActionName, Comparison, MissingData};

use metric::{is_statistic, looks_too_far, wrong_period};

const ARN: &str = "cloudwatch:alarm:";
const TOPICS: &str = "topics";

/// An alarm on a metric in `CloudWatch`: it tells when the metric is beyond a threshold
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// Name in AWS; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// What it means, for who gets it; at most 1024 characters
    pub description: Option<String>,
    /// Namespace of the metric, such as `AWS/ApplicationELB`
    pub namespace: String,
    /// Name of the metric, such as `UnHealthyHostCount`
    pub metric: String,
    /// Which of the metrics of that name: dimension to value, such as
    /// `LoadBalancer: "{{ load_balancers.site.full_name }}"`
    #[serde(default)]
    #[schemars(length(max = 30))]
    pub dimensions: BTreeMap<String, String>,
    /// What is made of the values in a period: `Average`, `Sum`, `Minimum`, `Maximum`,
    /// `SampleCount`, or a percentile such as `p99`
    #[serde(default = "average")]
    pub statistic: String,
    /// Seconds of a period: 10, 20, 30, or a multiple of 60; below 60 AWS charges more
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 10))]
    pub period_seconds: i32,
    /// Periods that are looked at
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub evaluation_periods: i32,
    /// Periods of those that must be beyond the threshold; all, if not given
    #[schemars(range(min = 1))]
    pub datapoints_to_alarm: Option<i32>,
    /// The threshold, in the metric's own unit
    pub threshold: f64,
    /// When it is an alarm, the metric compared with the threshold: `>`, `>=`, `<` or `<=`
    pub comparison: Comparison,
    /// What a period without data counts as: `missing` (if not given), `ignore`, `breaching` or
    /// `not_breaching`
    #[serde(default)]
    #[schemars(extend("default" = "missing"))]
    pub missing_data: MissingData,
    /// What happens when the alarm goes off: names of topics, or ARNs
    #[serde(default)]
    #[schemars(length(max = 5))]
    pub alarm_actions: Vec<ActionName>,
    /// What happens when all is well again: names of topics, or ARNs
    #[serde(default)]
    #[schemars(length(max = 5))]
    pub ok_actions: Vec<ActionName>,
    /// The actions are carried out; `false` keeps it quiet
    #[serde(default = "yes")]
    pub actions_enabled: bool,
}

fn average() -> String {
    "Average".to_owned()
}

fn five_minutes() -> i32 {
    300
}

fn one() -> i32 {
    1
}

fn yes() -> bool {
    true
}

impl Resource for Alarm {
    const KIND: &'static str = "alarms";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:ListTagsForResource",
        ],
        apply: &[
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:ListTagsForResource",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ],
        delete: &["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Name in AWS"),
        ("name", "Name in AWS"),
        ("arn", "Amazon resource name"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 24;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let mut found = Vec::new();
        let mut wrong = |field: &str, text: &str| {
            found.push((vec![Step::Key(field.to_owned())], text.to_owned()));
        };
        let name = self.name.as_deref();
        if name.is_some_and(|name| name.is_empty() || name.chars().count() > 255) {
            wrong("name", "an alarm's name has 1 to 255 characters");
        }
        let description = self.description.as_deref().unwrap_or_default();
        if description.chars().count() > 1024 {
            wrong("description", "a description has at most 1024 characters");
        }
        if self.dimensions.len() > 30 {
            wrong("dimensions", "a metric has at most 30 dimensions");
        }
        if !is_statistic(&self.statistic) {
            let text = "a statistic is `Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount`, or a \
                        percentile from `p0` to `p100`";
            wrong("statistic", text);
        }
        if let Some(text) = wrong_period(self.period_seconds) {
            wrong("period_seconds", text);
        }
        if self.evaluation_periods < 1 {
            wrong("evaluation_periods", "at least 1 period is looked at");
        }
        if let Some(text) = looks_too_far(self.period_seconds, self.evaluation_periods) {
            wrong("evaluation_periods", text);
        }
        let datapoints = self.datapoints_to_alarm;
        if datapoints.is_some_and(|it| !(1..=self.evaluation_periods).contains(&it)) {
            let text = "that is 1 or more, and no more than `evaluation_periods`";
            wrong("datapoints_to_alarm", text);
        }
        for (field, actions) in [
            ("alarm_actions", &self.alarm_actions),
            ("ok_actions", &self.ok_actions),
        ] {
            if actions.len() > 5 {
                wrong(field, "an alarm has at most 5 actions of each sort");
            }
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let names = named::names(cx, wanted, ARN).await?;
        let found = listing::list(cx, &names).await?;
        let found = found.into_iter().map(|mut live| async {
            let ask = || listing::tags_of(cx, &live.arn);
            live.tags = named::tags(cx, wanted, &live.arn, ask).await?;
            Ok::<_, Error>(live)
        });
        try_join_all(found).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let name = named::name_of(self.name.as_ref(), target);
        let world = target.world;
        let diff = Diff::default()
            .fixed("name", Shown::of(&live.name), Shown::of(name))
            .field(
                "description",
                Shown::option(live.description.as_ref()),
                Shown::option(self.description.as_ref()),
            );
        let texts = [
            (
                "namespace",
                live.namespace.as_str(),
                self.namespace.as_str(),
            ),
            ("metric", &live.metric, &self.metric),
        ];
        let diff = fields(diff, texts);
        let diff = diff.field(
            "dimensions",
            dimensions(&live.dimensions),
            dimensions(&self.dimensions),
        );
        let diff = fields(diff, [("statistic", &*live.statistic, &*self.statistic)]);
        let numbers = [
            ("period_seconds", live.period_seconds, self.period_seconds),
            (
                "evaluation_periods",
                live.evaluation_periods,
                self.evaluation_periods,
            ),
        ];
        let diff = numbers.into_iter().fold(diff, |diff, (field, old, new)| {
            diff.field(field, Shown::of(old), Shown::of(new))
        });
        // AWS may report what it takes for one that is not given: all.
        let all = |given: Option<i32>, all: i32| Shown::option(given.filter(|it| *it != all));
        let diff = diff
            .field(
                "datapoints_to_alarm",
                all(live.datapoints_to_alarm, live.evaluation_periods),
                all(self.datapoints_to_alarm, self.evaluation_periods),
            )
            .field(
                "threshold",
                Shown::of(live.threshold),
                Shown::of(self.threshold),
            );
        let words = [
            (
                "comparison",
                Comparison::read(&live.comparison),
                self.comparison.sign(),
            ),
            (
                "missing_data",
                MissingData::read(&live.missing_data),
                self.missing_data.written(),
            ),
        ];
        let diff = fields(diff, words)
            .field(
                "alarm_actions",
                ids_shown(world, TOPICS, &live.alarm_actions),
                actions_shown(&self.alarm_actions, world),
            )
            .field(
                "ok_actions",
                ids_shown(world, TOPICS, &live.ok_actions),
                actions_shown(&self.ok_actions, world),
            )
            .field(
                "actions_enabled",
                Shown::of(live.actions_enabled),
                Shown::of(self.actions_enabled),
            );
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, region: &str) -> Cost {
        price(self.period_seconds, region)
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let name = named::name_of(self.name.as_ref(), target);
        let there = match live {
            Some(live) => Some(live.clone()),
            // PutMetricAlarm overwrites whatever has the name.
            None => found(cx, target, &name).await?,
        };
        let same = match &there {
            Some(live) => self.is_as_wanted(live, target)?,
            None => false,
        };
        if !same {
            change::put(self, cx, target, &name).await?;
        }
        let mut live = match there {
            Some(live) => live,
            None => change::made(cx, target, &name).await?,
        };
        change::retag(cx, &mut live, target.tags).await?;
        Ok(live)
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        let call = cx.aws.cloudwatch.delete_alarms().alarm_names(&live.name);
        // AWS does not mind when it is gone already.
        let done = call.send().await;
        done.map_err(refused("cloudwatch:DeleteAlarms"))?;
        let what = format!("alarm `{}` to be gone", live.name);
        let wait = Wait::new(what, Duration::from_mins(2), &|_| {});
        wait.until(async || {
            Ok(match listing::describe(cx, &live.name).await? {
                None => Poll::Ready(()),
                Some(_) => Poll::Pending("still there".to_owned()),
            })
        })
        .await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let seen = |live: Live| (live.name, live.state);
        present(ids, async |ids| listing::list(cx, &ids).await, seen).await
    }
}

/// What one costs a month: more where it looks more often than every minute.
fn price(period_seconds: i32, region: &str) -> Cost {
    match period_seconds {
        ..60 => monthly("cloudwatch/alarm-high-resolution", region, 1.0),
        _ => monthly("cloudwatch/alarm", region, 1.0),
    }
}

fn fields<'a, const N: usize>(diff: Diff, fields: [(&str, &'a str, &'a str); N]) -> Diff {
    fields.into_iter().fold(diff, |diff, (field, old, new)| {
        diff.field(field, Shown::of(old), Shown::of(new))
    })
}

fn dimensions(dimensions: &BTreeMap<String, String>) -> Shown {
    let dimensions = dimensions.iter();
    Shown::list(dimensions.map(|(name, value)| format!("{name}={value}")))
}

fn actions_shown(actions: &[ActionName], world: &World) -> Shown {
    match change::arns(actions, world) {
        Some(arns) => ids_shown(world, TOPICS, &arns),
        None => Shown::AfterApply,
    }
}

impl Alarm {
    /// Nothing but tags may differ.
    fn is_as_wanted(&self, live: &Live, target: Target<'_>) -> Result<bool> {
        let tagged = Live {
            tags: target.tags.clone(),
            ..live.clone()
        };
        Ok(self.diff(&tagged, target)?.is_empty())
    }
}

/// The alarm of that name, if it is this one.
async fn found(cx: &Context, target: Target<'_>, name: &str) -> Result<Option<Live>> {
    let Some(mut live) = listing::describe(cx, name).await? else {
        return Ok(None);
    };
    live.tags = listing::tags_of(cx, &live.arn).await?;
    must_be_ours("alarm", name, &live.tags, target)?;
    Ok(Some(live))
}
