//! What differs between an instance and its spec.

use super::ami::architecture;
use super::{AMI, Instance, Live, PROTECTION, State, USER_DATA, user_data};
use crate::aws::tags;
use crate::base::{Address, Diff, Shown};
use crate::contract::Target;
use crate::resources::machine;
use crate::resources::named::with_name;
use crate::resources::reference::NetworkName;

pub(super) fn diff(spec: &Instance, live: &Live, target: Target<'_>) -> Diff {
    let diff = Diff::default();
    let diff = image_and_type(diff, spec, live);
    let diff = key_pair(diff, spec, live, target);
    let diff = network(diff, spec, live, target);
    let diff = match &live.root {
        Some(root) => spec.root_volume.diff(diff, root),
        None => diff,
    };
    let diff = user_data_and_state(diff, spec, live, target);
    let protected = live.tags.is_set(PROTECTION);
    let diff = diff
        .field(
            "termination_protection",
            Shown::of(protected),
            Shown::of(spec.termination_protection),
        )
        .field(
            "monitoring",
            Shown::of(live.monitoring),
            Shown::of(spec.monitoring),
        );
    let tokens = if live.tokens_optional {
        "optional"
    } else {
        "required"
    };
    let diff = diff.field(
        "metadata http_tokens",
        Shown::of(tokens),
        Shown::of("required"),
    );
    tags::diff(diff, &live.tags, &with_name(target))
}

fn image_and_type(diff: Diff, spec: &Instance, live: &Live) -> Diff {
    let ami = spec.ami.to_string();
    let old = live.tags.value(AMI).unwrap_or(&ami);
    let diff = diff.fixed("ami", Shown::of(old), Shown::of(&ami));
    let (old, new) = (&live.instance_type, &spec.instance_type);
    let (shown_old, shown_new) = (Shown::of(old), Shown::of(new));
    if old == new {
        diff
    } else if architecture(old) != architecture(new) {
        diff.fixed("instance_type", shown_old, shown_new)
    } else if live.state == "stopped" {
        diff.field("instance_type", shown_old, shown_new)
    } else {
        let how = match spec.state {
            State::Running => "stops and starts the instance",
            State::Stopped => "stops the instance",
        };
        let diff = diff.interrupting("instance_type", shown_old, shown_new, how);
        unsettled(diff, live)
    }
}

/// A stop gives the public address back, unless it is an elastic one.
fn unsettled(diff: Diff, live: &Live) -> Diff {
    if live.elastic {
        diff
    } else {
        diff.unsettles("public_ip").unsettles("public_dns")
    }
}

fn key_pair(diff: Diff, spec: &Instance, live: &Live, target: Target<'_>) -> Diff {
    match machine::key_shown(spec.key_pair.as_ref(), live.key_pair.as_ref(), target) {
        Some((old, new)) => diff.fixed("key_pair", old, new),
        None => diff,
    }
}

fn network(diff: Diff, spec: &Instance, live: &Live, target: Target<'_>) -> Diff {
    let groups = &spec.security_groups;
    let diff = match machine::groups_shown(groups, &live.security_groups, target) {
        Some((old, new)) if !groups.is_empty() => diff.field("security_groups", old, new),
        _ => diff,
    };
    let diff = match &spec.subnet {
        Some(subnet) => diff.fixed("subnet", Shown::of(&live.subnet), Shown::of(subnet)),
        None => diff,
    };
    let diff = match &spec.network {
        Some(NetworkName(name)) => in_network(diff, name, live, target),
        None => diff,
    };
    let profile = spec.instance_profile.as_ref();
    let live = live.instance_profile.as_ref();
    let (old, wanted) = machine::profile_shown(profile, live, target);
    diff.field("instance_profile", old, wanted)
}

/// Any subnet of the network will do.
fn in_network(diff: Diff, name: &str, live: &Live, target: Target<'_>) -> Diff {
    let address = Address::new("networks", name);
    let old = Shown::of(&live.subnet);
    if target.world.id("networks", name).is_none() {
        return diff.fixed("network", old, Shown::AfterApply);
    }
    let subnets = target.world.output(&address, "subnet_ids");
    let Some(subnets) = subnets.and_then(serde_json::Value::as_array) else {
        // The network gets other subnets; those that are in use stay.
        return diff;
    };
    if subnets.iter().any(|id| id == live.subnet.as_str()) {
        return diff;
    }
    diff.fixed("network", old, Shown::of(name))
}

fn user_data_and_state(diff: Diff, spec: &Instance, live: &Live, target: Target<'_>) -> Diff {
    let wanted = spec.user_data.as_deref().map(user_data::hash);
    let shown = |hash| machine::user_data_shown(hash, target);
    let old = live.tags.value(USER_DATA);
    let diff = diff.fixed("user_data", shown(old), shown(wanted.as_deref()));
    let state = match live.state.as_str() {
        "pending" => "running",
        "stopping" => "stopped",
        state => state,
    };
    let wanted = spec.state.word();
    if state == wanted {
        return diff;
    }
    let (old, new) = (Shown::of(state), Shown::of(wanted));
    let diff = match spec.state {
        State::Running => diff.field("state", old, new),
        State::Stopped => diff.interrupting("state", old, new, "stops the instance"),
    };
    unsettled(diff.unsettles("state"), live)
}
