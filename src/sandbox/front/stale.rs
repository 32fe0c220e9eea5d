//! Eventual consistency on demand: what is young is not seen.
//!
//! <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>

use std::time::Duration;

use axum::body::Bytes;
use axum::http::request::Parts;

use super::call::Call;
use super::effects::makes;
use super::reply::Reply;
use super::server::Front;
use super::xml::Element;

/// The codes by which services say that an id is unknown, by its prefix.
const NOT_FOUND: [(&str, &str); 13] = [
    ("i-", "InvalidInstanceID.NotFound"),
    ("sg-", "InvalidGroup.NotFound"),
    ("eipalloc-", "InvalidAllocationID.NotFound"),
    ("eni-", "InvalidNetworkInterfaceID.NotFound"),
    ("vol-", "InvalidVolume.NotFound"),
    ("key-", "InvalidKeyPair.NotFound"),
    ("vpc-", "InvalidVpcID.NotFound"),
    ("subnet-", "InvalidSubnetID.NotFound"),
    ("igw-", "InvalidInternetGatewayID.NotFound"),
    ("rtb-", "InvalidRouteTableID.NotFound"),
    ("ami-", "InvalidAMIID.NotFound"),
    ("snap-", "InvalidSnapshot.NotFound"),
    ("lt-", "InvalidLaunchTemplateId.NotFound"),
];

/// How services other than EC2 say that a name is unknown: service, status, code. Others, such as
/// ECS, answer with less.
const UNKNOWN: [(&str, u16, &str); 9] = [
    ("iam", 404, "NoSuchEntity"),
    ("ecr", 400, "RepositoryNotFoundException"),
    ("kinesis", 400, "ResourceNotFoundException"),
    ("dynamodb", 400, "ResourceNotFoundException"),
    ("kms", 400, "NotFoundException"),
    ("secretsmanager", 400, "ResourceNotFoundException"),
    ("sns", 404, "NotFound"),
    ("scheduler", 404, "ResourceNotFoundException"),
    ("s3", 404, "NoSuchBucket"),
];

/// The answer of a service other than EC2 as one who looks too early gets it: the one before, if
/// there was one; the world as it is when nothing happened in it for so long.
pub(super) async fn answer(
    front: &Front,
    call: &Call,
    parts: &Parts,
    body: Bytes,
    age: Duration,
) -> Reply {
    if !is_read(&call.action) || !front.memory.changed_within(age) {
        return front.memory.pass(&front.forward, call, parts, body).await;
    }
    if let Some(before) = front.memory.before(call, parts, &body) {
        return before;
    }
    let unknown = UNKNOWN.iter().find(|it| it.0 == call.service);
    if let Some((_, status, code)) = unknown
        && !call.action.starts_with("List")
        && let Some(name) = front.memory.young_name(call, age)
    {
        return Reply::error(call, *status, code, &format!("{name} does not exist"));
    }
    front.memory.pass(&front.forward, call, parts, body).await
}

/// Whether an action only reads.
pub(super) fn is_read(action: &str) -> bool {
    let verbs = ["Get", "Describe", "List", "Head", "BatchGet"];
    verbs.iter().any(|verb| action.starts_with(verb))
}

/// EC2's answer as one who looks too early gets it.
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
