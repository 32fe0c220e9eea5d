//! Hands the user's terminal to `ssh`, with the same pinned host keys as everything else.

use std::process::Stdio;
use std::time::Duration;

use super::batch::line_of;
use super::session::{Output, Patience, Session, private_folder, read_log};
use super::trouble::explain;
use super::{Destination, Input, Keep};
use crate::base::{Result, ResultExt};

/// The status by which `ssh` says that itself failed, not the remote program.
const SSH_FAILED: i32 = 255;
/// A host that runs answers within this.
const PATIENCE: Patience = Patience {
    booting: Duration::from_secs(15),
    first_start: false,
};

/// Opens a login shell on the host in the user's terminal; returns its exit status.
///
/// # Errors
/// When the connection fails.
pub async fn interactive(destination: &Destination, keep: Option<&Keep>) -> Result<i32> {
    run(destination, keep, None).await
}

/// Runs a program on the host and keeps what it prints.
///
/// # Errors
/// When the connection fails.
pub async fn capture(
    destination: &Destination,
    keep: Option<&Keep>,
    argv: &[String],
) -> Result<Output> {
    let line = line_of(argv)?;
    let session = Session::reconnect(destination, keep, PATIENCE, &|_| {}).await?;
    session.run(&line, &Input::default(), &mut |_| {}).await
}

/// Runs a program on the host, its streams joined to ours; returns its exit status.
///
/// # Errors
/// When the connection fails.
pub async fn exec(destination: &Destination, keep: Option<&Keep>, argv: &[String]) -> Result<i32> {
    run(destination, keep, Some(line_of(argv)?)).await
}

async fn run(destination: &Destination, keep: Option<&Keep>, line: Option<String>) -> Result<i32> {
    let socket = match keep {
        Some(_) => {
            let session = Session::reconnect(destination, keep, PATIENCE, &|_| {}).await?;
            // What is kept may lead nowhere: this shows it.
            session.run("true", &Input::default(), &mut |_| {}).await?;
            session.socket()
        }
        None => "none".into(),
    };
    let folder = private_folder()?;
    let log = folder.path().join("log");
    let mut ssh = tokio::process::Command::new("ssh");
    ssh.arg("-F")
        .arg(destination.write_config(folder.path())?)
        .arg("-E")
        .arg(&log)
        .args(["-o", "ControlMaster=no", "-S"])
        .arg(socket)
        .arg(if line.is_some() { "-T" } else { "-t" })
        .arg("--")
        .arg(&destination.address)
        .args(line)
        .stdin(Stdio::inherit());
    let status = ssh.status().await.context("running `ssh`")?;
    let code = status.code().unwrap_or(SSH_FAILED);
    let mut text = read_log(&folder.path().join("jump_log"));
    text.push_str(&read_log(&log));
    // A remote program may end with 255, too; then ssh has logged nothing.
    if code == SSH_FAILED && !text.trim().is_empty() {
        return Err(explain(destination, &text).error);
    }
    Ok(code)
}
