//! Answers as AWS shows them: states that hosts are really in, addresses only while there are any.

use super::call::{Call, Params};
use super::server::Front;
use super::state::State;
use super::xml::Element;
use crate::sandbox::amis;

const STATE_FILTER: &str = "instance-state-name";

/// What AWS no longer shows of an instance that is going.
const GONE_FIRST: [&str; 5] = [
    "privateIpAddress",
    "privateDnsName",
    "ipAddress",
    "dnsName",
    "networkInterfaceSet",
];

/// What it no longer shows of one that is gone, besides.
const GONE_LAST: [&str; 4] = ["subnetId", "vpcId", "groupSet", "blockDeviceMapping"];

/// Changes an answer to what AWS would show.
pub(super) fn adapt(front: &Front, call: &Call, root: &mut Element) {
    match call.action.as_str() {
        "RunInstances" => root.walk_mut(&mut |element| {
            set_state(element, "instanceState", State::Pending);
        }),
        "DescribeInstances" => {
            root.walk_mut(&mut |element| show_instance(front, element));
            filter_states(call, root);
        }
        "DescribeInstanceStatus" => {
            let all = call.params.is_true("IncludeAllInstances");
            root.walk_mut(&mut |element| {
                overlay(front, element, "instanceState");
                if element.name == "instanceStatusSet" && !all {
                    element
                        .children
                        .retain(|item| state(item) == Some(State::Running));
                }
            });
        }
        "StartInstances" | "StopInstances" | "TerminateInstances" => {
            root.walk_mut(&mut |element| {
                overlay(front, element, "currentState");
            });
        }
        "DescribeImages" => root.walk_mut(&mut |element| {
            if element
                .text_of("imageOwnerId")
                .is_some_and(|owner| owner != amis::AMAZON)
            {
                element
                    .children
                    .retain(|child| child.name != "imageOwnerAlias");
            }
        }),
        _ => {}
    }
}

/// Takes the filter by state out of a request; [`adapt`] applies it, since only the front knows
/// the states.
pub(super) fn take_state_filter(params: &mut Params) {
    if let Some(index) = params.index_where("Filter", "Name", STATE_FILTER) {
        // The emulator reads filters until a number is missing: move the last one here.
        let (taken, last) = (
            format!("Filter.{index}."),
            format!("Filter.{}.", params.count("Filter")),
        );
        let kept = std::mem::take(&mut params.0).into_iter();
        params.0 = kept
            .filter(|(key, _)| !key.starts_with(&taken))
            .map(|(key, value)| match key.strip_prefix(&last) {
                Some(rest) => (format!("{taken}{rest}"), value),
                None => (key, value),
            })
            .collect();
    }
}

fn filter_states(call: &Call, root: &mut Element) {
    let Some(index) = call.params.index_where("Filter", "Name", STATE_FILTER) else {
        return;
    };
    let wanted = call.params.list(&format!("Filter.{index}.Value"));
    let keep = |item: &Element| {
        state(item).is_some_and(|state| wanted.iter().any(|name| name == state.name()))
    };
    let Some(reservations) = root.child_mut("reservationSet") else {
        return;
    };
    for reservation in &mut reservations.children {
        if let Some(instances) = reservation.child_mut("instancesSet") {
            instances.children.retain(keep);
        }
    }
    let is_filled = |reservation: &Element| {
        let instances = reservation.child("instancesSet");
        instances.is_some_and(|instances| !instances.children.is_empty())
    };
    reservations.children.retain(is_filled);
}

fn show_instance(front: &Front, element: &mut Element) {
    overlay(front, element, "instanceState");
    let (going, gone) = match state(element) {
        Some(State::Terminated) => (true, true),
        Some(State::ShuttingDown) => (true, false),
        _ => return,
    };
    element.children.retain(|child| {
        let name = child.name.as_str();
        !(going && GONE_FIRST.contains(&name) || gone && GONE_LAST.contains(&name))
    });
}

/// The state of an item that has one.
fn state(item: &Element) -> Option<State> {
    State::of(item.child("instanceState")?.text_of("name")?)
}

/// Puts the state that the front knows into an item about an instance.
fn overlay(front: &Front, element: &mut Element, child: &str) {
    if let Some(state) = element
        .text_of("instanceId")
        .and_then(|id| front.states.overlay(id))
    {
        set_state(element, child, state);
    }
}

fn set_state(element: &mut Element, child: &str, state: State) {
    if element.text_of("instanceId").is_some()
        && let Some(shown) = element.child_mut(child)
    {
        shown.children = vec![
            Element::with_text("code", &state.code().to_string()),
            Element::with_text("name", state.name()),
        ];
    }
}
