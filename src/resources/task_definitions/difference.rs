//! What differs between a task definition and its newest revision, tags aside.

use std::collections::BTreeSet;

use super::containers::{Facts, LATER};
use super::{Live, TaskDefinition};
use crate::base::node::Step;
use crate::base::{Diff, Shown};
use crate::contract::Target;
use crate::resources::named;
use crate::resources::role::RoleOrArn;

pub(super) fn between(spec: &TaskDefinition, live: &Live, target: Target<'_>) -> Diff {
    let family = named::name_of(spec.family.as_ref(), target);
    let mut launches = spec.requires_compatibilities.0.clone();
    launches.sort();
    launches.dedup();
    let launches = launches.into_iter().map(super::Launch::sdk);
    let launches: Vec<_> = launches.map(|it| it.as_str().to_owned()).collect();
    let role = |role: Option<&RoleOrArn>| match role {
        None => Shown::Absent,
        Some(role) => role.arn(target.world).map_or(Shown::AfterApply, Shown::of),
    };
    let mode = spec.network_mode.sdk();
    let mut diff = Diff::default()
        .fixed("family", Shown::of(&live.family), Shown::of(family))
        .field("status", Shown::of(&live.status), Shown::of("ACTIVE"))
        .field(
            "requires_compatibilities",
            Shown::list(&live.requires_compatibilities),
            Shown::list(launches),
        )
        .field("cpu", Shown::option(live.cpu), Shown::option(spec.cpu))
        .field(
            "memory_mib",
            Shown::option(live.memory_mib),
            Shown::option(spec.memory_mib),
        )
        .field(
            "network_mode",
            Shown::of(&live.network_mode),
            Shown::of(mode.as_str()),
        )
        .field(
            "execution_role",
            Shown::option(live.execution_role.as_ref()),
            role(spec.execution_role.as_ref()),
        )
        .field(
            "task_role",
            Shown::option(live.task_role.as_ref()),
            role(spec.task_role.as_ref()),
        )
        .field(
            "ephemeral_storage_gib",
            Shown::option(live.ephemeral_storage_gib),
            Shown::option(spec.ephemeral_storage_gib),
        )
        .field(
            "architecture",
            Shown::of(&live.architecture),
            Shown::of(spec.architecture.word()),
        );
    let names: BTreeSet<_> = live
        .containers
        .keys()
        .chain(spec.containers.keys())
        .collect();
    for name in names {
        let old = live.containers.get(name);
        let container = spec.containers.get(name);
        let new = container.map(|it| it.facts(name, &live.region, target.world));
        diff = container_diff(diff, name, old, new.as_ref(), target);
    }
    diff
}

/// A container that comes or goes is one line: its image.
fn container_diff(
    mut diff: Diff,
    name: &str,
    old: Option<&Facts>,
    new: Option<&Facts>,
    target: Target<'_>,
) -> Diff {
    let (Some(old), Some(new)) = (old, new) else {
        let image = |facts: Option<&Facts>| Shown::option(facts.and_then(|it| it.get("image")));
        return diff.field(&format!("containers.{name}"), image(old), image(new));
    };
    let fields: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for field in fields {
        let (old, new) = (old.get(field), new.get(field));
        if old == new {
            continue;
        }
        let shown = match new {
            Some(value) if value == LATER => Shown::AfterApply,
            Some(_) if is_secret(name, field, target) => Shown::Hidden,
            value => quoted(value),
        };
        let old = match (&shown, old) {
            (Shown::Hidden, Some(_)) => Shown::of("another value"),
            (_, old) => quoted(old),
        };
        diff = diff.field(&format!("containers.{name}.{field}"), old, shown);
    }
    diff
}

/// A variable may be empty, which is not the same as absent.
fn quoted(value: Option<&String>) -> Shown {
    match value.map(String::as_str) {
        Some("") => Shown::Text("\"\"".to_owned()),
        value => Shown::option(value),
    }
}

/// An expression that reads a secret made this value.
fn is_secret(container: &str, field: &str, target: Target<'_>) -> bool {
    let (field, variable) = field.split_once('.').unwrap_or((field, ""));
    let path = ["containers", container, field, variable];
    let path = path.map(|key| Step::Key(key.to_owned()));
    target.node.follow(&path).has_secret()
}
