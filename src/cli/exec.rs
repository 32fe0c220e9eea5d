//! `tidewalk exec`

use std::path::PathBuf;

use futures::StreamExt as _;
use serde_json::{Value, json};

use super::exit::Exit;
use super::flags::{
    CloudFlags, KeepFlags, PlaybookFlags, RunFlags, USUAL_PLAYBOOK, VarFlags, parallelism,
};
use super::hosts::Ran;
use super::session::Session;
use crate::base::Errors;
use crate::report::{self, Output};

/// Run a program on hosts of the playbook
///
/// On one host its streams are joined to yours and its exit code is returned; by Run Command
/// (`transport: ssm`) it reads nothing and prints at its end. On several hosts it
/// runs on all of them at once, each line of output begins with the host's name, and the exit code
/// is 0 when it ended with 0 everywhere, 1 otherwise.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tidewalk exec server worker -f site.yml -- systemctl is-active nginx"
)]
pub struct Args {
    /// The hosts: names under `hosts:`, or addresses
    #[arg(value_name = "HOST", required = true)]
    hosts: Vec<String>,

    /// The program and its arguments, passed on as they are: no shell reads them
    #[arg(last = true, value_name = "PROGRAM", required = true)]
    program: Vec<String>,

    /// The playbook
    #[arg(long, short = 'f', value_name = "PLAYBOOK", default_value = USUAL_PLAYBOOK)]
    playbook: PathBuf,

    #[command(flatten)]
    vars: VarFlags,

    /// Run on this many hosts at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = parallelism)]
    parallelism: usize,

    #[command(flatten)]
    keep: KeepFlags,

    #[command(flatten)]
    cloud: CloudFlags,
}

/// Runs the command.
///
/// # Errors
/// When there is no such host, or one cannot be reached.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let playbook = PlaybookFlags {
        playbook: args.playbook.clone(),
        vars: args.vars.clone(),
    };
    let run = RunFlags {
        keep: args.keep.clone(),
        ..RunFlags::default()
    };
    let session = Session::of_playbook(out, &playbook, &args.cloud, &run).await?;
    if let ([host], false) = (args.hosts.as_slice(), out.is_json()) {
        let status = session.join(host, &args.program, out).await?;
        return Ok(Exit::of_program(status));
    }
    on_all(args, &session, out).await
}

async fn on_all(args: &Args, session: &Session, out: &Output) -> Result<Exit, Errors> {
    let widest = args.hosts.iter().map(String::len).max().unwrap_or(0);
    let mut errors = Errors::default();
    let mut all_well = true;
    let mut documents = Vec::new();
    let ways = session.ways(&args.hosts).await?;
    let runs = args.hosts.iter().zip(ways);
    let runs = runs.map(|(host, way)| async move {
        let ran = match way {
            Ok(way) => session.capture(&way, &args.program).await,
            Err(error) => Err(error),
        };
        (host, ran)
    });
    let mut runs = futures::stream::iter(runs).buffer_unordered(args.parallelism);
    while let Some((host, result)) = runs.next().await {
        match result {
            Ok(ran) => {
                all_well &= ran.status == 0;
                out.data(&report::exec::lines(host, widest, &ran.stdout));
                out.say(&report::exec::lines(host, widest, &ran.stderr));
                if ran.status != 0 {
                    out.say(&report::exec::ended(host, widest, ran.status));
                }
                documents.push(document(host, &ran));
            }
            Err(error) => errors.push(error),
        }
    }
    out.document("exec", json!({ "version": 1, "hosts": documents }));
    errors.into_result(if all_well { Exit::Done } else { Exit::Failed })
}

fn document(host: &str, ran: &Ran) -> Value {
    json!({
        "host": host,
        "status": ran.status,
        "stdout": String::from_utf8_lossy(&ran.stdout),
        "stderr": String::from_utf8_lossy(&ran.stderr),
    })
}
