//! `tidewalk sandbox`

use super::exit::Exit;
use crate::base::{Error, Errors};
use crate::report::Output;

/// Start, stop or look at the local sandbox
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk sandbox up")]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// What this machine refused.
#[expect(clippy::unused_async, reason = "the sandbox is not built yet")]
pub async fn run(_args: &Args, _out: &Output) -> Result<Exit, Errors> {
    Err(Error::failed("not built yet").into())
}
