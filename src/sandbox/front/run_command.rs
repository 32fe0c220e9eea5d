//! Systems Manager's Run Command: the emulator keeps commands and runs nothing, so here the document
//! is run on the host, as root and as AWS's agent does, with the limits that are documented.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html>

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::call::Call;
use super::commands::Invocation;
use super::managed::{self, Ping};
use super::reply::Reply;
use super::server::Front;
use crate::base::{Result, hex};

const DOCUMENT: &str = "AWS-RunShellScript";
/// A document with its parameters:
/// <https://docs.aws.amazon.com/general/latest/gr/ssm.html> (maximum document size).
const LARGEST: usize = 64 << 10;
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html>
const MOST_OUTPUT: usize = 24_000;
const MOST_ERRORS: usize = 8_000;
/// So long after a command was sent, nobody finds it yet.
const UNFOUND: Duration = Duration::from_millis(150);
/// How often an agent that is away is looked for.
const LOOK: Duration = Duration::from_millis(500);

/// Whether a call is answered here.
pub(super) fn answers(call: &Call) -> bool {
    let actions = [
        "SendCommand",
        "GetCommandInvocation",
        "ListCommands",
        "DescribeInstanceInformation",
    ];
    call.service == "ssm" && actions.contains(&call.action.as_str())
}

/// Answers it.
pub(super) async fn answer(front: &Arc<Front>, call: &Call) -> Reply {
    let answer = match call.action.as_str() {
        "SendCommand" => send(front, call).await,
        "GetCommandInvocation" => Ok(invocation(front, call)),
        "ListCommands" => Ok(Reply::json(&json!({
            "Commands": front.commands.all().iter().map(Invocation::command).collect::<Vec<_>>(),
        }))),
        _ => managed::list(front, call).await,
    };
    answer.unwrap_or_else(|cause| Reply::error(call, 500, "InternalServerError", cause.message()))
}

async fn send(front: &Arc<Front>, call: &Call) -> Result<Reply> {
    if let Some((code, message)) = wrong(&call.json) {
        return Ok(Reply::error(call, 400, code, &message));
    }
    let instances: Vec<String> = texts(&call.json["InstanceIds"]);
    for (id, ping) in managed::pings(front, &call.region, &instances).await? {
        // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html#API_SendCommand_Errors
        if ping.is_none() {
            let message = format!("Instances [[{id}]] not in a valid state for account");
            return Ok(Reply::error(call, 400, "InvalidInstanceId", &message));
        }
    }
    let mut bytes = [0; 16];
    // Without random numbers there is no id that nobody else has.
    if getrandom::fill(&mut bytes).is_err() {
        return Ok(Reply::error(call, 500, "InternalServerError", "no id"));
    }
    let digits = hex(&bytes);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    let mut sent = Value::Null;
    for instance in &instances {
        let invocation = Invocation::new(&parts.join("-"), instance, &call.json);
        sent = invocation.command();
        front.commands.put(invocation.clone());
        tokio::spawn(run(Arc::clone(front), call.region.clone(), invocation));
    }
    sent["InstanceIds"] = json!(instances);
    Ok(Reply::json(&json!({ "Command": sent })))
}

/// What AWS refuses in a command, whomever it is for.
fn wrong(asked: &Value) -> Option<(&'static str, String)> {
    let refuse = |code, message: &str| Some((code, message.to_owned()));
    if asked["DocumentName"] != DOCUMENT {
        return refuse("InvalidDocument", "the sandbox has AWS-RunShellScript only");
    }
    let parameters = &asked["Parameters"];
    if parameters.to_string().len() > LARGEST {
        return refuse(
            "MaxDocumentSizeExceeded",
            "The size limit of a document is 64 KB.",
        );
    }
    if texts(&parameters["commands"]).is_empty() {
        return refuse("InvalidParameters", "commands: a value is required");
    }
    let seconds = asked["TimeoutSeconds"].as_i64().unwrap_or(3600);
    let comment = asked["Comment"].as_str().unwrap_or_default();
    let instances = texts(&asked["InstanceIds"]).len();
    let fits = (30..=2_592_000).contains(&seconds)
        && comment.chars().count() <= 100
        && (1..=50).contains(&instances);
    if !fits {
        return refuse("ValidationException", "1 validation error detected");
    }
    None
}

/// Waits for the agent to take a command, and runs it.
async fn run(front: Arc<Front>, region: String, mut command: Invocation) {
    let instance = command.instance.clone();
    let deadline = command.sent + Duration::from_secs(command.delivery_seconds);
    loop {
        let ids = [instance.clone()];
        let pings = managed::pings(&front, &region, &ids).await;
        let online = pings.is_ok_and(|pings| pings.iter().any(|it| it.1 == Some(Ping::Online)));
        if online {
            break;
        }
        if tokio::time::Instant::now() > deadline {
            command.state("TimedOut", "DeliveryTimedOut");
            return front.commands.put(command);
        }
        tokio::time::sleep(LOOK).await;
    }
    let Some(hosts) = &front.hosts else {
        return;
    };
    command.state("InProgress", "InProgress");
    front.commands.put(command.clone());
    let script = texts(&command.parameters["commands"]).join("\n");
    let longest = texts(&command.parameters["executionTimeout"]);
    let longest = longest.first().map_or("3600", String::as_str);
    match hosts
        .document(&instance, &command.id, &script, longest)
        .await
    {
        Ok(ran) => {
            command.stdout = cut(&ran.stdout, MOST_OUTPUT);
            command.stderr = cut(&ran.stderr, MOST_ERRORS);
            command.code = ran.status;
            match ran.status {
                0 => command.state("Success", "Success"),
                // `timeout` ended it.
                124 | 137 => {
                    command.code = -1;
                    command.state("TimedOut", "ExecutionTimedOut");
                }
                _ => command.state("Failed", "Failed"),
            }
        }
        // The host went away under it.
        Err(cause) => {
            cause.message().clone_into(&mut command.stderr);
            command.state("Failed", "Failed");
        }
    }
    front.commands.put(command);
}

fn invocation(front: &Front, call: &Call) -> Reply {
    let id = call.json["CommandId"].as_str().unwrap_or_default();
    let instance = call.json["InstanceId"].as_str().unwrap_or_default();
    match front.commands.one(id, instance) {
        Some(command) if command.sent.elapsed() > UNFOUND => Reply::json(&command.invocation()),
        _ => Reply::error(call, 400, "InvocationDoesNotExist", ""),
    }
}

/// The first characters, and that it was more.
fn cut(text: &str, most: usize) -> String {
    const MORE: &str = "\n---Output truncated---";
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most - MORE.len()).collect();
    kept.push_str(MORE);
    kept
}

/// The texts of a list.
pub(super) fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|it| it.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_limits_hold() {
        let command = |commands: &str, seconds: i64| {
            json!({
                "DocumentName": DOCUMENT,
                "InstanceIds": ["i-1"],
                "TimeoutSeconds": seconds,
                "Parameters": { "commands": [commands] },
            })
        };
        assert_eq!(wrong(&command("true", 30)), None);
        let code = |asked| wrong(&asked).map(|it| it.0);
        let large = "x".repeat(LARGEST);
        assert_eq!(code(command(&large, 30)), Some("MaxDocumentSizeExceeded"));
        assert_eq!(code(command("true", 29)), Some("ValidationException"));
        assert_eq!(code(json!({})), Some("InvalidDocument"));
        assert_eq!(cut("ab", 2), "ab");
        assert_eq!(
            cut(&"ü".repeat(30_000), MOST_OUTPUT).chars().count(),
            24_000
        );
    }
}
