//! `tidewalk plan`

use std::path::PathBuf;

use super::exit::Exit;
use super::flags::{CloudFlags, PlaybookFlags, RunFlags};
use super::saved::SavedPlan;
use super::session::Session;
use crate::base::Errors;
use crate::report::{self, Output, Purpose};

/// Show what `apply` would change
///
/// Looks at the account and at the hosts, changes nothing, and ends with 0 when everything is as
/// declared, 3 when there is something to do, 4 when a host could not be looked at. A saved plan can be approved by someone else and
/// applied later: `apply` refuses it when the world has changed since.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tidewalk plan site.yml --out site.plan && tidewalk apply site.plan"
)]
pub struct Args {
    #[command(flatten)]
    playbook: PlaybookFlags,

    /// Save the plan, for `apply`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Show new files whole, however long
    #[arg(long)]
    full: bool,

    #[command(flatten)]
    run: RunFlags,

    #[command(flatten)]
    cloud: CloudFlags,
}

/// Runs the command.
///
/// # Errors
/// What is wrong with the playbook, or what could not be read.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let session = Session::of_playbook(out, &args.playbook, &args.cloud, &args.run).await?;
    let plan = session.engine.plan().await?.plan;
    out.data(&report::plan::plan(
        &plan,
        Purpose::Apply,
        out.width(),
        args.full,
    ));
    if let Some(path) = &args.out {
        SavedPlan::new(&plan, &args.playbook, &args.cloud, &args.run).write(path)?;
        let file = path.display();
        out.say(&format!(
            "Saved as {file}; apply it with `tidewalk apply {file}`.\n"
        ));
    }
    out.document("plan", plan.to_json());
    session.calls(out);
    out.errors(&plan.unread());
    Ok(Exit::of_plan(&plan))
}
