//! The commands that were sent by Run Command, and what became of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::{Value, json};
use tokio::time::Instant;

/// All commands, the oldest first, and the instances whose agents have registered.
#[derive(Default)]
pub(crate) struct Commands(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    invocations: Vec<Invocation>,
    registered: Vec<String>,
}

/// A command on one instance.
#[derive(Clone)]
pub(super) struct Invocation {
    /// The command's id.
    pub(super) id: String,
    /// The instance's id.
    pub(super) instance: String,
    /// When it was sent.
    pub(super) sent: Instant,
    /// Its document's parameters.
    pub(super) parameters: Value,
    /// Seconds in which the agent must take it.
    pub(super) delivery_seconds: u64,
    /// The script's exit status; -1 while there is none.
    pub(super) code: i64,
    /// What it printed, cut to what AWS keeps.
    pub(super) stdout: String,
    /// Its errors, cut likewise.
    pub(super) stderr: String,
    comment: String,
    requested: f64,
    status: (&'static str, &'static str),
}

impl Commands {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a command as it is now.
    pub(super) fn put(&self, command: Invocation) {
        let mut inner = self.lock();
        let mut known = inner.invocations.iter_mut();
        match known.find(|it| it.id == command.id && it.instance == command.instance) {
            Some(known) => *known = command,
            None => inner.invocations.push(command),
        }
    }

    /// A command on an instance.
    pub(super) fn one(&self, id: &str, instance: &str) -> Option<Invocation> {
        let inner = self.lock();
        let mut known = inner.invocations.iter();
        known
            .find(|it| it.id == id && it.instance == instance)
            .cloned()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Invocation> {
        self.lock().invocations.clone()
    }

    /// The agent of an instance has registered.
    pub(super) fn register(&self, instance: &str) {
        let mut inner = self.lock();
        if !inner.registered.iter().any(|it| it == instance) {
            inner.registered.push(instance.to_owned());
        }
    }

    /// Whether the agent of an instance has ever registered.
    pub(super) fn knows(&self, instance: &str) -> bool {
        self.lock().registered.iter().any(|it| it == instance)
    }
}

impl Invocation {
    /// A command that was asked for just now.
    pub(super) fn new(id: &str, instance: &str, asked: &Value) -> Self {
        Self {
            id: id.to_owned(),
            instance: instance.to_owned(),
            sent: Instant::now(),
            parameters: asked["Parameters"].clone(),
            delivery_seconds: asked["TimeoutSeconds"].as_u64().unwrap_or(3600),
            code: -1,
            stdout: String::new(),
            stderr: String::new(),
            comment: asked["Comment"].as_str().unwrap_or_default().to_owned(),
            requested: now(),
            status: ("Pending", "Pending"),
        }
    }

    /// It is in another state now.
    pub(super) fn state(&mut self, status: &'static str, details: &'static str) {
        self.status = (status, details);
    }

    /// As `Command`:
    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Command.html>
    pub(super) fn command(&self) -> Value {
        json!({
            "CommandId": self.id,
            "DocumentName": "AWS-RunShellScript",
            "Comment": self.comment,
            "Parameters": self.parameters,
            "InstanceIds": [self.instance],
            "RequestedDateTime": self.requested,
            "Status": self.status.0,
            "StatusDetails": self.status.1,
            "TimeoutSeconds": self.delivery_seconds,
        })
    }

    /// As `GetCommandInvocation` has it.
    pub(super) fn invocation(&self) -> Value {
        json!({
            "CommandId": self.id,
            "InstanceId": self.instance,
            "DocumentName": "AWS-RunShellScript",
            "Comment": self.comment,
            "PluginName": "aws:runShellScript",
            "ResponseCode": self.code,
            "Status": self.status.0,
            "StatusDetails": self.status.1,
            "StandardOutputContent": self.stdout,
            "StandardErrorContent": self.stderr,
        })
    }
}

/// Seconds since 1970.
pub(super) fn now() -> f64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}
