//! `tidewalk apply`

use std::path::PathBuf;
use std::time::Instant;

use super::approval;
use super::exit::Exit;
use super::flags::{CloudFlags, PlaybookFlags, RunFlags, USUAL_PLAYBOOK, VarFlags};
use super::saved::SavedPlan;
use super::session::Session;
use crate::base::Errors;
use crate::report::{self, Output, Purpose};

/// Make the account and the hosts as the playbook says
///
/// Shows the plan, asks, and does it. Given a saved plan instead of a playbook, it applies exactly
/// that one without asking, or refuses when the world has changed since. Safe to repeat and safe
/// to stop: Ctrl-C once finishes the calls in flight, and the next run goes on from there.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk apply playbooks/data-server.yml --var admin_cidr=me")]
pub struct Args {
    /// The playbook, or a plan saved by `plan --out`
    #[arg(value_name = "PLAYBOOK|PLAN", default_value = USUAL_PLAYBOOK)]
    playbook: PathBuf,

    #[command(flatten)]
    vars: VarFlags,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,

    /// Show new files whole, however long
    #[arg(long)]
    full: bool,

    #[command(flatten)]
    run: RunFlags,

    #[command(flatten)]
    cloud: CloudFlags,
}

/// What to do where nobody can be asked.
const OTHERWISE: &str =
    "pass `--yes`, or save a plan with `tidewalk plan --out FILE` and apply that";

/// Runs the command.
///
/// # Errors
/// What is wrong with the playbook, what could not be read, or that it was not approved.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let begun = Instant::now();
    let saved = SavedPlan::read(&args.playbook)?;
    let given = PlaybookFlags {
        playbook: args.playbook.clone(),
        vars: args.vars.clone(),
    };
    let (playbook, cloud, run) = match &saved {
        Some(saved) => saved.options(&args.vars, &args.run)?,
        None => (given, args.cloud.clone(), args.run.clone()),
    };
    if saved.is_none() {
        approval::possible(args.yes, OTHERWISE)?;
    }
    let session = Session::of_playbook(out, &playbook, &cloud, &run).await?;
    let prepared = session.engine.plan().await?;
    let plan = &prepared.plan;
    let approved = saved.as_ref().map(|saved| saved.still_is(plan));
    if let Some(Ok(())) = approved {
        let summary = report::plan::summary(plan, Purpose::Apply);
        out.say(&format!("As approved. {summary}\n"));
    } else {
        let (purpose, width) = (Purpose::Apply, out.width());
        out.say(&report::plan::plan(plan, purpose, width, args.full));
    }
    out.document("plan", plan.to_json());
    out.errors(&plan.unread());
    if let Some(approved) = approved {
        approved?;
    } else if !args.yes && !plan.is_empty() {
        approval::ask(out, "\nApply this plan? Type yes: ", "yes").await?;
    }
    session.watch_interrupts(out)?;
    out.say("\n");
    let outcome = session.engine.apply(&prepared).await?;
    out.say("\n");
    out.errors(&outcome.failed);
    if !outcome.failed.is_empty() {
        out.say("\n");
    }
    out.data(&report::outcome::outputs(&outcome));
    out.say(&report::outcome::outcome(
        &outcome,
        Purpose::Apply,
        begun.elapsed(),
        out.width(),
    ));
    out.document(
        "outcome",
        report::outcome::document(&outcome, begun.elapsed()),
    );
    session.calls(out);
    Ok(Exit::of_outcome(&outcome))
}
