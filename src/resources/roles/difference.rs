//! What differs between a role and its spec.

use std::collections::BTreeSet;

use super::{Live, Role};
use crate::base::{Diff, Shown, World};
use crate::contract::Target;
use crate::resources::policy_document::PolicyDocument;
use crate::resources::reference::{PolicyName, named};

pub(super) fn diff(spec: &Role, live: &Live, target: Target<'_>) -> Diff {
    let world = target.world;
    let mut diff = Diff::default()
        .fixed("name", Shown::of(&live.name), Shown::of(spec.name(target)))
        .field(
            spec.trust_field(),
            live.trust_policy.shown(),
            spec.trust().shown(),
        );
    let (old, new) = (
        attached(&live.managed_policies, world),
        wanted(&spec.managed_policies, world),
    );
    diff = diff.field("managed_policies", old, new);
    let names: BTreeSet<&String> = live.policies.keys().chain(spec.policies.keys()).collect();
    let shown = |one: Option<&PolicyDocument>| one.map_or(Shown::Absent, PolicyDocument::shown);
    for name in names {
        let (old, new) = (live.policies.get(name), spec.policies.get(name));
        diff = diff.field(&format!("policies.{name}"), shown(old), shown(new));
    }
    let boundary = spec.permissions_boundary.as_ref();
    diff.field(
        "instance_profile",
        Shown::of(live.instance_profile.is_some()),
        Shown::of(spec.instance_profile),
    )
    .field(
        "max_session_hours",
        Shown::of(f64::from(live.max_session_seconds) / 3600.0),
        Shown::of(spec.max_session_hours),
    )
    .field(
        "permissions_boundary",
        attached(live.permissions_boundary.as_slice(), world),
        wanted(boundary.map_or(&[], std::slice::from_ref), world),
    )
    .field(
        "description",
        Shown::option(live.description.as_ref()),
        Shown::option(spec.description.as_ref()),
    )
}

/// The policies with these ARNs, by the names that the playbook has for them.
fn attached(arns: &[String], world: &World) -> Shown {
    let names: BTreeSet<&str> = arns
        .iter()
        .map(|arn| named(world, "policies", arn))
        .collect();
    Shown::list(names)
}

fn wanted(names: &[PolicyName], world: &World) -> Shown {
    let arns: Option<Vec<String>> = names
        .iter()
        .map(|name| name.arn(world).map(str::to_owned))
        .collect();
    arns.map_or(Shown::AfterApply, |arns| attached(&arns, world))
}
