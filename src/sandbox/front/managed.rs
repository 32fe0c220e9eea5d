//! Which instances are managed nodes of Systems Manager: those whose agent runs and whose role may
//! register it.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html>

use serde_json::json;

use super::call::Call;
use super::cloud::Machine;
use super::commands::now;
use super::reply::Reply;
use super::rights;
use super::run_command::texts;
use super::server::Front;
use super::state::State;
use crate::base::Result;

/// What an agent must be allowed; `AmazonSSMManagedInstanceCore` has it.
const REGISTERS: &str = "ssm:UpdateInstanceInformation";
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html>
const PAGE: usize = 50;

/// How an agent that has registered is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ping {
    /// It takes commands.
    Online,
    /// It did once.
    Lost,
}

/// How the agents of instances are; `None` for an instance that is no managed node. All instances
/// when none is given.
pub(super) async fn pings(
    front: &Front,
    region: &str,
    ids: &[String],
) -> Result<Vec<(String, Option<Ping>)>> {
    let all = front.cloud.machines(region, &[], None).await?;
    let mut pings = Vec::new();
    let named = all
        .iter()
        .filter(|it| ids.is_empty() || ids.contains(&it.id));
    for machine in named {
        pings.push((machine.id.clone(), ping(front, region, machine).await?));
    }
    // Nobody knows the others.
    let others = ids.iter().filter(|id| all.iter().all(|it| it.id != **id));
    pings.extend(others.map(|id| (id.clone(), None)));
    Ok(pings)
}

async fn ping(front: &Front, region: &str, machine: &Machine) -> Result<Option<Ping>> {
    let Some(hosts) = front.hosts.as_ref().filter(|it| it.has(&machine.id)) else {
        return Ok(None);
    };
    let state = front.state_of(machine);
    let known = front.commands.knows(&machine.id);
    let online = state == Some(State::Running) && hosts.has_agent(&machine.id).await;
    if known {
        let gone = matches!(state, None | Some(State::Terminated | State::ShuttingDown));
        let ping = if online { Ping::Online } else { Ping::Lost };
        return Ok((!gone).then_some(ping));
    }
    let Some(profile) = machine.profile.as_ref().filter(|_| online) else {
        return Ok(None);
    };
    if !rights::allows(&front.cloud.iam(region), profile, REGISTERS).await? {
        return Ok(None);
    }
    front.commands.register(&machine.id);
    Ok(Some(Ping::Online))
}

/// Answers `DescribeInstanceInformation`; of its filters, the ids of instances.
pub(super) async fn list(front: &Front, call: &Call) -> Result<Reply> {
    let filters = call.json["Filters"].as_array().into_iter().flatten();
    let by_id = filters.filter(|it| it["Key"] == "InstanceIds");
    let ids: Vec<String> = by_id.flat_map(|it| texts(&it["Values"])).collect();
    let begin = call.json["NextToken"].as_str();
    let begin = begin.and_then(|it| it.parse().ok()).unwrap_or(0);
    let nodes: Vec<_> = pings(front, &call.region, &ids)
        .await?
        .into_iter()
        .filter_map(|(id, ping)| Some((id, ping?)))
        .collect();
    let page = nodes.iter().skip(begin).take(PAGE).map(|(id, ping)| {
        json!({
            "InstanceId": id,
            "PingStatus": if *ping == Ping::Online { "Online" } else { "ConnectionLost" },
            "LastPingDateTime": now(),
            "PlatformType": "Linux",
            "ResourceType": "EC2Instance",
        })
    });
    let mut answer = json!({ "InstanceInformationList": page.collect::<Vec<_>>() });
    if begin + PAGE < nodes.len() {
        answer["NextToken"] = json!((begin + PAGE).to_string());
    }
    Ok(Reply::json(&answer))
}
