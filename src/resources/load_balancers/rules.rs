//! Brings a listener's rules to what the playbook says: the first that fits is taken, so what
//! counts is their order, not AWS's numbers for it.

use aws_sdk_elasticloadbalancingv2::types::{
    HostHeaderConditionConfig, PathPatternConditionConfig, Rule as SdkRule, RuleCondition,
};

use super::action::Action;
use super::difference::same;
use super::listing::LiveRule;
use crate::aws::{is_code, refused};
use crate::base::Result;
use crate::contract::Context;

pub(super) async fn bring(
    cx: &Context,
    listener: &str,
    there: &[LiveRule],
    wanted: Vec<LiveRule>,
) -> Result<Vec<LiveRule>> {
    let mut last = there.iter().map(|rule| rule.priority).max().unwrap_or(0);
    let mut now = Vec::new();
    for (index, mut rule) in wanted.into_iter().enumerate() {
        if let Some(old) = there.get(index) {
            rule.arn.clone_from(&old.arn);
            rule.priority = old.priority;
            if !same(old, &rule) {
                let call = cx.aws.elb.modify_rule().rule_arn(&rule.arn);
                let call = call.set_conditions(Some(conditions(&rule)));
                let done = call.actions(rule.action.sdk()).send().await;
                done.map_err(refused("elasticloadbalancing:ModifyRule"))?;
            }
        } else {
            last += 1;
            rule.priority = last;
            rule.arn = created(cx, listener, &rule).await?;
        }
        now.push(rule);
    }
    for old in there.iter().skip(now.len()) {
        let call = cx.aws.elb.delete_rule().rule_arn(&old.arn);
        let done = call.send().await;
        match done.map_err(refused("elasticloadbalancing:DeleteRule")) {
            Err(error) if !is_code(&error, "RuleNotFound") => return Err(error),
            _ => {}
        }
    }
    Ok(now)
}

async fn created(cx: &Context, listener: &str, rule: &LiveRule) -> Result<String> {
    let call = cx.aws.elb.create_rule().listener_arn(listener);
    let call = call.priority(rule.priority);
    let call = call.set_conditions(Some(conditions(rule)));
    let made = call.actions(rule.action.sdk()).send().await;
    match made.map_err(refused("elasticloadbalancing:CreateRule")) {
        Ok(made) => {
            let made = made.rules.into_iter().flatten().next();
            Ok(made.and_then(|made| made.rule_arn).unwrap_or_default())
        }
        // An answer was lost.
        Err(error) if is_code(&error, "PriorityInUse") => {
            let there = rules(cx, listener).await?;
            let is_it = |it: &LiveRule| it.priority == rule.priority && same(it, rule);
            let it = there.into_iter().find(is_it);
            it.map(|it| it.arn).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

fn conditions(rule: &LiveRule) -> Vec<RuleCondition> {
    let some = |values: &[String]| Some(values.to_vec()).filter(|values| !values.is_empty());
    let path = some(&rule.path).map(|values| {
        let config = PathPatternConditionConfig::builder().set_values(Some(values));
        RuleCondition::builder()
            .field("path-pattern")
            .path_pattern_config(config.build())
            .build()
    });
    let host = some(&rule.host).map(|values| {
        let config = HostHeaderConditionConfig::builder().set_values(Some(values));
        RuleCondition::builder()
            .field("host-header")
            .host_header_config(config.build())
            .build()
    });
    path.into_iter().chain(host).collect()
}

/// The rules of a listener but for its default action, by priority.
pub(super) async fn rules(cx: &Context, listener: &str) -> Result<Vec<LiveRule>> {
    let pages = cx.aws.elb.describe_rules().listener_arn(listener);
    let mut pages = pages.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(rule) = pages.next().await {
        let rule = rule.map_err(refused("elasticloadbalancing:DescribeRules"))?;
        if rule.is_default != Some(true) {
            found.push(LiveRule::from(rule));
        }
    }
    found.sort_by_key(|rule| rule.priority);
    Ok(found)
}

impl From<SdkRule> for LiveRule {
    fn from(rule: SdkRule) -> Self {
        let priority = rule.priority.and_then(|it| it.parse().ok());
        let mut read = Self {
            arn: rule.rule_arn.unwrap_or_default(),
            priority: priority.unwrap_or_default(),
            action: Action::read(rule.actions),
            ..Self::default()
        };
        for condition in rule.conditions.into_iter().flatten() {
            let values = condition.values.unwrap_or_default();
            let or = |other: Option<Vec<String>>| other.unwrap_or(values.clone());
            match condition.field.as_deref() {
                Some("path-pattern") => {
                    read.path = or(condition.path_pattern_config.and_then(|it| it.values));
                }
                Some("host-header") => {
                    read.host = or(condition.host_header_config.and_then(|it| it.values));
                }
                other => read.other.push(other.unwrap_or("?").to_owned()),
            }
        }
        read.path.sort();
        read.host.sort();
        read
    }
}
