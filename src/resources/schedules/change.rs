//! Making, changing and deleting a schedule.

use std::time::Duration;

use aws_sdk_scheduler::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, EcsParameters,
    FlexibleTimeWindow, FlexibleTimeWindowMode, LaunchType, NetworkConfiguration, RetryPolicy,
    ScheduleState, Target as SdkTarget,
};

use super::group::{CONFLICT, NOT_FOUND, Turn};
use super::{Live, Schedule, difference, group, listing, notes};
use crate::aws::tags::{self, SPEC};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Target};
use crate::resources::named;
use crate::resources::task_network::TaskPlace;

pub(super) async fn created(spec: &Schedule, cx: &Context, target: Target<'_>) -> Result<Live> {
    let (group, name) = (group::name(&cx.stack), spec.aws_name(target));
    let place = place(spec, cx, target, None).await?;
    let call = cx.aws.scheduler.create_schedule().group_name(&group);
    let call = call.name(&name);
    let call = call.schedule_expression(&spec.expression);
    let call = call.schedule_expression_timezone(&spec.timezone);
    let call = call.description(notes::write(target.tags)?);
    let call = call.state(state(spec)).flexible_time_window(window(spec)?);
    let call = call.target(task(spec, target, place)?);
    let turn = cx.aws.shared::<Turn>();
    let _held = turn.0.lock().await;
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("schedule `{name}` to be made");
    let wait = Wait::new(what, Duration::from_mins(3), &news);
    let there = wait.until(async || {
        group::ensure(cx, target.tags).await?;
        let made = call.clone().send().await;
        match made.map_err(refused("scheduler:CreateSchedule")) {
            Ok(_) => Ok(Poll::Ready(None)),
            // The group is not visible yet, or an earlier one is still going.
            Err(error) if is_code(&error, NOT_FOUND) => {
                Ok(Poll::Pending("its group is not ready".to_owned()))
            }
            // An answer was lost, or somebody put a schedule of that name there.
            Err(error) if is_code(&error, CONFLICT) => {
                match listing::one(cx, &group, &name).await? {
                    Some(live) => Ok(Poll::Ready(Some(live))),
                    None => Ok(Poll::Pending(error.message().to_owned())),
                }
            }
            // A role that was made a moment ago cannot be taken yet.
            Err(error) if error.message().contains("assume the role") => {
                Ok(Poll::Pending(error.message().to_owned()))
            }
            Err(error) => Err(error),
        }
    });
    if let Some(there) = there.await? {
        named::must_be_ours("schedule", &name, &there.tags, target)?;
        return updated(spec, cx, target, &there).await;
    }
    let wait = Wait::new(
        format!("schedule `{name}` to be visible"),
        Duration::from_mins(2),
        &news,
    );
    wait.until(async || {
        Ok(match listing::one(cx, &group, &name).await? {
            Some(live) => Poll::Ready(live),
            None => Poll::Pending("not visible yet".to_owned()),
        })
    })
    .await
}

/// Brings a schedule that is there to what is wanted: AWS takes all of it at once.
pub(super) async fn updated(
    spec: &Schedule,
    cx: &Context,
    target: Target<'_>,
    live: &Live,
) -> Result<Live> {
    let differs = !difference::between(spec, live, target).is_empty();
    let (mut set, unset) = tags::changes(&live.tags, target.tags);
    if !differs && set.is_empty() && unset.is_empty() {
        return Ok(live.clone());
    }
    let mut tags = live.tags.clone();
    tags.apply(target.tags);
    let place = place(spec, cx, target, live.place.as_ref()).await?;
    let call = cx.aws.scheduler.update_schedule().group_name(&live.group);
    let call = call.name(&live.name);
    let call = call.schedule_expression(&spec.expression);
    let call = call.schedule_expression_timezone(&spec.timezone);
    let call = call.description(notes::write(&tags)?);
    let call = call.state(state(spec)).flexible_time_window(window(spec)?);
    let call = call.target(task(spec, target, place)?);
    let done = call.send().await;
    done.map_err(refused("scheduler:UpdateSchedule"))?;
    set.remove(SPEC);
    if !set.is_empty() || !unset.is_empty() {
        group::retag(cx, target.tags).await?;
    }
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("schedule `{}` to be changed", live.name);
    let wait = Wait::new(what, Duration::from_mins(2), &news);
    let mut now = wait
        .until(async || {
            Ok(match listing::one(cx, &live.group, &live.name).await? {
                Some(now) if now.tags == tags => Poll::Ready(now),
                _ => Poll::Pending("not visible yet".to_owned()),
            })
        })
        .await?;
    now.alone = live.alone;
    Ok(now)
}

