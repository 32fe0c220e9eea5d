//! A host operation as its author writes it: pure halves, nothing that runs.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::Target;
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

/// One thing wanted of a host. Implementations are one file each in `src/operations/`.
pub trait Operation: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Key in `operations:`, file name, case folder.
    const NAME: &'static str;

    /// What it is about, for plans and messages: `file /etc/motd`.
    fn label(&self) -> String;

    /// Reads only: the commands whose output tells how things are.
    ///
    /// # Errors
    /// A playbook error, when the operation names what is not there (a template file).
    fn probe(&self, target: Target<'_>) -> Result<Vec<Command>>;

    /// What would change, to be shown; empty when all is in place. Pure.
    ///
    /// # Errors
    /// When a probe's output cannot be understood.
    fn changes(&self, target: Target<'_>, facts: &[Fact]) -> Result<Vec<FieldChange>>;

    /// The commands that bring it about; empty when all is in place. Pure.
    ///
    /// # Errors
    /// As [`Operation::changes`].
    fn commands(&self, target: Target<'_>, facts: &[Fact]) -> Result<Vec<Command>>;
}
