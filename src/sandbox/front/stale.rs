//! Eventual consistency on demand: what is young is not seen.
//!
//! <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>

use std::time::Duration;

use super::call::Call;
use super::effects::makes;
use super::reply::Reply;
use super::server::Front;
use super::xml::Element;

/// The codes by which services say that an id is unknown, by its prefix.
const NOT_FOUND: [(&str, &str); 6] = [
    ("i-", "InvalidInstanceID.NotFound"),
    ("sg-", "InvalidGroup.NotFound"),
    ("eipalloc-", "InvalidAllocationID.NotFound"),
    ("eni-", "InvalidNetworkInterfaceID.NotFound"),
    ("vol-", "InvalidVolume.NotFound"),
    ("key-", "InvalidKeyPair.NotFound"),
];

/// The answer as one who looks too early gets it.
pub(super) fn view(front: &Front, call: &Call, reply: Reply, age: Duration) -> Reply {
    let is_young = |id: &str| front.states.is_younger(id, age);
    let makes = makes(&call.action);
    if !makes && let Some(id) = call.ids().iter().find(|id| is_young(id)) {
        let code = NOT_FOUND.iter().find(|(prefix, _)| id.starts_with(prefix));
        let code = code.map_or("InvalidID", |(_, code)| code);
        return Reply::error(call, 400, code, &format!("The ID '{id}' does not exist"));
    }
    let Some(mut root) = reply.xml().filter(|_| !makes) else {
        return reply;
    };
    root.walk_mut(&mut |element| {
        let is_seen = |item: &Element| {
            item.name != "item" || !item.children.iter().any(|child| is_young(&child.text))
        };
        element.children.retain(is_seen);
    });
    root.walk_mut(&mut |element| {
        if element.name == "reservationSet" {
            element.children.retain(|item| {
                item.child("instancesSet")
                    .is_some_and(|set| !set.children.is_empty())
            });
        }
    });
    Reply::document(&root)
}
