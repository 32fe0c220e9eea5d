//! What differs between a service and what is wanted of it, tags aside.

use super::words::PropagateTags;
use super::{Live, Service, load_balancer, scaling};
use crate::base::{Address, Diff, Shown, World};
use crate::contract::Target;
use crate::resources::reference::named;

/// The newest deployment is through.
const COMPLETED: &str = "COMPLETED";

pub(super) fn between(spec: &Service, live: &Live, target: Target<'_>) -> Diff {
    let world = target.world;
    let cluster = &spec.cluster.0;
    let there = named(world, "clusters", &live.cluster);
    let (old, new) = match world.id("clusters", cluster) {
        Some(id) if id == live.cluster => (Shown::Absent, Shown::Absent),
        Some(_) => (Shown::of(there), Shown::of(cluster)),
        None => (Shown::of(there), Shown::AfterApply),
    };
    let task_definition = arn_of_task(&spec.task_definition.0, world);
    let task_definition = task_definition.map_or(Shown::AfterApply, |arn| Shown::of(revision(arn)));
    let mut diff = Diff::default()
        .fixed(
            "name",
            Shown::of(&live.name),
            Shown::of(spec.aws_name(target)),
        )
        .fixed("cluster", old, new)
        .field(
            "task_definition",
            Shown::of(revision(&live.task_definition)),
            task_definition,
        )
        .field(
            "desired_count",
            Shown::of(live.desired_count),
            Shown::of(scaling::wanted_count(spec, Some(live.desired_count))),
        );
    if let Some(state) = live.rollout.as_deref().filter(|it| *it != COMPLETED) {
        // One that was not waited for, or that failed with nothing to go back to.
        let there = state.to_lowercase().replace('_', " ");
        diff = diff.field(
            "rollout",
            Shown::of(there),
            Shown::of(COMPLETED.to_lowercase()),
        );
    }
    if let Some(launch) = spec.launch_type {
        let there = Shown::option(live.launch_type.as_ref());
        diff = diff.fixed("launch_type", there, Shown::of(launch.word()));
    }
    if !spec.capacity.is_empty() {
        let there = Shown::list(&live.capacity);
        diff = diff.field("capacity", there, Shown::list(&spec.capacity));
    }
    if let Some(place) = &live.place {
        diff = spec.tasks_network().diff(diff, place, world);
    }
    diff = scaling::diff(diff, spec, live);
    let (old, new) = (live.load_balancer.as_ref(), spec.load_balancer.as_ref());
    load_balancer::diff(diff, old, new, world)
        .field(
            "health_check_grace_seconds",
            Shown::of(live.health_check_grace_seconds),
            Shown::of(spec.health_check_grace_seconds),
        )
        .field(
            "circuit_breaker",
            Shown::of(live.circuit_breaker),
            Shown::of(spec.circuit_breaker),
        )
        .field(
            "minimum_healthy_percent",
            Shown::of(live.minimum_healthy_percent),
            Shown::of(spec.minimum_healthy_percent),
        )
        .field(
            "maximum_percent",
            Shown::of(live.maximum_percent),
            Shown::of(spec.maximum_percent),
        )
        .field(
            "execute_command",
            Shown::of(live.execute_command),
            Shown::of(spec.execute_command),
        )
        .field(
            "propagate_tags",
            Shown::of(PropagateTags::shown(&live.propagate_tags)),
            Shown::of(PropagateTags::shown(spec.propagate_tags.sdk().as_str())),
        )
}

/// The newest revision, if it is known.
pub(super) fn arn_of_task<'a>(name: &str, world: &'a World) -> Option<&'a str> {
    let address = Address::new("task_definitions", name);
    world.settled(&address, "arn")?.as_str()
}

/// `FAMILY:REVISION`.
fn revision(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
