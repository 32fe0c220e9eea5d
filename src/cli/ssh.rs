//! `tidewalk ssh`

use std::path::PathBuf;

use super::exit::Exit;
use super::flags::{CloudFlags, KeepFlags, PlaybookFlags, RunFlags, USUAL_PLAYBOOK, VarFlags};
use super::session::Session;
use crate::base::{Error, Errors};
use crate::report::Output;

/// Log in to a host of the playbook
///
/// Opens the OpenSSH client with the host's address, user, key and pinned host key; your own
/// `~/.ssh/config` and agent are used as well. Ends with the shell's own exit code.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk ssh server -f playbooks/data-server.yml")]
pub struct Args {
    /// The host: its name under `hosts:`, or its address
    #[arg(value_name = "HOST")]
    host: String,

    /// What `ssh` would run, and `exec` does
    #[arg(hide = true, trailing_var_arg = true)]
    program: Vec<String>,

    /// The playbook
    #[arg(long, short = 'f', value_name = "PLAYBOOK", default_value = USUAL_PLAYBOOK)]
    playbook: PathBuf,

    #[command(flatten)]
    vars: VarFlags,

    #[command(flatten)]
    keep: KeepFlags,

    #[command(flatten)]
    cloud: CloudFlags,
}

/// Runs the command.
///
/// # Errors
/// When there is no such host, or it cannot be reached.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    if out.is_json() {
        return Err(Error::usage("a login shell has no JSON form")
            .hint("use `tidewalk exec` for that")
            .into());
    }
    if !args.program.is_empty() {
        let (host, playbook) = (&args.host, args.playbook.display());
        let program = args.program.join(" ");
        return Err(Error::usage("this logs in, and runs no program by itself")
            .hint(format!(
                "`tidewalk exec {host} -f {playbook} -- {program}` does"
            ))
            .into());
    }
    let playbook = PlaybookFlags {
        playbook: args.playbook.clone(),
        vars: args.vars.clone(),
    };
    let run = RunFlags {
        keep: args.keep.clone(),
        ..RunFlags::default()
    };
    let session = Session::of_playbook(out, &playbook, &args.cloud, &run).await?;
    let status = session.shell(&args.host, out).await?;
    Ok(Exit::of_program(status))
}
