//! A host operation as its author writes it: pure halves, nothing that runs.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::Target;
use crate::base::node::Step;
use crate::base::{FieldChange, Result};
use crate::ssh::Command;

/// What a probe printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fact {
    /// Exit status of the probe.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
}

impl Fact {
    /// What a probe would say of a host that has nothing yet. Every operation must read it so.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            status: 1,
            stdout: Vec::new(),
        }
    }

    /// The probe ended with status 0.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.status == 0
    }

    /// What it printed, as text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }
}

/// What an operation would do, and how it is shown; both empty when all is in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// What would change, to be shown.
    pub changes: Vec<FieldChange>,
    /// The commands that bring it about. They are right even when an operation before this one has
    /// changed the host since the facts were read, and safe to repeat.
    pub commands: Vec<Command>,
    /// Units that the commands ask to reload or restart, once, after all operations.
    pub notifies: Vec<String>,
}

/// One thing wanted of a host. Implementations are one file each in `src/operations/`; the
/// programs they may name beside the host's own are the functions in `src/operations/*.sh`.
pub trait Operation: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Key in `operations:`, file name, case folder.
    const NAME: &'static str;

    /// What it is about, for plans and messages: `file /etc/motd`.
    fn label(&self) -> String;

    /// What can be told to be wrong offline, beyond types: where in the spec, and what.
    fn check(&self) -> Vec<(Vec<Step>, String)> {
        Vec::new()
    }

    /// Reads only: the commands whose output tells how things are. `target.node` is the
    /// operation's own part of the playbook.
    ///
    /// # Errors
    /// A playbook error, when the operation names what is not there (a template file).
    fn probe(&self, target: Target<'_>) -> Result<Vec<Command>>;

    /// Names of the parameters (`SecureString`s) whose values its work needs, by what was seen: each
    /// value comes as one more fact before a change, and a plan goes without.
    fn parameters(&self, _facts: &[Fact]) -> Vec<String> {
        Vec::new()
    }

    /// What is to be done, from one fact per probe. Pure.
    ///
    /// # Errors
    /// When a probe's output cannot be understood.
    fn work(&self, target: Target<'_>, facts: &[Fact]) -> Result<Work>;
}
