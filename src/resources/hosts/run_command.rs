//! A host reached by AWS Systems Manager's Run Command: its document AWS-RunShellScript carries the
//! same lines and the same input as SSH does, encrypted.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html>

use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_ssm::error::ProvideErrorMetadata as _;
use aws_sdk_ssm::types::CommandInvocationStatus as Status;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::sync::Mutex;

use super::sealed::{FORGOTTEN, Greeting, LOST, Message, Sealed};
use super::unmanaged::{self, ONLINE};
use super::way::ManagedNode;
use crate::aws::refused;
use crate::base::{Error, Result};
use crate::contract::Context;
use crate::ssh::transport::Heard;
use crate::ssh::trouble::NO_ANSWER;
use crate::ssh::{Input, Output, Transport};

/// Seconds that the agent has to take a command: the fewest that Systems Manager knows.
const DELIVERY_SECONDS: i32 = 30;
/// A command that no agent has taken for so long: is there one?
const TAKEN: Duration = Duration::from_secs(6);
/// Seconds that a command may run.
const LONGEST_SECONDS: u32 = 6 * 60 * 60;
/// An instance without a profile may still be one that the account manages, but seldom is.
const WITHOUT_PROFILE: Duration = Duration::from_secs(45);
/// A command that was sent is found within this: Systems Manager answers from copies.
const FOUND: Duration = Duration::from_secs(30);
/// Pieces that are on their way at once; the agent works at five commands.
const AT_ONCE: usize = 4;
/// More pieces than this are refused: each costs about a second.
const MOST_PIECES: usize = 60;

/// A host that a key was agreed on with.
pub(super) struct RunCommand {
    cx: Context,
    node: ManagedNode,
    /// One batch at a time: the pieces lie in one folder.
    sealed: Mutex<Sealed>,
}

/// What became of a script.
struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

impl RunCommand {
    /// Agrees on a key with the host; waits so long for its agent, and `doing` hears of that.
    pub(super) async fn open(
        cx: &Context,
        node: &ManagedNode,
        patience: Duration,
        doing: &(dyn Fn(&str) + Sync),
    ) -> Result<Self> {
        let start = Instant::now();
        let mut patience = patience;
        let mut pause = Duration::from_secs(1);
        let mut seen_profile = false;
        let mut was_late = false;
        loop {
            match greet(cx, node).await {
                Ok(Some(sealed)) => {
                    return Ok(Self {
                        cx: cx.clone(),
                        node: node.clone(),
                        sealed: Mutex::new(sealed),
                    });
                }
                Ok(None) => {}
                Err(error) if error.service_code() == Some(NO_ANSWER) => {}
                Err(error) => return Err(error),
            }
            loop {
                let ping = unmanaged::ping(cx, &node.instance).await?;
                let late = start.elapsed() >= patience;
                if ping.as_deref() == Some(ONLINE) && !(late && was_late) {
                    // It registered just now: one more try, however late.
                    was_late = late;
                    tokio::time::sleep(pause).await;
                    break;
                }
                if ping.is_none() && !seen_profile && !patience.is_zero() {
                    seen_profile = true;
                    if unmanaged::has_profile(cx, &node.instance).await == Some(false) {
                        patience = patience.min(WITHOUT_PROFILE);
                    }
                }
                if start.elapsed() + pause > patience {
                    let waited = start.elapsed().as_secs();
                    let error = unmanaged::why(cx, node, ping.as_deref()).await;
                    return Err(error.note(format!("tried for {waited} s")));
                }
                doing("waiting for the SSM agent to register");
                tokio::time::sleep(pause).await;
                pause = (pause * 3 / 2).min(Duration::from_secs(5));
            }
        }
    }

    /// Runs a line; `None` when the host has forgotten the key.
    async fn attempt(&self, sealed: &Sealed, line: &str, stdin: &Input) -> Result<Option<Output>> {
        let Message { name, pieces, last } = sealed.message(line, stdin)?;
        if pieces.len() > MOST_PIECES {
            return Err(too_large(&self.node, &pieces));
        }
        if self.all(&pieces).await?.is_none() {
            return Ok(None);
        }
        let Some(said) = self.ran(&last).await? else {
            return Ok(None);
        };
        let (mut answer, rest) = sealed.rest(&name, &said)?;
        let Some(rest) = self.all(&rest).await? else {
            return Ok(None);
        };
        for piece in rest {
            answer.push_str(piece.trim_end());
        }
        sealed.output(&answer).map(Some)
    }

    /// What scripts print that must succeed, in their order; `None` when the host has forgotten the
    /// key.
    async fn all(&self, scripts: &[String]) -> Result<Option<Vec<String>>> {
        let runs = futures::stream::iter(scripts.to_vec())
            .map(|script| async move { self.ran(&script).await })
            .buffered(AT_ONCE);
        let said: Vec<Option<String>> = runs.try_collect().await?;
        Ok(said.into_iter().collect())
    }

