//! Why Run Command does not reach an instance, and what to do about it.

use std::collections::HashMap;

use aws_sdk_ec2::types::Reservation;
use aws_sdk_ssm::types::InstanceInformationStringFilter;

use super::way::ManagedNode;
use crate::aws::batch::Batch;
use crate::aws::refused;
use crate::base::{Error, Result};
use crate::contract::Context;
use crate::ssh::trouble::NO_ANSWER;

/// Values that one filter takes.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformationStringFilter.html>
const VALUES: usize = 100;

/// What Systems Manager calls an agent that takes commands.
pub(super) const ONLINE: &str = "Online";

/// All that wait for their agents ask together.
#[derive(Default)]
struct Asked(Batch<String>);

/// How an instance's agent is, in Systems Manager's words: `Online`; `None` for an instance that is
/// no managed node.
pub(super) async fn ping(cx: &Context, instance: &str) -> Result<Option<String>> {
    let asked = cx.aws.shared::<Asked>();
    asked.0.ask(instance, |ids| pings(cx, ids)).await
}

async fn pings(cx: &Context, ids: Vec<String>) -> Result<HashMap<String, String>> {
    let mut found = HashMap::new();
    for ids in ids.chunks(VALUES) {
        let filter = InstanceInformationStringFilter::builder().key("InstanceIds");
        let filter = filter.set_values(Some(ids.to_vec())).build();
        let filter = filter.map_err(|cause| Error::failed(cause.to_string()))?;
        let call = cx.aws.ssm.describe_instance_information().filters(filter);
        let mut pages = call.into_paginator().items().send();
        while let Some(node) = pages.next().await {
            let node = node.map_err(refused("ssm:DescribeInstanceInformation"))?;
            let status = node.ping_status.map(|it| it.as_str().to_owned());
            if let (Some(id), Some(status)) = (node.instance_id, status) {
                found.insert(id, status);
            }
        }
    }
    Ok(found)
}

/// The error of an instance that does not take commands.
pub(super) async fn why_now(cx: &Context, node: &ManagedNode) -> Result<Error> {
    let ping = ping(cx, &node.instance).await?;
    Ok(why(cx, node, ping.as_deref()).await)
}

/// The error of an instance that does not take commands, by what its agent's state is.
pub(super) async fn why(cx: &Context, node: &ManagedNode, ping: Option<&str>) -> Error {
    let ManagedNode { name, instance } = node;
    let failed = |text: &str| {
        let text = format!("reaching {name} ({instance}) by Run Command: {text}");
        Error::failed(text).code(NO_ANSWER)
    };
    match ping {
        Some(status) => failed(&format!("its SSM agent is not connected ({status})")).hint(
            "does the agent run (`systemctl status amazon-ssm-agent`), and can it reach the \
             region's endpoints `ssm` and `ssmmessages` on port 443?",
        ),
        None if has_profile(cx, instance).await == Some(false) => {
            failed("it has no instance profile, so its SSM agent may not register").hint(
                "give the instance an `instance_profile` whose role has \
                 `managed_policies: [AmazonSSMManagedInstanceCore]`",
            )
        }
        None => failed("it is not a managed node: no SSM agent has registered it").hint(
            "its role needs the managed policy `AmazonSSMManagedInstanceCore`, and its image the \
             SSM agent: Ubuntu's and Amazon Linux's have it, Debian's installs it by `user_data`",
        ),
    }
}

/// Whether the instance has an instance profile, if that can be told.
pub(super) async fn has_profile(cx: &Context, instance: &str) -> Option<bool> {
    let call = cx.aws.ec2.describe_instances().instance_ids(instance);
    let answer = call.send().await.ok()?;
    let mut instances = answer
        .reservations()
        .iter()
        .flat_map(Reservation::instances);
    Some(instances.next()?.iam_instance_profile().is_some())
}

/// The error of a command that ended without the script's own end.
pub(super) fn unfinished(node: &ManagedNode, details: &str, said: &str) -> Error {
    let ManagedNode { name, instance } = node;
    let details = details.replace(' ', "");
    match details.as_str() {
        "DeliveryTimedOut" | "Undeliverable" => Error::failed(format!(
            "reaching {name} ({instance}) by Run Command: its SSM agent did not take the command \
             ({details})"
        ))
        .code(NO_ANSWER)
        .hint(
            "does the agent run (`systemctl status amazon-ssm-agent`), and can it reach the \
             region's endpoints `ssm` and `ssmmessages` on port 443?",
        ),
        "ExecutionTimedOut" => Error::failed(format!(
            "{name} did not finish: Systems Manager ended the command after its longest time"
        ))
        .hint("run the same command again: it continues where it stopped"),
        "Cancelled" | "Canceled" | "Terminated" => Error::failed(format!(
            "{name} did not finish: somebody cancelled the command in Systems Manager"
        ))
        .hint("run the same command again: it continues where it stopped"),
        _ => Error::failed(format!("{name} did not finish: {details}"))
            .note(format!("it said: {}", last_line(said)))
            .hint("run the same command again: it continues where it stopped"),
    }
}

fn last_line(said: &str) -> &str {
    let mut lines = said.lines().map(str::trim);
    lines.rfind(|line| !line.is_empty()).unwrap_or("nothing")
}
