//! `tidewalk configure`

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::exit::Exit;
use super::session::surroundings;
use crate::aws::{ConnectOptions, connect};
use crate::base::{Address, Error, Errors, ResultExt};
use crate::contract::{Context, Progress};
use crate::engine::{Event, Observer as _};
use crate::report::Output;
use crate::resources::hosts::bundle::Bundle;
use crate::resources::hosts::here;

/// Configure this very machine from a bundle
///
/// A machine that starts with the output `user_data` of a host with `bootstrap: user_data` does this by
/// itself. Done again by hand, it shows what went wrong, and puts back what somebody changed. It needs
/// root.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  sudo /var/lib/tidewalk/bootstrap/tidewalk configure /var/lib/tidewalk/bootstrap/bundle.json"
)]
pub struct Args {
    /// The bundle, as an apply has put it into the bucket
    bundle: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// What is wrong with the bundle; the operation that failed.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let path = args.bundle.display();
    let bytes = std::fs::read(&args.bundle).context(format!("reading `{path}`"))?;
    let bundle = Bundle::read(&bytes).map_err(|error| error.note(format!("it is `{path}`")))?;
    if !is_root() {
        let error = Error::failed("only root can configure this machine");
        return Err(error.hint("run it with `sudo`").into());
    }
    let options = ConnectOptions {
        region: Some(bundle.region.clone()),
        ..ConnectOptions::default()
    };
    let aws = connect(&options).await?;
    let cx = Context {
        progress: Arc::new(Told(out.clone())),
        ..surroundings(&bundle.stack, aws, String::new(), Path::new("/"))
    };
    let count = here::configure(&cx, &bundle).await?;
    out.say(&match count {
        0 => format!("hosts.{}: nothing to do\n", bundle.host),
        1 => format!("hosts.{}: 1 change made\n", bundle.host),
        count => format!("hosts.{}: {count} changes made\n", bundle.host),
    });
    out.document(
        "configured",
        json!({ "version": 1, "host": bundle.host, "changes": count }),
    );
    Ok(Exit::Done)
}

/// By the owner of this process.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}

struct Told(Output);

impl Progress for Told {
    fn doing(&self, address: &Address, what: &str) {
        self.0.event(&Event::Doing {
            address: address.clone(),
            what: what.to_owned(),
        });
    }
}
