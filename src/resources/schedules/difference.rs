//! What differs between a schedule and what is wanted of it, tags aside.

use super::{Live, Schedule};
use crate::base::{Address, Diff, Shown, World};
use crate::contract::Target;

pub(super) fn between(spec: &Schedule, live: &Live, target: Target<'_>) -> Diff {
    let world = target.world;
    let arn = |kind: &str, name: &str| match arn(kind, name, world) {
        Some(arn) => Shown::of(last(arn)),
        None => Shown::AfterApply,
    };
    let role = spec.role.arn(world).map_or(Shown::AfterApply, Shown::of);
    let mut diff = Diff::default()
        .fixed(
            "name",
            Shown::of(&live.name),
            Shown::of(spec.aws_name(target)),
        )
        .field(
            "expression",
            Shown::of(&live.expression),
            Shown::of(&spec.expression),
        )
        .field(
            "timezone",
            Shown::of(&live.timezone),
            Shown::of(&spec.timezone),
        )
        .field(
            "cluster",
            Shown::of(last(&live.cluster)),
            arn("clusters", &spec.cluster.0),
        )
        .field(
            "task_definition",
            Shown::of(last(&live.task_definition)),
            arn("task_definitions", &spec.task_definition.0),
        )
        .field(
            "task_count",
            Shown::of(live.task_count),
            Shown::of(spec.task_count),
        )
        .field(
            "launch_type",
            Shown::option(live.launch_type.as_ref()),
            Shown::option(spec.launch()),
        )
        .field(
            "capacity",
            Shown::list(&live.capacity),
            Shown::list(&spec.capacity),
        );
    if let Some(place) = &live.place {
        diff = spec.tasks_network().diff(diff, place, world);
    }
    diff.field("role", Shown::of(&live.role), role)
        .field(
            "flexible_window_minutes",
            Shown::option(live.flexible_window_minutes),
            Shown::option(spec.flexible_window_minutes),
        )
        .field(
            "maximum_retry_attempts",
            Shown::of(live.maximum_retry_attempts),
            Shown::of(spec.maximum_retry_attempts),
        )
        .field(
            "maximum_event_age_seconds",
            Shown::of(live.maximum_event_age_seconds),
            Shown::of(spec.maximum_event_age_seconds),
        )
        .field("enabled", Shown::of(live.enabled), Shown::of(spec.enabled))
}

/// The ARN of another resource, if it is known.
pub(super) fn arn<'a>(kind: &str, name: &str, world: &'a World) -> Option<&'a str> {
    world.settled(&Address::new(kind, name), "arn")?.as_str()
}

/// The name at the end of an ARN.
fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
