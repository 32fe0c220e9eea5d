//! What may be done to an instance depends on its state.

use super::rule::{Refusal, refuse};
use super::{Rule, rule};
use crate::base::Result;
use crate::sandbox::front::{Call, Front, State};

const LIFECYCLE: &str =
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html";
const CODES: &str = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html";

pub(super) const RULES: &[Rule] = &[
    Rule {
        actions: &["StartInstances"],
        code: "IncorrectInstanceState",
        source: LIFECYCLE,
        refuse: |front, call| {
            Box::pin(unless_in(
                front,
                call,
                "started",
                &[State::Stopped, State::Running, State::Pending],
            ))
        },
    },
    Rule {
        actions: &["StopInstances"],
        code: "IncorrectInstanceState",
        source: LIFECYCLE,
        refuse: |front, call| {
            Box::pin(unless_in(
                front,
                call,
                "stopped",
                &[State::Running, State::Stopping, State::Stopped],
            ))
        },
    },
    Rule {
        actions: &["RebootInstances"],
        code: "IncorrectInstanceState",
        source: LIFECYCLE,
        refuse: |front, call| Box::pin(unless_in(front, call, "rebooted", &[State::Running])),
    },
    Rule {
        actions: &["ModifyInstanceAttribute"],
        code: "IncorrectInstanceState",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html",
        refuse: |front, call| Box::pin(modify_unless_stopped(front, call)),
    },
    Rule {
        actions: &["AssociateAddress"],
        code: "InvalidInstanceID",
        source: CODES,
        refuse: |front, call| Box::pin(associate_while_pending(front, call)),
    },
];

async fn unless_in(
    front: &Front,
    call: &Call,
    done: &str,
    allowed: &[State],
) -> Result<Option<Refusal>> {
    let ids = call.params.list("InstanceId");
    for (id, state) in front.states_of(&call.region, &ids).await? {
        if !allowed.contains(&state) {
            return Ok(Some(rule::refuse(format!(
                "The instance '{id}' is not in a state from which it can be {done}."
            ))));
        }
    }
    Ok(None)
}

async fn modify_unless_stopped(front: &Front, call: &Call) -> Result<Option<Refusal>> {
    let attribute = call.params.value("Attribute").unwrap_or_default();
    let needs_stop = ["InstanceType", "UserData", "Kernel", "Ramdisk"];
    let asked = needs_stop.iter().any(|name| {
        call.params.value(&format!("{name}.Value")).is_some()
            || attribute.eq_ignore_ascii_case(name)
    });
    if !asked {
        return Ok(None);
    }
    let ids: Vec<String> = call
        .params
        .value("InstanceId")
        .map(str::to_owned)
        .into_iter()
        .collect();
    let states = front.states_of(&call.region, &ids).await?;
    Ok(states
        .into_iter()
        .find(|(_, state)| *state != State::Stopped)
        .map(|(id, _)| {
            refuse(format!(
                "The instance '{id}' is not in the 'stopped' state."
            ))
        }))
}

async fn associate_while_pending(front: &Front, call: &Call) -> Result<Option<Refusal>> {
    let ids: Vec<String> = call
        .params
        .value("InstanceId")
        .map(str::to_owned)
        .into_iter()
        .collect();
    let states = front.states_of(&call.region, &ids).await?;
    Ok(states
        .into_iter()
        .find(|(_, state)| !matches!(state, State::Running | State::Stopped))
        .map(|(id, state)| {
            refuse(format!(
                "The {} instance '{id}' is not in a valid state for this operation.",
                state.name()
            ))
        }))
}
