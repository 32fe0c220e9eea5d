//! A changed health check is on trial: what is well must stay well, or the old one is put back.
//!
//! A wrong path or status would make every target unhealthy at once, and ECS would replace tasks that serve
//! with others that fare no better.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use aws_sdk_elasticloadbalancingv2::types::{TargetHealthDescription, TargetHealthStateEnum};

use super::health_check::HealthCheck;
use super::listing::Live;
use crate::aws::elb::target_health;
use crate::base::{Diff, Error, Result};
use crate::contract::{Context, Target};

/// How often the targets are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Brings the health check to what is wanted, and waits until the targets have passed it.
pub(super) async fn bring(
    cx: &Context,
    target: Target<'_>,
    wanted: &HealthCheck,
    live: &mut Live,
) -> Result<()> {
    let before = live.health_check.clone();
    if wanted.diff(Diff::default(), &before).is_empty() {
        return Ok(());
    }
    let arn = live.arn.clone();
    let is_used = !live.load_balancers.is_empty();
    let well = if is_used && wanted.asks_otherwise_than(&before) {
        healthy(cx, &arn).await?
    } else {
        BTreeSet::new()
    };
    wanted.bring(cx, &arn, &mut live.health_check).await?;
    let Some(why) = failed(cx, target, wanted, &arn, &well).await? else {
        return Ok(());
    };
    before.bring(cx, &arn, &mut live.health_check).await?;
    let text = format!(
        "target group `{}`: its targets do not pass the new health check, so the old one is put back",
        live.name
    );
    let text = Error::failed(text).at(target.at);
    let error = why.into_iter().fold(text, Error::note);
    Err(error.hint(format!(
        "see that what runs answers `{}` with {}; where a new version is to answer it, roll that out first",
        wanted.path, wanted.matcher
    )))
}

/// What is wrong with those of these targets that become unhealthy in the time which that takes.
async fn failed(
    cx: &Context,
    target: Target<'_>,
    wanted: &HealthCheck,
    arn: &str,
    well: &BTreeSet<String>,
) -> Result<Option<BTreeSet<String>>> {
    if well.is_empty() {
        return Ok(None);
    }
    let seconds = wanted.interval_seconds * (wanted.unhealthy_threshold + 1);
    let seconds = u64::try_from(seconds + wanted.timeout_seconds).unwrap_or_default();
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        let told = target_health(&cx.aws, arn).await?;
        let is_one_of_them = |it: &&TargetHealthDescription| well.contains(&id(it));
        let mut bad: BTreeSet<_> = told
            .iter()
            .filter(is_one_of_them)
            .filter(|it| is(it, &TargetHealthStateEnum::Unhealthy))
            .map(in_words)
            .collect();
        // ECS takes an unhealthy one out soon.
        let there: BTreeSet<_> = told.iter().map(id).collect();
        let gone = well.difference(&there);
        bad.extend(gone.map(|id| format!("target {id} was taken out of the group")));
        if !bad.is_empty() {
            return Ok(Some(bad));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        let text = format!(
            "waiting {} s more whether {} targets pass the new health check",
            left.as_secs() + 1,
            well.len()
        );
        cx.progress.doing(target.address, &text);
        tokio::time::sleep(LOOK.min(left)).await;
    }
}

async fn healthy(cx: &Context, arn: &str) -> Result<BTreeSet<String>> {
    let told = target_health(&cx.aws, arn).await?;
    let healthy = told
        .iter()
        .filter(|it| is(it, &TargetHealthStateEnum::Healthy));
    Ok(healthy.map(id).collect())
}

fn is(told: &TargetHealthDescription, state: &TargetHealthStateEnum) -> bool {
    let told = told.target_health.as_ref();
    told.is_some_and(|it| it.state.as_ref() == Some(state))
}

fn id(told: &TargetHealthDescription) -> String {
    let target = told.target.as_ref();
    let id = target.and_then(|it| it.id.clone()).unwrap_or_default();
    let port = target.and_then(|it| it.port).unwrap_or_default();
    format!("{id}:{port}")
}

fn in_words(told: &TargetHealthDescription) -> String {
    let health = told.target_health.as_ref();
    let why = health.and_then(|it| it.description.clone());
    format!("target {}: {}", id(told), why.unwrap_or_default())
}
