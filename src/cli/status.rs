//! `tidewalk status`

use jiff::Timestamp;

use super::exit::Exit;
use super::flags::{CloudFlags, RunFlags, StackFlags};
use super::session::Session;
use crate::base::Errors;
use crate::report::{self, Output};

/// Show what a stack has now: its resources, their state and age, its owner and lease
///
/// Asks the account, once for each kind of resource. With `--stack` no playbook is needed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk status --stack de3 --region eu-west-1")]
pub struct Args {
    #[command(flatten)]
    stack: StackFlags,

    #[command(flatten)]
    cloud: CloudFlags,
}

/// Runs the command.
///
/// # Errors
/// What could not be read.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let run = RunFlags::default();
    let session = Session::of(out, &args.stack, &args.cloud, &run).await?;
    let status = session.engine.status().await?;
    out.data(&report::status::status(
        &status,
        Timestamp::now(),
        out.width(),
    ));
    out.document("status", status.to_json());
    Ok(Exit::Done)
}
