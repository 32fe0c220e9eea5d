//! The way of an EC2 request: rules, client token, emulator, effects, and the answer as AWS shows it.

use std::sync::Arc;

use axum::http::request::Parts;

use super::call::{Call, Params};
use super::reply::Reply;
use super::server::Front;
use super::tokens::Done;
use super::xml::Element;
use super::{effects, view};
use crate::sandbox::{amis, rules};

/// Answers an EC2 request.
pub(super) async fn answer(front: &Arc<Front>, call: &Call, parts: &Parts) -> Reply {
    let Some(slot) = front.tokens.slot(call) else {
        return perform(front, call, parts).await;
    };
    let mut params = call.params.clone();
    params.0.remove("ClientToken");
    // Held until the answer is there: a second request with the token waits.
    let mut slot = slot.lock().await;
    if let Some(done) = slot.as_ref() {
        if done.params != params {
            return Reply::error(
                call,
                400,
                "IdempotentParameterMismatch",
                "The client token you have provided is associated with a resource but the request parameters do not match.",
            );
        }
        if call.action != "RunInstances" {
            return done.reply.clone();
        }
        return replay(front, call, parts, &done.instances).await;
    }
    let reply = perform(front, call, parts).await;
    if let Some(root) = reply.xml() {
        let mut instances = Vec::new();
        root.walk(&mut |element| {
            if element.name == "instanceId" {
                instances.push(element.text.clone());
            }
        });
        *slot = Some(Done {
            params,
            instances,
            reply: reply.clone(),
        });
    }
    reply
}

async fn perform(front: &Arc<Front>, call: &Call, parts: &Parts) -> Reply {
    for rule in rules::for_action(&call.action) {
        match (rule.refuse)(front, call).await {
            Ok(None) => {}
            Ok(Some(refusal)) => {
                let reply = Reply::error(call, 400, rule.code, &refusal.message);
                return Reply {
                    rule: Some(rule.source),
                    ..reply
                };
            }
            Err(cause) => return Reply::error(call, 500, "InternalError", cause.message()),
        }
    }
    let before = effects::before(front, call).await;
    let mut params = complete(call);
    if let Some(id) = call.params.value("KeyPairId")
        && call.action == "DeleteKeyPair"
    {
        // The emulator deletes by name only, and answers that it did.
        match front.cloud.key_name(&call.region, id).await {
            Ok(Some(name)) => params.set("KeyName", &name),
            Ok(None) => {}
            Err(cause) => return Reply::error(call, 500, "InternalError", cause.message()),
        }
    }
    front.addresses.translate_request(&mut params);
    let reply = front.forward.send(call, parts, params.encode()).await;
    let Some(mut root) = reply.xml() else {
        return in_aws_words(call, reply);
    };
    effects::after(front, call, &before, &root).await;
    // First the view: addresses that are not shown any more must not get a counterpart anew.
    view::adapt(front, call, &mut root);
    let elastic = matches!(
        call.action.as_str(),
        "AllocateAddress" | "DescribeAddresses"
    );
    front.addresses.translate_answer(&mut root, elastic);
    Reply::document(&root)
}

/// An error as AWS words it, where the emulator has another code.
fn in_aws_words(call: &Call, reply: Reply) -> Reply {
    if call.action == "RunInstances"
        && reply.code.as_deref() == Some("InvalidInstanceType.NotFound")
    {
        let wrong = call.params.value("InstanceType").unwrap_or_default();
        let message = format!("Invalid value '{wrong}' for InstanceType.");
        return Reply::error(call, 400, "InvalidParameterValue", &message);
    }
    reply
}

/// The parameters to send on, with AWS's defaults where the emulator has others.
fn complete(call: &Call) -> Params {
    let mut params = call.params.clone();
    match call.action.as_str() {
        "DescribeInstances" => {
            if params.count("InstanceId") == 0 && params.value("MaxResults").is_none() {
                params.set("MaxResults", "1000");
            }
            view::take_state_filter(&mut params);
        }
        "DescribeImages" => {
            // The emulator gives every image the alias `amazon`.
            for index in 1..=params.count("Owner") {
                let key = format!("Owner.{index}");
                if params.value(&key) == Some("amazon") {
                    params.set(&key, amis::AMAZON);
                }
            }
        }
        "RunInstances" => {
            // The emulator makes MinCount instances; AWS makes MaxCount where it can.
            if let Some(count) = params.value("MaxCount").map(str::to_owned) {
                params.set("MinCount", &count);
            }
            // Interfaces and root volumes that a launch makes go with the instance.
            for index in 1..=params.count("NetworkInterface") {
                let key = format!("NetworkInterface.{index}.DeleteOnTermination");
                params.0.entry(key).or_insert_with(|| "true".to_owned());
            }
            let root = amis::root_device(params.value("ImageId").unwrap_or_default());
            let index = params
                .index_where("BlockDeviceMapping", "DeviceName", root)
                .unwrap_or_else(|| params.count("BlockDeviceMapping") + 1);
            let mapping = format!("BlockDeviceMapping.{index}");
            let defaults = [
                ("DeviceName", root),
                ("Ebs.VolumeSize", "8"),
                ("Ebs.DeleteOnTermination", "true"),
            ];
            for (key, value) in defaults {
                let key = format!("{mapping}.{key}");
                params.0.entry(key).or_insert_with(|| value.to_owned());
            }
        }
        _ => {}
    }
    params
}

/// The answer to a launch that was done before: the same instances as they are now.
async fn replay(front: &Arc<Front>, call: &Call, parts: &Parts, instances: &[String]) -> Reply {
    let mut describe = call.clone();
    "DescribeInstances".clone_into(&mut describe.action);
    describe.params = Params::default();
    describe.params.set("Action", "DescribeInstances");
    if let Some(version) = call.params.value("Version") {
        describe.params.set("Version", version);
    }
    for (index, id) in (1..).zip(instances) {
        describe.params.set(&format!("InstanceId.{index}"), id);
    }
    let reply = Box::pin(perform(front, &describe, parts)).await;
    let Some(root) = reply.xml() else {
        return reply;
    };
    let reservation = root
        .child("reservationSet")
        .and_then(|set| set.child("item"));
    let mut children: Vec<Element> = root.child("requestId").cloned().into_iter().collect();
    children.extend(
        reservation
            .into_iter()
            .flat_map(|item| item.children.clone()),
    );
    Reply::document(&Element {
        name: "RunInstancesResponse".to_owned(),
        attributes: root.attributes.clone(),
        children,
        text: String::new(),
    })
}
