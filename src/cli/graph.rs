//! `tidewalk graph`

use super::exit::Exit;
use super::flags::PlaybookFlags;
use super::session;
use crate::base::Errors;
use crate::report::{self, Output};

/// Print the graph of a playbook, for Graphviz
///
/// An arrow goes from a resource to each one it needs; what has no arrow between it is worked on
/// at the same time. Needs no network and no credentials.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk graph site.yml | dot -Tsvg > site.svg")]
pub struct Args {
    #[command(flatten)]
    playbook: PlaybookFlags,
}

/// Runs the command.
///
/// # Errors
/// Every problem of the playbook.
pub fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let graph = session::graph(&args.playbook)?;
    out.data(&report::graph::dot(&graph));
    out.document("graph", report::graph::document(&graph));
    Ok(Exit::Done)
}
