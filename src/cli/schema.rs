//! `tidewalk schema`

use super::exit::Exit;
use super::session;
use crate::base::{Errors, ResultExt};
use crate::report::Output;

/// Print the JSON Schema of playbooks
///
/// Editors use it to complete and check a playbook as it is written: save it, and make this the
/// playbook's first line: `# yaml-language-server: $schema=FILE`
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk schema > tidewalk.schema.json")]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// When the schema cannot be made.
pub fn run(_args: &Args, out: &Output) -> Result<Exit, Errors> {
    let schema = serde_json::to_string_pretty(&session::schema()).context("printing the schema")?;
    out.raw(format!("{schema}\n").as_bytes());
    Ok(Exit::Done)
}
