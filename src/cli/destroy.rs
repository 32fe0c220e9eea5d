//! `tidewalk destroy`

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::approval;
use super::exit::Exit;
use super::flags::{CloudFlags, RunFlags, StackFlags};
use super::session::Session;
use crate::base::{Error, Errors, Result, ResultExt};
use crate::engine::Receipt;
use crate::report::{self, Output, Purpose};

/// Take a stack down, and prove that nothing is left
///
/// Starts from what the stack owns in the account, not from the playbook: with `--stack` no
/// playbook is needed. What is protected or kept stays, and is named. At the end every resource is
/// asked for again until its own service says that it is gone; the answers are the receipt.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tidewalk destroy playbooks/data-server.yml --receipt receipt.html"
)]
pub struct Args {
    #[command(flatten)]
    stack: StackFlags,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,

    /// Save the receipt, as JSON or as a page
    #[arg(long, value_name = "FILE.json|FILE.html")]
    receipt: Option<PathBuf>,

    #[command(flatten)]
    run: RunFlags,

    #[command(flatten)]
    cloud: CloudFlags,
}

/// Runs the command.
///
/// # Errors
/// What could not be read, or that it was not approved.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let begun = Instant::now();
    if let Some(path) = &args.receipt {
        format_of(path)?;
        folder_of(path)?;
    }
    approval::possible(args.yes, "look at `tidewalk status`, and pass `--yes`")?;
    let session = Session::of(out, &args.stack, &args.cloud, &args.run).await?;
    let prepared = session.engine.plan_destroy().await?;
    let plan = &prepared.plan;
    out.say(&report::plan::plan(
        plan,
        Purpose::Destroy,
        out.width(),
        false,
    ));
    out.document("plan", plan.to_json());
    out.errors(&plan.unread());
    if !args.yes && !plan.is_empty() {
        let question = format!("\nDestroy stack {0}? Type {0}: ", plan.stack);
        approval::ask_for_name(out, &question, &plan.stack).await?;
    }
    session.watch_interrupts(out)?;
    out.say("\n");
    let (outcome, receipt) = session.engine.destroy(&prepared).await?;
    out.say("\n");
    out.errors(&outcome.failed);
    if !outcome.failed.is_empty() {
        out.say("\n");
    }
    out.say(&report::outcome::outcome(
        &outcome,
        Purpose::Destroy,
        begun.elapsed(),
        out.width(),
    ));
    out.say("\n");
    out.data(&report::receipt::receipt(&receipt, out.width()));
    if let Some(path) = &args.receipt {
        save(&receipt, path)?;
        out.say(&format!("Saved as {}.\n", path.display()));
    }
    out.document(
        "outcome",
        report::outcome::document(&outcome, begun.elapsed()),
    );
    out.document("receipt", receipt.to_json());
    session.calls(out);
    Ok(Exit::of_destroy(&outcome, &receipt))
}

enum Format {
    Json,
    Html,
}

fn format_of(path: &Path) -> Result<Format> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Ok(Format::Json),
        Some("html") => Ok(Format::Html),
        _ => Err(
            Error::usage(format!("`{}` is neither .json nor .html", path.display()))
                .hint("name the receipt `receipt.json` or `receipt.html`"),
        ),
    }
}

/// The folder for the receipt is there: afterwards it would be too late.
fn folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let text = format!("there is no folder `{}` for the receipt", folder.display());
    Err(Error::usage(text))
}

fn save(receipt: &Receipt, path: &Path) -> Result<()> {
    let saving = || format!("saving the receipt as `{}`", path.display());
    let text = match format_of(path)? {
        Format::Json => serde_json::to_string_pretty(&receipt.to_json()).context(saving())? + "\n",
        Format::Html => report::html::receipt(receipt)?,
    };
    std::fs::write(path, text).context(saving())
}
