//! How a group's traffic is spread: attributes, which AWS keeps apart from the group itself.

use std::collections::HashMap;

use aws_sdk_elasticloadbalancingv2::types::TargetGroupAttribute;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::aws::refused;
use crate::base::{Diff, Result, Shown};
use crate::contract::Context;

const DELAY: &str = "deregistration_delay.timeout_seconds";
const SLOW_START: &str = "slow_start.duration_seconds";
const STICKY: &str = "stickiness.enabled";
const STICKY_TYPE: &str = "stickiness.type";
const LB_SECONDS: &str = "stickiness.lb_cookie.duration_seconds";
const APP_SECONDS: &str = "stickiness.app_cookie.duration_seconds";
const APP_COOKIE: &str = "stickiness.app_cookie.cookie_name";

/// Sends a client that comes back to the same target, by a cookie
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stickiness {
    /// Seconds that a client stays with its target, 1 to 604800 (a week); 86400 (a day) if not
    /// given
    #[schemars(range(min = 1, max = 604_800))]
    pub seconds: i32,
    /// Name of the application's own cookie that it follows; without it, the load balancer makes
    /// one
    pub cookie: Option<String>,
}

impl Default for Stickiness {
    fn default() -> Self {
        Self {
            seconds: 86400,
            cookie: None,
        }
    }
}

impl Stickiness {
    /// All that can be told to be wrong with it: the field, and what.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if !(1..=604_800).contains(&self.seconds) {
            let text = "AWS takes 1 to 604800 seconds (a week) here";
            found.push(("seconds", text.to_owned()));
        }
        let reserved = ["AWSALB", "AWSALBAPP", "AWSALBTG"];
        let cookie = self.cookie.as_deref();
        if cookie.is_some_and(|name| reserved.iter().any(|it| name.starts_with(it))) {
            let text = "cookies whose names begin with `AWSALB` are the load balancer's own";
            found.push(("cookie", text.to_owned()));
        }
        found
    }
}

/// The attributes that are managed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attributes {
    pub(super) deregistration_delay_seconds: i32,
    pub(super) slow_start_seconds: i32,
    pub(super) stickiness: Option<Stickiness>,
}

impl Default for Attributes {
    /// What AWS gives a new group.
    fn default() -> Self {
        Self {
            deregistration_delay_seconds: 300,
            slow_start_seconds: 0,
            stickiness: None,
        }
    }
}

impl Attributes {
    /// Adds what differs.
    pub(super) fn diff(&self, diff: Diff, live: &Self) -> Diff {
        let seconds = |it: &Self| Shown::option(it.stickiness.as_ref().map(|it| it.seconds));
        let cookie = |it: &Self| {
            let stickiness = it.stickiness.as_ref();
            Shown::option(stickiness.and_then(|it| it.cookie.as_ref()))
        };
        diff.field(
            "deregistration_delay_seconds",
            Shown::of(live.deregistration_delay_seconds),
            Shown::of(self.deregistration_delay_seconds),
        )
        .field(
            "slow_start_seconds",
            Shown::of(live.slow_start_seconds),
            Shown::of(self.slow_start_seconds),
        )
        .field("stickiness.seconds", seconds(live), seconds(self))
        .field("stickiness.cookie", cookie(live), cookie(self))
    }

    /// Brings a group's attributes to these.
    pub(super) async fn bring(&self, cx: &Context, arn: &str, live: &mut Self) -> Result<()> {
        if self == live {
            return Ok(());
        }
        let call = cx.aws.elb.modify_target_group_attributes();
        let call = call.target_group_arn(arn);
        let attributes = self.written().into_iter().map(|(key, value)| {
            TargetGroupAttribute::builder()
                .key(key)
                .value(value)
                .build()
        });
        let call = call.set_attributes(Some(attributes.collect()));
        let done = call.send().await;
        done.map_err(refused("elasticloadbalancing:ModifyTargetGroupAttributes"))?;
        *live = self.clone();
        Ok(())
    }

    fn written(&self) -> Vec<(&'static str, String)> {
        let mut written = vec![
            (DELAY, self.deregistration_delay_seconds.to_string()),
            (SLOW_START, self.slow_start_seconds.to_string()),
            (STICKY, self.stickiness.is_some().to_string()),
        ];
        match &self.stickiness {
            None => {}
            Some(Stickiness {
                seconds,
                cookie: None,
            }) => {
                written.push((STICKY_TYPE, "lb_cookie".to_owned()));
                written.push((LB_SECONDS, seconds.to_string()));
            }
            Some(Stickiness {
                seconds,
                cookie: Some(cookie),
            }) => {
                written.push((STICKY_TYPE, "app_cookie".to_owned()));
                written.push((APP_COOKIE, cookie.clone()));
                written.push((APP_SECONDS, seconds.to_string()));
            }
        }
        written
    }
}

/// The attributes of a group.
pub(super) async fn describe(cx: &Context, arn: &str) -> Result<Attributes> {
    let call = cx.aws.elb.describe_target_group_attributes();
    let told = call.target_group_arn(arn).send().await;
    let told = told.map_err(refused(
        "elasticloadbalancing:DescribeTargetGroupAttributes",
    ))?;
    let told: HashMap<String, String> = told
        .attributes
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one.key?, one.value?)))
        .collect();
    let text = |key: &str| told.get(key).map(String::as_str).unwrap_or_default();
    let number = |key: &str| text(key).parse::<i32>().ok();
    let stickiness = (text(STICKY) == "true").then(|| {
        let by_app = text(STICKY_TYPE) == "app_cookie";
        let seconds = if by_app { APP_SECONDS } else { LB_SECONDS };
        Stickiness {
            seconds: number(seconds).unwrap_or_default(),
            cookie: by_app.then(|| text(APP_COOKIE).to_owned()),
        }
    });
    Ok(Attributes {
        deregistration_delay_seconds: number(DELAY).unwrap_or_default(),
        slow_start_seconds: number(SLOW_START).unwrap_or_default(),
        stickiness,
    })
}