    async fn ran(&self, script: &str) -> Result<Option<String>> {
        let Some(ran) = execute(&self.cx, &self.node, script).await? else {
            return Err(unmanaged::why_now(&self.cx, &self.node).await?);
        };
        match ran.status {
            0 => Ok(Some(ran.stdout)),
            FORGOTTEN => Ok(None),
            LOST => Err(restarted(&self.node)),
            status => Err(unmanaged::unfinished(
                &self.node,
                &format!("its shell ended with status {status}"),
                &ran.stderr,
            )),
        }
    }
}

#[async_trait]
impl Transport for RunCommand {
    fn host(&self) -> &str {
        &self.node.name
    }

    fn login(&self) -> Option<&str> {
        Some("root")
    }

    async fn is_alive(&self) -> bool {
        // There is no connection that could break: a new key is agreed on where that is needed.
        true
    }

    async fn run(&self, line: &str, stdin: &Input, heard: Heard<'_>) -> Result<Output> {
        let mut sealed = self.sealed.lock().await;
        let mut output = self.attempt(&sealed, line, stdin).await?;
        if output.is_none() {
            // The host was restarted, so that nothing of this has run yet.
            if let Some(anew) = greet(&self.cx, &self.node).await? {
                *sealed = anew;
                output = self.attempt(&sealed, line, stdin).await?;
            }
        }
        let output = output.ok_or_else(|| restarted(&self.node))?;
        heard(&output.stdout);
        Ok(output)
    }
}

/// Agrees on a key; `None` when the instance takes no commands.
async fn greet(cx: &Context, node: &ManagedNode) -> Result<Option<Sealed>> {
    let greeting = Greeting::new()?;
    match execute(cx, node, &greeting.script()?).await? {
        None => Ok(None),
        Some(ran) if ran.status == 0 => greeting.answered(&ran.stdout).map(Some),
        Some(ran) => Err(unmanaged::unfinished(
            node,
            "no key could be agreed on with it",
            &ran.stderr,
        )),
    }
}

/// Runs a script as root; `None` when the instance takes no commands.
async fn execute(cx: &Context, node: &ManagedNode, script: &str) -> Result<Option<Ran>> {
    let comment: String = format!("tidewalk {}", node.name)
        .chars()
        .take(100)
        .collect();
    let sent = cx
        .aws
        .ssm
        .send_command()
        .instance_ids(&node.instance)
        .document_name("AWS-RunShellScript")
        .comment(comment)
        .timeout_seconds(DELIVERY_SECONDS)
        .parameters("commands", vec![script.to_owned()])
        .parameters("executionTimeout", vec![LONGEST_SECONDS.to_string()])
        .send()
        .await;
    let sent = match sent {
        // No managed node, or its agent is not connected.
        Err(error) if error.code() == Some("InvalidInstanceId") => return Ok(None),
        sent => sent.map_err(refused("ssm:SendCommand"))?,
    };
    let command = sent.command.and_then(|it| it.command_id);
    let command = command.ok_or_else(|| Error::failed("ssm:SendCommand gave no command id"))?;
    let start = Instant::now();
    let mut asked = false;
    let mut pause = Duration::from_millis(250);
    loop {
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_secs(4));
        let call = cx.aws.ssm.get_command_invocation();
        let call = call.command_id(&command).instance_id(&node.instance);
        let is = match call.send().await {
            Err(error)
                if error.code() == Some("InvocationDoesNotExist") && start.elapsed() < FOUND =>
            {
                continue;
            }
            is => is.map_err(refused("ssm:GetCommandInvocation"))?,
        };
        let stderr = is.standard_error_content.unwrap_or_default();
        match is.status {
            Some(Status::Pending | Status::Delayed) if !asked && start.elapsed() > TAKEN => {
                asked = true;
                let ping = unmanaged::ping(cx, &node.instance).await?;
                if ping.as_deref() != Some(ONLINE) {
                    return Err(unmanaged::why(cx, node, ping.as_deref()).await);
                }
            }
            Some(Status::Pending | Status::InProgress | Status::Delayed | Status::Cancelling) => {}
            // The agent ran it to its end; anything else has the code -1.
            Some(Status::Success | Status::Failed) if is.response_code >= 0 => {
                return Ok(Some(Ran {
                    status: is.response_code,
                    stdout: is.standard_output_content.unwrap_or_default(),
                    stderr,
                }));
            }
            _ => {
                let details = is.status_details.unwrap_or_default();
                return Err(unmanaged::unfinished(node, &details, &stderr));
            }
        }
    }
}

fn restarted(node: &ManagedNode) -> Error {
    Error::failed(format!("{} was restarted meanwhile", node.name))
        .hint("run the same command again: it continues where it stopped")
}

fn too_large(node: &ManagedNode, pieces: &[String]) -> Error {
    let kib = |bytes: usize| bytes / 4 * 3 / 1024;
    let is = kib(pieces.iter().map(String::len).sum());
    let most = is / pieces.len() * MOST_PIECES;
    Error::failed(format!(
        "what {} is to get is {is} KiB when packed: Run Command carries {most} KiB of it at most",
        node.name
    ))
    .hint(
        "let the host fetch large files by itself (`command` with `curl`), or use `transport: ssh`",
    )
}
