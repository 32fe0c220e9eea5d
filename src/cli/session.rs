//! One run put together: playbook, account, kinds, engine.

use super::flags::{CloudFlags, PlaybookFlags, RunFlags, StackFlags};
use super::interrupt;
use crate::base::{Error, Errors, Result};
use crate::engine::{Engine, Stop};
use crate::report::Output;
use crate::report::graph::Graph;

/// A run that is ready to begin.
pub struct Session {
    /// What plans, applies and destroys.
    pub engine: Engine,
    /// The wish to stop.
    pub stop: Stop,
}

/// What a program on a host printed, and its exit status.
pub struct Ran {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// What `check` counts.
pub struct Checked {
    /// Resources, checks left out.
    pub resources: usize,
    /// Checks.
    pub checks: usize,
}

fn not_built() -> Error {
    Error::failed("not built yet")
}

/// Loads and checks a playbook, offline.
///
/// # Errors
/// Every problem found.
pub fn check(_playbook: &PlaybookFlags) -> Result<Checked, Errors> {
    Err(not_built().into())
}

/// The graph of a playbook, offline.
///
/// # Errors
/// Every problem found.
pub fn graph(_playbook: &PlaybookFlags) -> Result<Graph, Errors> {
    Err(not_built().into())
}

/// The JSON Schema of playbooks.
///
/// # Errors
/// When it cannot be made.
pub fn schema() -> Result<serde_json::Value> {
    Err(not_built())
}

impl Session {
    /// A run of a playbook.
    ///
    /// # Errors
    /// What is wrong with the playbook; no credentials; the wrong account.
    #[expect(clippy::unused_async, reason = "the clients are not built yet")]
    pub async fn of_playbook(
        _out: &Output,
        _playbook: &PlaybookFlags,
        _cloud: &CloudFlags,
        _run: &RunFlags,
    ) -> Result<Self, Errors> {
        Err(not_built().into())
    }

    /// A run of a playbook, or on what a stack owns.
    ///
    /// # Errors
    /// As [`Self::of_playbook`] and [`Self::of_stack`].
    pub async fn of(
        out: &Output,
        stack: &StackFlags,
        cloud: &CloudFlags,
        run: &RunFlags,
    ) -> Result<Self, Errors> {
        if let Some(stack) = &stack.stack {
            return Self::of_stack(out, stack, cloud, run).await;
        }
        let playbook = PlaybookFlags {
            playbook: stack.playbook.clone(),
            vars: stack.vars.clone(),
        };
        Self::of_playbook(out, &playbook, cloud, run).await
    }

    /// A run on what a stack owns, without a playbook.
    ///
    /// # Errors
    /// No credentials, or no region.
    #[expect(clippy::unused_async, reason = "the clients are not built yet")]
    pub async fn of_stack(
        _out: &Output,
        _stack: &str,
        _cloud: &CloudFlags,
        _run: &RunFlags,
    ) -> Result<Self, Errors> {
        Err(not_built().into())
    }

    /// From now on Ctrl-C asks this run to stop.
    ///
    /// # Errors
    /// When signals cannot be received.
    pub fn watch_interrupts(&self, out: &Output) -> Result<()> {
        interrupt::watch(&self.stop, out)
    }

    /// Opens a login shell on a host; returns its exit status.
    ///
    /// # Errors
    /// When there is no such host, or it cannot be reached.
    #[expect(clippy::unused_async, reason = "connections are not built yet")]
    pub async fn shell(&self, _host: &str) -> Result<i32, Errors> {
        Err(not_built().into())
    }

    /// Runs a program on a host, its streams joined to ours; returns its exit status.
    ///
    /// # Errors
    /// When there is no such host, or it cannot be reached.
    #[expect(clippy::unused_async, reason = "connections are not built yet")]
    pub async fn join(&self, _host: &str, _argv: &[String]) -> Result<i32, Errors> {
        Err(not_built().into())
    }

    /// Runs a program on a host and keeps what it prints.
    ///
    /// # Errors
    /// When there is no such host, or it cannot be reached.
    #[expect(clippy::unused_async, reason = "connections are not built yet")]
    pub async fn run_on(&self, _host: &str, _argv: &[String]) -> Result<Ran, Errors> {
        Err(not_built().into())
    }
}
