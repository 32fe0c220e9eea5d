//! How the load balancer finds out which targets of a group can answer.

use aws_sdk_elasticloadbalancingv2::types::{Matcher, ProtocolEnum, TargetGroup as SdkGroup};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Protocol;
use crate::aws::refused;
use crate::base::{Diff, Result, Shown};
use crate::contract::Context;

/// AWS's word for the port that the traffic goes to.
const TRAFFIC_PORT: &str = "traffic-port";

/// How it is found out which targets can answer: each is asked again and again
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthCheck {
    /// Path that is asked for, `/` if not given
    pub path: String,
    /// Seconds between two questions, 5 to 300; 30 if not given
    #[schemars(range(min = 5, max = 300))]
    pub interval_seconds: i32,
    /// Seconds to wait for an answer, 2 to 120 and less than the interval; 5 if not given
    #[schemars(range(min = 2, max = 120))]
    pub timeout_seconds: i32,
    /// Good answers in a row that make a target healthy, 2 to 10; 5 if not given
    #[schemars(range(min = 2, max = 10))]
    pub healthy_threshold: i32,
    /// Bad answers in a row that make a target unhealthy, 2 to 10; 2 if not given
    #[schemars(range(min = 2, max = 10))]
    pub unhealthy_threshold: i32,
    /// HTTP status codes of a good answer: `200`, `200,301` or `200-399`; `200` if not given
    pub matcher: String,
    /// Port that is asked; without it, the one that the traffic goes to
    pub port: Option<u16>,
    /// `HTTP` or `HTTPS`; without it, the group's own protocol
    pub protocol: Option<Protocol>,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            interval_seconds: 30,
            timeout_seconds: 5,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: "200".to_owned(),
            port: None,
            protocol: None,
        }
    }
}

impl HealthCheck {
    /// All that can be told to be wrong with it: the field, and what.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for (field, value, least, most) in [
            ("interval_seconds", self.interval_seconds, 5, 300),
            ("timeout_seconds", self.timeout_seconds, 2, 120),
            ("healthy_threshold", self.healthy_threshold, 2, 10),
            ("unhealthy_threshold", self.unhealthy_threshold, 2, 10),
        ] {
            if !(least..=most).contains(&value) {
                found.push((field, format!("AWS takes {least} to {most} here")));
            }
        }
        if self.timeout_seconds >= self.interval_seconds {
            let text = format!(
                "a health check must time out before the next one, after {} seconds",
                self.interval_seconds
            );
            found.push(("timeout_seconds", text));
        }
        if !self.path.starts_with('/') || self.path.len() > 1024 {
            let text = "a path begins with `/` and has at most 1024 characters";
            found.push(("path", text.to_owned()));
        }
        if !is_matcher(&self.matcher) {
            let text = "status codes are written `200`, `200,301` or `200-399`, each 200 to 499";
            found.push(("matcher", text.to_owned()));
        }
        if self.port == Some(0) {
            found.push(("port", "ports are 1 to 65535".to_owned()));
        }
        found
    }

    /// With the group's protocol where it names none.
    pub(super) fn of(&self, group: Protocol) -> Self {
        Self {
            protocol: Some(self.protocol.unwrap_or(group)),
            ..self.clone()
        }
    }

    /// Whether targets that pass the other one may fail this one; both have their protocol.
    pub(super) fn asks_otherwise_than(&self, other: &Self) -> bool {
        (&self.path, &self.matcher, self.port, self.protocol)
            != (&other.path, &other.matcher, other.port, other.protocol)
            || self.timeout_seconds < other.timeout_seconds
    }

    /// What AWS reports.
    pub(super) fn read(group: &SdkGroup) -> Self {
        let protocol = group.health_check_protocol.as_ref();
        let matcher = group.matcher.as_ref().and_then(|it| it.http_code.clone());
        Self {
            path: group.health_check_path.clone().unwrap_or_default(),
            interval_seconds: group.health_check_interval_seconds.unwrap_or_default(),
            timeout_seconds: group.health_check_timeout_seconds.unwrap_or_default(),
            healthy_threshold: group.healthy_threshold_count.unwrap_or_default(),
            unhealthy_threshold: group.unhealthy_threshold_count.unwrap_or_default(),
            matcher: matcher.unwrap_or_default(),
            port: group
                .health_check_port
                .as_deref()
                .and_then(|it| it.parse().ok()),
            protocol: protocol.and_then(|it| Protocol::read(it.as_str())),
        }
    }

    /// Adds what differs; `self` has its protocol.
    pub(super) fn diff(&self, diff: Diff, live: &Self) -> Diff {
        let port = |port: Option<u16>| port.map_or(Shown::of(TRAFFIC_PORT), Shown::of);
        let protocol = |protocol: Option<Protocol>| Shown::option(protocol.map(Protocol::word));
        let numbers = [
            (
                "interval_seconds",
                live.interval_seconds,
                self.interval_seconds,
            ),
            (
                "timeout_seconds",
                live.timeout_seconds,
                self.timeout_seconds,
            ),
            (
                "healthy_threshold",
                live.healthy_threshold,
                self.healthy_threshold,
            ),
            (
                "unhealthy_threshold",
                live.unhealthy_threshold,
                self.unhealthy_threshold,
            ),
        ];
        let diff = diff.field(
            "health_check.path",
            Shown::of(&live.path),
            Shown::of(&self.path),
        );
        let diff = numbers.into_iter().fold(diff, |diff, (field, old, new)| {
            let field = format!("health_check.{field}");
            diff.field(&field, Shown::of(old), Shown::of(new))
        });
        diff.field(
            "health_check.matcher",
            Shown::of(&live.matcher),
            Shown::of(&self.matcher),
        )
        .field("health_check.port", port(live.port), port(self.port))
        .field(
            "health_check.protocol",
            protocol(live.protocol),
            protocol(self.protocol),
        )
    }

    pub(super) fn sdk_matcher(&self) -> Matcher {
        Matcher::builder().http_code(&self.matcher).build()
    }

    pub(super) fn sdk_port(&self) -> String {
        self.port
            .map_or(TRAFFIC_PORT.to_owned(), |port| port.to_string())
    }

    pub(super) fn sdk_protocol(&self) -> Option<ProtocolEnum> {
        self.protocol.map(|it| ProtocolEnum::from(it.word()))
    }

    /// Brings a group's health check to this one, which has its protocol.
    pub(super) async fn bring(&self, cx: &Context, arn: &str, live: &mut Self) -> Result<()> {
        if self.diff(Diff::default(), live).is_empty() {
            return Ok(());
        }
        let call = cx.aws.elb.modify_target_group().target_group_arn(arn);
        let call = call
            .health_check_path(&self.path)
            .health_check_interval_seconds(self.interval_seconds)
            .health_check_timeout_seconds(self.timeout_seconds)
            .healthy_threshold_count(self.healthy_threshold)
            .unhealthy_threshold_count(self.unhealthy_threshold)
            .matcher(self.sdk_matcher())
            .health_check_port(self.sdk_port())
            .set_health_check_protocol(self.sdk_protocol());
        let done = call.send().await;
        done.map_err(refused("elasticloadbalancing:ModifyTargetGroup"))?;
        *live = self.clone();
        Ok(())
    }
}

/// Codes, and ranges of them, separated by commas.
fn is_matcher(text: &str) -> bool {
    let code = |text: &str| {
        text.parse()
            .is_ok_and(|code: u16| (200..=499).contains(&code))
    };
    text.split(',').all(|part| match part.split_once('-') {
        Some((first, last)) => code(first) && code(last) && first < last,
        None => code(part),
    })
}
