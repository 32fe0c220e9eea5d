//! `tidewalk rollback`

use std::path::PathBuf;

use serde_json::json;

use super::approval;
use super::exit::Exit;
use super::flags::{CloudFlags, PlaybookFlags, RunFlags, USUAL_PLAYBOOK, VarFlags};
use super::session::Session;
use crate::base::Errors;
use crate::report::Output;
use crate::resources::services::rollback::{self, Way};

/// Have a service run an earlier revision of its task definition again
///
/// Replaces its tasks one by one, as an apply does, and waits until they run. Revisions are kept as
/// `keep_revisions` of the task definition says (5). The playbook is not changed: the next apply goes
/// forward again, so put it right before.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk rollback services.api -f site.yml")]
pub struct Args {
    /// The service: its name under `services:`, or its address
    #[arg(value_name = "SERVICE")]
    service: String,

    /// The playbook
    #[arg(long, short = 'f', value_name = "PLAYBOOK", default_value = USUAL_PLAYBOOK)]
    playbook: PathBuf,

    #[command(flatten)]
    vars: VarFlags,

    /// The number of the revision to go to; without it, the one before what it runs now
    #[arg(long, value_name = "REVISION")]
    to: Option<i32>,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    cloud: CloudFlags,
}

/// Runs the command.
///
/// # Errors
/// When there is no such service or revision, or its tasks do not come up.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    approval::possible(args.yes, "pass `--yes`")?;
    let playbook = PlaybookFlags {
        playbook: args.playbook.clone(),
        vars: args.vars.clone(),
    };
    let run = RunFlags::default();
    let session = Session::of_playbook(out, &playbook, &args.cloud, &run).await?;
    let service = session.service(&args.service).await?;
    let cx = session.engine.context();
    let way = Way::back(cx, &service.cluster, &service.name, args.to).await?;
    let (address, from, to) = (&service.address, way.from(), way.to());
    out.say(&format!("{address}: {from} → {to}\n"));
    if !args.yes {
        let question = format!("\nGo back to {to}? Type yes: ");
        approval::ask(out, &question, "yes").await?;
    }
    rollback::go(cx, address, &way).await?;
    out.say(&format!(
        "{address} runs {to}. The playbook says otherwise: the next apply goes forward again.\n"
    ));
    let document = json!({
        "version": 1,
        "service": address.to_string(),
        "from": from,
        "to": to,
    });
    out.document("rollback", document);
    Ok(Exit::Done)
}
