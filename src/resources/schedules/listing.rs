//! What the scheduler tells: the names in the stack's group in one listing, then each schedule.

use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{AssignPublicIp, NetworkConfiguration, ScheduleState};
use futures::future::{join_all, try_join_all};

use super::{Live, Schedule, group, notes};
use crate::aws::tags::{self, ADDRESS, STACK};
use crate::aws::{Tags, is_code, refused};
use crate::base::{Address, Result};
use crate::contract::{Context, Presence, Resource, Wanted};
use crate::resources::capacity_share::CapacityShare;
use crate::resources::task_network::TaskPlace;

pub(super) async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
    let name = group::name(&cx.stack);
    let names = names(cx, &name).await?;
    let found = try_join_all(names.iter().map(|it| one(cx, &name, it))).await?;
    let mut found: Vec<Live> = found.into_iter().flatten().collect();
    let alone = found.len() == 1;
    for live in &mut found {
        live.alone = alone;
    }
    // What somebody else put into the group is not the stack's.
    found.retain(|live| !live.tags.0.is_empty());
    if found.is_empty() && names.is_empty() && wanted.declared.is_empty() {
        let tagged = wanted.tagged.named(&cx.aws, &cx.stack, group::ARN).await?;
        let tagged = tagged.into_iter().any(|(tagged, _)| tagged == name);
        if tagged && group::state(cx, &name).await?.is_some() {
            found.push(left_behind(cx, name));
        }
    }
    Ok(found)
}

/// A group whose last schedule went without it.
fn left_behind(cx: &Context, group: String) -> Live {
    let address = tags::written_address(&Address::new(Schedule::KIND, &group));
    let tags = [(STACK, cx.stack.clone()), (ADDRESS, address)];
    let tags = tags.map(|(key, value)| (key.to_owned(), value));
    Live {
        id: group.clone(),
        group,
        tags: Tags(tags.into_iter().collect()),
        ..Live::default()
    }
}

/// Names of the schedules in a group; none when there is no such group.
pub(super) async fn names(cx: &Context, group: &str) -> Result<Vec<String>> {
    let call = cx.aws.scheduler.list_schedules().group_name(group);
    let mut pages = call.into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(summary) = pages.next().await {
        match summary.map_err(refused("scheduler:ListSchedules")) {
            Ok(summary) => names.extend(summary.name),
            Err(error) if is_code(&error, group::NOT_FOUND) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}

pub(super) async fn one(cx: &Context, group: &str, name: &str) -> Result<Option<Live>> {
    let call = cx.aws.scheduler.get_schedule().group_name(group);
    let told = call.name(name).send().await;
    match told.map_err(refused("scheduler:GetSchedule")) {
        Ok(told) => Ok(Some(live(cx, told))),
        Err(error) if is_code(&error, group::NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

fn live(cx: &Context, told: GetScheduleOutput) -> Live {
    let (group, name) = (
        told.group_name.unwrap_or_default(),
        told.name.unwrap_or_default(),
    );
    let description = told.description.unwrap_or_default();
    let mut live = Live {
        id: format!("{group}/{name}"),
        arn: told.arn.unwrap_or_default(),
        expression: told.schedule_expression.unwrap_or_default(),
        timezone: told.schedule_expression_timezone.unwrap_or_default(),
        flexible_window_minutes: told
            .flexible_time_window
            .and_then(|window| window.maximum_window_in_minutes),
        maximum_retry_attempts: 185,
        maximum_event_age_seconds: 86400,
        enabled: told.state != Some(ScheduleState::Disabled),
        tags: notes::read(&description, &cx.stack).unwrap_or_default(),
        group,
        name,
        ..Live::default()
    };
    let Some(target) = told.target else {
        return live;
    };
    live.cluster = target.arn;
    live.role = target.role_arn;
    if let Some(retry) = target.retry_policy {
        live.maximum_retry_attempts = retry.maximum_retry_attempts.unwrap_or(185);
        live.maximum_event_age_seconds = retry.maximum_event_age_in_seconds.unwrap_or(86400);
    }
    if let Some(task) = target.ecs_parameters {
        live.task_definition = task.task_definition_arn;
        live.task_count = task.task_count.unwrap_or(1);
        live.launch_type = task.launch_type.map(|it| it.as_str().to_owned());
        let shares = task.capacity_provider_strategy.into_iter().flatten();
        let shares = shares.map(|it| CapacityShare {
            provider: it.capacity_provider,
            weight: it.weight,
            base: it.base,
        });
        live.capacity = shares.collect();
        live.place = task.network_configuration.and_then(place);
    }
    live
}

fn place(network: NetworkConfiguration) -> Option<TaskPlace> {
    let network = network.awsvpc_configuration?;
    let public_ip = network.assign_public_ip == Some(AssignPublicIp::Enabled);
    let groups = network.security_groups.unwrap_or_default();
    Some(TaskPlace::told(network.subnets, groups, public_ip))
}

/// One answer per id: a schedule's `GROUP/NAME`, or a group's name.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let answer = async |id: &String| {
        let state = if let Some((group, name)) = id.split_once('/') {
            one(cx, group, name).await.map(|live| {
                let word = |live: Live| if live.enabled { "enabled" } else { "disabled" };
                live.map(|live| word(live).to_owned())
            })
        } else {
            let state = group::state(cx, id).await;
            state.map(|state| state.map(|state| state.as_str().to_owned()))
        };
        match state {
            Ok(Some(state)) => Presence::Present(state),
            Ok(None) => Presence::Absent,
            Err(error) => Presence::unknown(&error),
        }
    };
    join_all(ids.iter().map(answer)).await
}
