//! Brings the sandbox up and down, and says how it is.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::client::Control;
use super::front::Health;
use super::lock::Lock;
use super::place::{self, Running};
use super::{Options, daemon, network};
use crate::base::{Error, Result, ResultExt};
use crate::docker::Engine;

const START: Duration = Duration::from_mins(2);
const STOP: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

/// How a sandbox is.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Its folder.
    pub dir: PathBuf,
    /// It, when it runs.
    pub running: Option<Running>,
    /// What it says of itself.
    pub health: Option<Health>,
}

/// Brings the sandbox of a folder up, unless it is. `program` is the tidewalk binary that is to
/// serve; `say` gets lines about what is being done. Says whether it was up already.
///
/// # Errors
/// What could not be installed, built or started.
pub async fn up(
    dir: &Path,
    options: Options,
    program: &Path,
    say: &super::Say<'_>,
) -> Result<(Running, bool)> {
    let _lock = Lock::take(&dir.join("up.lock")).await?;
    if let Some(running) = place::locate(dir)? {
        return Ok((running, true));
    }
    daemon::prepare(options.hosts, say).await?;
    say("starting the AWS emulator and its front");
    // A killed one's note must not be taken for the new one's.
    forget(dir)?;
    let log_path = place::log(dir);
    let log = File::create(&log_path).context(format!("creating `{}`", log_path.display()))?;
    let mut command = Command::new(program);
    command.args(["sandbox", "serve", "--dir"]).arg(dir);
    if !options.hosts {
        command.arg("--no-hosts");
    }
    if options.lazy {
        command.arg("--lazy");
    }
    let process = command
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("sharing the log")?)
        .stderr(log)
        // Out of the terminal's foreground group: its Ctrl-C is not ours.
        .process_group(0)
        .spawn()
        .context(format!("starting `{}`", program.display()))?;
    let running = wait_up(dir, process).await.map_err(|error| {
        let said = std::fs::read_to_string(&log_path).unwrap_or_default();
        let last: Vec<&str> = said.trim().lines().rev().take(5).collect();
        let error = last.into_iter().rev().fold(error, Error::note);
        error.hint(format!("see `{}`", log_path.display()))
    })?;
    Ok((running, false))
}

async fn wait_up(dir: &Path, mut process: Child) -> Result<Running> {
    let deadline = Instant::now() + START;
    while Instant::now() < deadline {
        if let Some(running) = place::locate(dir)? {
            return Ok(running);
        }
        if let Some(status) = process.try_wait().context("waiting for the sandbox")? {
            return Err(Error::failed(format!(
                "the sandbox ended at once ({status})"
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(Error::failed("the sandbox did not start in time"))
}

fn forget(dir: &Path) -> Result<()> {
    let path = place::file(dir);
    match std::fs::remove_file(&path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(cause).context(format!("removing `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

/// Takes the sandbox of a folder down: front, emulator, hosts and their network; nothing else.
/// Says whether there was anything.
///
/// # Errors
/// What did not stop or could not be removed.
pub async fn down(dir: &Path, say: &super::Say<'_>) -> Result<bool> {
    if !dir.exists() {
        return Ok(false);
    }
    let _lock = Lock::take(&dir.join("up.lock")).await?;
    let noted = place::noted(dir)?;
    if let Some(running) = place::locate(dir)? {
        say("stopping the front and the AWS emulator");
        Control::new(&running.endpoint)?.stop().await?;
        wait_down(dir).await?;
    }
    let mut removed = 0;
    // Without an engine there are no hosts, unless the note says otherwise.
    let had_hosts = noted.as_ref().is_some_and(|running| running.hosts);
    match Engine::connect().await {
        Ok(engine) => {
            removed = network::remove(&engine, &place::id(dir)).await?;
            if let Some(running) = &noted {
                forget_images(&engine, &running.registry).await?;
            }
        }
        Err(error) if had_hosts => return Err(error.context("removing the hosts")),
        Err(_) => {}
    }
    if removed > 0 {
        say(&format!(
            "removed {removed} container{}",
            if removed == 1 { "" } else { "s" }
        ));
    }
    forget(dir)?;
    Ok(noted.is_some() || removed > 0)
}

/// Removes the images that came from its registry: nobody can pull them again.
async fn forget_images(engine: &Engine, registry: &str) -> Result<()> {
    if registry.is_empty() {
        return Ok(());
    }
    for image in engine.images_of(registry).await? {
        engine.remove_image(&image).await?;
    }
    Ok(())
}

async fn wait_down(dir: &Path) -> Result<()> {
    let deadline = Instant::now() + STOP;
    while Instant::now() < deadline {
        if place::locate(dir)?.is_none() {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(Error::failed("the sandbox did not stop in time")
        .hint(format!("see `{}`", place::log(dir).display())))
}

/// How the sandbox of a folder is.
///
/// # Errors
/// When the folder cannot be read.
pub async fn status(dir: &Path) -> Result<Status> {
    let running = place::locate(dir)?;
    let health = match &running {
        Some(running) => Control::new(&running.endpoint)?.health().await.ok(),
        None => None,
    };
    Ok(Status {
        dir: dir.to_owned(),
        running,
        health,
    })
}
