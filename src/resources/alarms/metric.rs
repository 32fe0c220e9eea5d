//! What an alarm watches, in AWS's words and the playbook's.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// What AWS takes as a statistic beside percentiles.
const STATISTICS: [&str; 5] = ["Average", "Sum", "Minimum", "Maximum", "SampleCount"];

/// How the metric is compared with the threshold
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Comparison {
    /// Above the threshold.
    #[serde(rename = ">")]
    Above,
    /// At the threshold or above.
    #[serde(rename = ">=")]
    AtLeast,
    /// Below the threshold.
    #[serde(rename = "<")]
    Below,
    /// At the threshold or below.
    #[serde(rename = "<=")]
    AtMost,
}

impl Comparison {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Above => "GreaterThanThreshold",
            Self::AtLeast => "GreaterThanOrEqualToThreshold",
            Self::Below => "LessThanThreshold",
            Self::AtMost => "LessThanOrEqualToThreshold",
        }
    }

    /// The sign for AWS's word, or the word where there is none.
    pub(super) fn read(word: &str) -> &str {
        let all = [Self::Above, Self::AtLeast, Self::Below, Self::AtMost];
        let known = all.into_iter().find(|it| it.word() == word);
        match known {
            Some(known) => known.sign(),
            None => word,
        }
    }
}

/// What a period without data counts as
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingData {
    /// The alarm goes to "insufficient data" when all are missing.
    #[default]
    Missing,
    /// The state stays.
    Ignore,
    /// It counts as beyond the threshold.
    Breaching,
    /// It counts as within the threshold.
    NotBreaching,
}

impl MissingData {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Ignore => "ignore",
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
        }
    }

    pub(super) fn written(self) -> &'static str {
        match self {
            Self::NotBreaching => "not_breaching",
            other => other.word(),
        }
    }

    /// The playbook's word for AWS's.
    pub(super) fn read(word: &str) -> &str {
        match word {
            "notBreaching" => Self::NotBreaching.written(),
            "" => Self::Missing.word(),
            word => word,
        }
    }
}

/// A topic by its name, or anything that an alarm can do by its ARN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct ActionName(pub String);

impl JsonSchema for ActionName {
    fn schema_name() -> Cow<'static, str> {
        "ActionName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "the name of a topic, or the ARN of a topic or another action",
            "x-kind": "topics",
            "x-kind-unless": "^arn:",
        })
    }
}

pub(super) fn is_statistic(word: &str) -> bool {
    STATISTICS.contains(&word) || is_percentile(word)
}

/// `p50` to `p99.9`, with up to 10 decimals, and `p100`.
pub(super) fn is_percentile(word: &str) -> bool {
    let number = word.strip_prefix('p').filter(|number| {
        let plain = |c: char| c.is_ascii_digit() || c == '.';
        number.starts_with(|c: char| c.is_ascii_digit()) && number.chars().all(plain)
    });
    let value = number.and_then(|number| number.parse::<f64>().ok());
    value.is_some_and(|value| (0.0..=100.0).contains(&value))
}

/// Why AWS refuses this period.
pub(super) fn wrong_period(seconds: i32) -> Option<&'static str> {
    let right = [10, 20, 30].contains(&seconds) || (seconds >= 60 && seconds % 60 == 0);
    (!right).then_some("a period is 10, 20, 30, or a multiple of 60 seconds")
}

/// Why AWS refuses to look back so far.
pub(super) fn looks_too_far(seconds: i32, periods: i32) -> Option<&'static str> {
    let long = i64::from(seconds) * i64::from(periods);
    match seconds {
        3600.. => (long > 604_800).then_some("an alarm looks back at most a week"),
        _ => (long > 86_400)
            .then_some("an alarm with periods below an hour looks back at most a day"),
    }
}
