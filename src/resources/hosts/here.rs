//! This machine as a host: it configures itself from a bundle.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::process::Command;

use super::BOOT_PATIENCE;
use super::bundle::Bundle;
use super::converge::Converging;
use crate::aws::Tags;
use crate::base::node::Value;
use crate::base::{Address, Errors, Location, Node, Result, ResultExt, World};
use crate::contract::{Context, Target};
use crate::operations::{declared, round};
use crate::ssh::streams::exchange;
use crate::ssh::transport::{Heard, Reopen};
use crate::ssh::{Input, Output, Transport};

/// Makes this machine as the bundle says, and returns how much was changed. Needs root.
///
/// # Errors
/// What is wrong with the bundle; the operation that failed.
pub async fn configure(cx: &Context, bundle: &Bundle) -> Result<usize, Errors> {
    let address = Address::new("hosts", &bundle.host);
    let list = bundle.list();
    let at = Location::nowhere("bundle");
    let target = Target {
        address: &address,
        at: &at,
        node: &Node::new(&at, Value::Null),
        world: &World::default(),
        tags: &Tags::default(),
        render: bundle,
    };
    let declared = declared::read(Some(&list))?;
    declared::check(&declared).into_result(())?;
    let here: Arc<dyn Transport> = Arc::new(Here(address.to_string()));
    let seen = round::look(&*here, true, target, &declared).await?;
    let works = round::plan(target, &declared, Some(&seen))?;
    let changes = round::diff(&works, Some(&seen)).changes.len();
    let converging = Converging {
        cx,
        target,
        declared: &declared,
        again: &Anew(&here),
        sudo: true,
        within: BOOT_PATIENCE,
    };
    converging.run(Arc::clone(&here), Some(&seen)).await?;
    Ok(changes)
}

/// A shell of this machine.
struct Here(String);

#[async_trait]
impl Transport for Here {
    fn host(&self) -> &str {
        &self.0
    }

    fn login(&self) -> Option<&str> {
        Some("root")
    }

    async fn is_alive(&self) -> bool {
        true
    }

    async fn run(&self, line: &str, stdin: &Input, heard: Heard<'_>) -> Result<Output> {
        let mut shell = Command::new("sh")
            .args(["-c", line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("running `sh`")?;
        let streams = (shell.stdin.take(), shell.stdout.take(), shell.stderr.take());
        let (Some(input), Some(stdout), Some(stderr)) = streams else {
            return Err(crate::base::Error::failed("`sh` has no standard streams"));
        };
        let (stdout, stderr) = exchange(stdin, input, stdout, stderr, heard).await;
        let status = shell.wait().await.context("waiting for `sh`")?;
        Ok(Output {
            status: status.code(),
            stdout,
            stderr,
        })
    }
}

/// A new shell works as long as this machine does: what is kept is what was found valid.
struct Anew<'a>(&'a Arc<dyn Transport>);

#[async_trait]
impl Reopen for Anew<'_> {
    async fn open_anew(&self, _booting: Duration) -> Result<Arc<dyn Transport>> {
        Ok(Arc::clone(self.0))
    }
}