pub(super) async fn deleted(cx: &Context, live: &Live) -> Result<()> {
    let turn = cx.aws.shared::<Turn>();
    let _held = turn.0.lock().await;
    if !live.name.is_empty() {
        let call = cx.aws.scheduler.delete_schedule().group_name(&live.group);
        let gone = call.name(&live.name).send().await;
        match gone.map_err(refused("scheduler:DeleteSchedule")) {
            Err(error) if !is_code(&error, NOT_FOUND) => return Err(error),
            _ => {}
        }
        let what = format!("schedule `{}` to be gone", live.name);
        let wait = Wait::new(what, Duration::from_mins(2), &|_| {});
        wait.until(async || {
            Ok(match listing::one(cx, &live.group, &live.name).await? {
                None => Poll::Ready(()),
                Some(_) => Poll::Pending("still there".to_owned()),
            })
        })
        .await?;
    }
    group::delete_if_empty(cx, &live.group).await
}

fn state(spec: &Schedule) -> ScheduleState {
    if spec.enabled {
        ScheduleState::Enabled
    } else {
        ScheduleState::Disabled
    }
}

fn window(spec: &Schedule) -> Result<FlexibleTimeWindow> {
    let mode = match spec.flexible_window_minutes {
        Some(_) => FlexibleTimeWindowMode::Flexible,
        None => FlexibleTimeWindowMode::Off,
    };
    FlexibleTimeWindow::builder()
        .mode(mode)
        .set_maximum_window_in_minutes(spec.flexible_window_minutes)
        .build()
        .map_err(incomplete)
}

/// Only tasks with a network interface of their own take a place. What names neither network nor
/// subnets stays where it is.
async fn place(
    spec: &Schedule,
    cx: &Context,
    target: Target<'_>,
    live: Option<&TaskPlace>,
) -> Result<Option<TaskPlace>> {
    let address = Address::new("task_definitions", &spec.task_definition.0);
    let mode = target.world.output(&address, "network_mode");
    if mode.is_some_and(|mode| mode != "awsvpc") {
        return Ok(None);
    }
    let mut network = spec.tasks_network();
    if let (None, [], Some(live)) = (network.network, network.subnets, live) {
        network.subnets = &live.subnets;
    }
    network.place(cx, target).await.map(Some)
}

fn task(spec: &Schedule, target: Target<'_>, place: Option<TaskPlace>) -> Result<SdkTarget> {
    let known = |kind: &str, noun: &str, name: &str| {
        let missing = || Error::playbook(format!("{noun} `{name}` does not exist"), target.at);
        difference::arn(kind, name, target.world).ok_or_else(missing)
    };
    let role = spec.role.arn(target.world).ok_or_else(|| {
        Error::playbook(format!("role `{}` does not exist", spec.role.0), target.at)
    })?;
    let shares = spec.capacity.iter().map(|share| {
        CapacityProviderStrategyItem::builder()
            .capacity_provider(&share.provider)
            .weight(share.weight)
            .base(share.base)
            .build()
            .map_err(incomplete)
    });
    let shares = shares.collect::<Result<Vec<_>>>()?;
    let name = &spec.task_definition.0;
    let parameters = EcsParameters::builder()
        .task_definition_arn(known("task_definitions", "task definition", name)?)
        .task_count(spec.task_count)
        .set_launch_type(spec.launch().map(LaunchType::from))
        .set_capacity_provider_strategy((!shares.is_empty()).then_some(shares))
        .set_network_configuration(place.map(network).transpose()?);
    let retry = RetryPolicy::builder()
        .maximum_retry_attempts(spec.maximum_retry_attempts)
        .maximum_event_age_in_seconds(spec.maximum_event_age_seconds);
    SdkTarget::builder()
        .arn(known("clusters", "cluster", &spec.cluster.0)?)
        .role_arn(role)
        .ecs_parameters(parameters.build().map_err(incomplete)?)
        .retry_policy(retry.build())
        .build()
        .map_err(incomplete)
}

fn network(place: TaskPlace) -> Result<NetworkConfiguration> {
    let public = if place.public_ip {
        AssignPublicIp::Enabled
    } else {
        AssignPublicIp::Disabled
    };
    let groups = place.security_groups;
    let configuration = AwsVpcConfiguration::builder()
        .set_subnets(Some(place.subnets))
        .set_security_groups((!groups.is_empty()).then_some(groups))
        .assign_public_ip(public)
        .build()
        .map_err(incomplete)?;
    let network = NetworkConfiguration::builder().awsvpc_configuration(configuration);
    Ok(network.build())
}

fn incomplete(error: impl std::fmt::Display) -> Error {
    Error::failed(error.to_string())
}
