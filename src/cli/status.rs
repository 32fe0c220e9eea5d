//! `tidewalk status`

use std::path::PathBuf;

use jiff::Timestamp;

use super::exit::Exit;
use super::flags::{CloudFlags, PlaybookFlags, RunFlags, USUAL_PLAYBOOK, VarFlags};
use super::session::Session;
use crate::base::Errors;
use crate::report::{self, Output};

/// Show what a stack has now: its resources, their state and age, its owner and lease
///
/// Asks the account, once for each kind of resource. With `--stack` no playbook is needed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk status --stack de3 --region eu-west-1")]
pub struct Args {
    /// The playbook
    #[arg(value_name = "PLAYBOOK", default_value = USUAL_PLAYBOOK)]
    playbook: PathBuf,

    /// Show the stack of this name, without a playbook
    #[arg(long, value_name = "NAME", conflicts_with_all = ["playbook", "vars", "vars_files"])]
    stack: Option<String>,

    #[command(flatten)]
    vars: VarFlags,

    #[command(flatten)]
    cloud: CloudFlags,
}

/// Runs the command.
///
/// # Errors
/// What could not be read.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let run = RunFlags::default();
    let session = match &args.stack {
        Some(stack) => Session::of_stack(out, stack, &args.cloud, &run).await?,
        None => {
            let playbook = PlaybookFlags {
                playbook: args.playbook.clone(),
                vars: args.vars.clone(),
            };
            Session::of_playbook(out, &playbook, &args.cloud, &run).await?
        }
    };
    let status = session.engine.status().await?;
    out.data(&report::status::status(
        &status,
        Timestamp::now(),
        out.width(),
    ));
    out.document("status", status.to_json());
    Ok(Exit::Done)
}
