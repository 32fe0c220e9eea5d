//! `tidewalk connections`

use serde_json::json;

use super::exit::Exit;
use crate::base::Errors;
use crate::report::{self, Output};
use crate::ssh::kept::list;

/// Show the connections to hosts that are kept, or close them
///
/// Connections are kept where `--keep-connections` or `TIDEWALK_KEEP_CONNECTIONS` allows it, and end by
/// themselves when they have not been used for that long.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk connections --close")]
pub struct Args {
    /// Close them, and with them what is still done by them
    #[arg(long)]
    close: bool,
}

/// Runs the command.
///
/// # Errors
/// When the folder that they are in cannot be read.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let kept = list::all().await?;
    let rows = kept.iter().map(|it| [it.login.clone(), it.name.clone()]);
    out.data(&report::connections::connections(rows, out.width()));
    let shown = kept
        .iter()
        .map(|it| json!({ "login": it.login, "name": it.name }));
    let document = json!({ "version": 1, "closed": args.close, "kept": shown.collect::<Vec<_>>() });
    out.document("connections", document);
    if args.close {
        let count = kept.len();
        for one in kept {
            one.close().await?;
        }
        out.say(&format!("{}\n", report::connections::closed(count)));
    }
    Ok(Exit::Done)
}
