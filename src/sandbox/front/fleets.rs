//! Auto Scaling: the emulator makes and ends the instances of a group within calls to it; here each
//! gets its host, or loses it.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html>

use super::call::Call;
use super::effects;
use super::reply::Reply;
use super::server::Front;
use super::stale::is_read;
use super::state::State;
use super::xml::Element;
use crate::base::Result;
use crate::sandbox::hosts::Work;

/// Brings about what a call to Auto Scaling means, and shows the answer as AWS would.
pub(super) async fn after(front: &Front, call: &Call, reply: Reply) -> Reply {
    if is_read(&call.action) {
        return view(front, call, reply);
    }
    if let Err(cause) = settle(front, &call.region).await {
        front.problems.add(&format!("{}: {cause}", call.action));
    }
    reply
}

/// Gives hosts to the members of all groups of a region that have none, and ends those whose
/// instances are gone.
pub(super) async fn settle(front: &Front, region: &str) -> Result<()> {
    let Some(hosts) = &front.hosts else {
        return Ok(());
    };
    let _one = front.fleets.lock().await;
    for machine in front.cloud.members(region).await? {
        let lives = matches!(
            State::of(&machine.state),
            Some(State::Pending | State::Running)
        );
        match (lives, hosts.has(&machine.id)) {
            (true, false) => {
                front.states.set(&machine.id, State::Pending);
                front.states.created(&machine.id);
                let user_data = front.cloud.user_data(region, &machine.id).await?;
                effects::host(front, region, &machine, &user_data).await?;
            }
            (false, true) if is_dead(&machine.state) && !is_going(front, &machine.id) => {
                front.states.set(&machine.id, State::ShuttingDown);
                hosts.send(&machine.id, Work::Terminate);
                effects::release(front, region, &machine).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_dead(state: &str) -> bool {
    matches!(
        State::of(state),
        Some(State::ShuttingDown | State::Terminated)
    )
}

fn is_going(front: &Front, id: &str) -> bool {
    front.states.overlay(id) == Some(State::ShuttingDown)
}

/// A member whose host does not run yet is not in service.
fn view(front: &Front, call: &Call, reply: Reply) -> Reply {
    let shown = ["DescribeAutoScalingGroups", "DescribeAutoScalingInstances"];
    if front.hosts.is_none() || !shown.contains(&call.action.as_str()) {
        return reply;
    }
    let Some(mut root) = reply.xml() else {
        return reply;
    };
    root.walk_mut(&mut |element: &mut Element| {
        let id = element.text_of("InstanceId");
        let overlay = id.and_then(|id| front.states.overlay(id));
        if overlay != Some(State::Pending) {
            return;
        }
        for child in &mut element.children {
            if child.name == "LifecycleState" {
                "Pending".clone_into(&mut child.text);
            }
        }
    });
    Reply::document(&root)
}
