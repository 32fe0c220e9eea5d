//! Lifecycle rules: what S3 deletes by itself, and when.

use std::fmt;

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus,
    LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, NoncurrentVersionExpiration,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::creation::incomplete;
use crate::base::node::Step;
use crate::base::{Result, Shown};

/// Rules in one bucket.
const MOST: usize = 1000;

/// What S3 deletes by itself, and after how many days
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Beginning of the keys of the objects that it is about; without it, all objects
    #[serde(default)]
    pub prefix: String,
    /// Days after which an object is deleted
    #[schemars(range(min = 1))]
    pub expire_days: Option<i32>,
    /// Days after which an earlier version of an object is deleted, with `versioning`
    #[schemars(range(min = 1))]
    pub expire_noncurrent_days: Option<i32>,
    /// Days after which an upload in parts that was not finished is dropped
    #[schemars(range(min = 1))]
    pub abort_upload_days: Option<i32>,
}

impl Rule {
    fn days(&self) -> [(&'static str, Option<i32>); 3] {
        [
            ("expire_days", self.expire_days),
            ("expire_noncurrent_days", self.expire_noncurrent_days),
            ("abort_upload_days", self.abort_upload_days),
        ]
    }

    /// A rule as S3 has it; `None` when it does what cannot be declared here.
    pub(super) fn read(rule: &LifecycleRule) -> Option<Self> {
        let filter = rule.filter.as_ref();
        let more = filter.is_some_and(|it| {
            it.tag.is_some()
                || it.and.is_some()
                || it.object_size_greater_than.is_some()
                || it.object_size_less_than.is_some()
        });
        let expiration = rule.expiration.as_ref();
        let by_date = expiration.is_some_and(|it| it.date.is_some());
        let markers = expiration.and_then(|it| it.expired_object_delete_marker);
        let noncurrent = rule.noncurrent_version_expiration.as_ref();
        let newer = noncurrent.is_some_and(|it| it.newer_noncurrent_versions.is_some());
        let moves =
            !rule.transitions().is_empty() || !rule.noncurrent_version_transitions().is_empty();
        let off = rule.status != ExpirationStatus::Enabled;
        if more || by_date || markers == Some(true) || newer || moves || off {
            return None;
        }
        let abort = rule.abort_incomplete_multipart_upload.as_ref();
        Some(Self {
            prefix: filter.and_then(|it| it.prefix.clone()).unwrap_or_default(),
            expire_days: expiration.and_then(|it| it.days),
            expire_noncurrent_days: noncurrent.and_then(|it| it.noncurrent_days),
            abort_upload_days: abort.and_then(|it| it.days_after_initiation),
        })
    }

    fn sdk(&self) -> Result<LifecycleRule> {
        let expiration = |days| LifecycleExpiration::builder().days(days).build();
        let noncurrent = |days| {
            let noncurrent = NoncurrentVersionExpiration::builder();
            noncurrent.noncurrent_days(days).build()
        };
        let abort = |days| {
            let abort = AbortIncompleteMultipartUpload::builder();
            abort.days_after_initiation(days).build()
        };
        LifecycleRule::builder()
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix(&self.prefix).build())
            .set_expiration(self.expire_days.map(expiration))
            .set_noncurrent_version_expiration(self.expire_noncurrent_days.map(noncurrent))
            .set_abort_incomplete_multipart_upload(self.abort_upload_days.map(abort))
            .build()
            .map_err(incomplete)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.days().into_iter();
        let days = days.filter_map(|(name, days)| Some(format!("{name} {}", days?)));
        let days: Vec<String> = days.collect();
        match self.prefix.as_str() {
            "" => f.write_str(&days.join(", ")),
            prefix => write!(f, "{prefix}: {}", days.join(", ")),
        }
    }
}

/// The rules as S3 takes them; `None` for none.
pub(super) fn configuration(rules: &[Rule]) -> Result<Option<BucketLifecycleConfiguration>> {
    if rules.is_empty() {
        return Ok(None);
    }
    let rules = rules.iter().map(Rule::sdk).collect::<Result<Vec<_>>>()?;
    let configuration = BucketLifecycleConfiguration::builder().set_rules(Some(rules));
    configuration.build().map_err(incomplete).map(Some)
}

/// All rules in one line, in an order that means nothing.
pub(super) fn shown(rules: &[Rule], others: &[String]) -> Shown {
    let mut all: Vec<String> = rules.iter().map(Rule::to_string).collect();
    all.sort();
    all.extend(others.iter().map(|id| format!("the rule `{id}`")));
    Shown::of(all.join("; "))
}

/// What is wrong with the rules, and where.
pub(super) fn problems(rules: &[Rule]) -> Vec<(Vec<Step>, String)> {
    let field = Step::Key("lifecycle".to_owned());
    let mut problems = Vec::new();
    if rules.len() > MOST {
        let text = format!("a bucket has at most {MOST} lifecycle rules");
        problems.push((vec![field.clone()], text));
    }
    for (index, rule) in rules.iter().enumerate() {
        let at = vec![field.clone(), Step::Index(index)];
        let days = rule.days();
        if days.iter().all(|(_, days)| days.is_none()) {
            let names = days.map(|(name, _)| format!("`{name}`")).join(", ");
            problems.push((at.clone(), format!("a rule has at least one of {names}")));
        }
        for (name, days) in days {
            if days.is_some_and(|days| days < 1) {
                let mut at = at.clone();
                at.push(Step::Key(name.to_owned()));
                problems.push((at, format!("`{name}` is 1 or more")));
            }
        }
    }
    problems
}
