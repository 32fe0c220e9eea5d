//! `tidewalk check`

use std::time::Instant;

use serde_json::json;

use super::exit::Exit;
use super::flags::PlaybookFlags;
use super::session;
use crate::base::Errors;
use crate::report::Output;
use crate::report::wrap::count;

/// Check a playbook without touching anything
///
/// Loads the playbook with everything it includes, and checks types, names, expressions,
/// references, templates and the graph. Needs no network and no credentials, and shows all
/// problems at once.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk check playbooks/data-server.yml --var admin_cidr=me")]
pub struct Args {
    #[command(flatten)]
    playbook: PlaybookFlags,
}

/// Runs the command.
///
/// # Errors
/// Every problem found.
pub fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let begun = Instant::now();
    let checked = session::check(&args.playbook)?;
    let file = args.playbook.playbook.display();
    out.data(&format!(
        "{file} is fine: {}, {}\n",
        count(checked.resources, "resource"),
        count(checked.checks, "check")
    ));
    let document = json!({
        "version": 1,
        "playbook": file.to_string(),
        "resources": checked.resources,
        "checks": checked.checks,
        "seconds": begun.elapsed().as_secs_f64(),
    });
    out.document("check", document);
    Ok(Exit::Done)
}
