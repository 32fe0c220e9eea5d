//! One multiplexed connection to a host: made once, used for every round trip, gone when dropped
//! unless the user lets it be kept.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::kept::{Held, Keep};
use super::streams::exchange;
use super::transport::Heard;
use super::trouble::{Passing, explain};
use super::{Destination, Input};
use crate::base::{Error, Result, ResultExt};

/// A connection that nobody uses any more (after a kill, too) ends by itself after this.
const IDLE_SECONDS: u64 = 60;
/// Longest path of a control socket: OpenSSH adds 17 characters, and the system allows 104.
const LONGEST_FOLDER: usize = 60;
/// No single attempt takes longer, whatever the host does.
const ATTEMPT: Duration = Duration::from_mins(1);
/// A host's first start gets this long, from its first answer, until its login and key are in place.
const INSTALLING: Duration = Duration::from_secs(90);

/// A host whose connection was kept takes a program within this, or the connection is made anew.
const ANSWER: Duration = Duration::from_secs(5);

/// An open connection.
pub struct Session {
    mux: std::sync::Mutex<Arc<openssh::Session>>,
    destination: Destination,
    /// The connection was kept by a run before, and the host has not answered by it yet.
    doubt: tokio::sync::Mutex<Option<Doubt>>,
}

/// How to make a connection anew that does not answer.
struct Doubt {
    held: Held,
    keep: Keep,
    patience: Patience,
}

type Child = openssh::Child<Arc<openssh::Session>>;

/// How long to try to connect.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a host that does not answer yet.
    pub booting: Duration,
    /// The host may be at its first start: a refused login or a foreign key may pass, too.
    pub first_start: bool,
}

/// What a remote program left.
#[derive(Debug, Default)]
pub struct Output {
    /// Exit status; `None` when it ended by a signal or the connection was lost.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Session {
    /// Connects, and tries again while the host is booting; `doing` hears why it waits.
    ///
    /// # Errors
    /// What keeps the connection from coming about, and what to do.
    pub async fn connect(
        destination: &Destination,
        patience: Patience,
        doing: &(dyn Fn(&str) + Sync),
    ) -> Result<Self> {
        let mux = persist(destination, patience, doing, || attempt(destination));
        Ok(Self::of(mux.await?, destination, None))
    }

    /// Takes the connection that a run before has kept, or makes one and keeps it, where that is
    /// allowed; otherwise as [`Self::connect`].
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn reconnect(
        destination: &Destination,
        keep: Option<&Keep>,
        patience: Patience,
        doing: &(dyn Fn(&str) + Sync),
    ) -> Result<Self> {
        let Some(keep) = keep else {
            return Self::connect(destination, patience, doing).await;
        };
        let held = persist(destination, patience, doing, || {
            keep.open(destination, None)
        });
        let held = held.await?;
        let mux = held.mux();
        let doubt = (!held.fresh).then(|| Doubt {
            held,
            keep: keep.clone(),
            patience,
        });
        Ok(Self::of(mux, destination, doubt))
    }

    fn of(mux: openssh::Session, destination: &Destination, doubt: Option<Doubt>) -> Self {
        Self {
            mux: std::sync::Mutex::new(Arc::new(mux)),
            destination: destination.clone(),
            doubt: tokio::sync::Mutex::new(doubt),
        }
    }

    fn mux(&self) -> Arc<openssh::Session> {
        let mux = self.mux.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&mux)
    }

    /// The control socket, by which other programs can use this connection.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.mux().control_socket().to_owned()
    }

    /// Where this is connected to.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The connection still stands.
    pub async fn is_alive(&self) -> bool {
        self.mux().check().await.is_ok()
    }

    /// Runs a line for the host's shell with `stdin`; `heard` gets what comes as it comes.
    ///
    /// # Errors
    /// When the connection fails; not when the program does.
    pub async fn run(&self, line: &str, stdin: &Input, heard: Heard<'_>) -> Result<Output> {
        let mut child = self.begin(line).await?;
        let (Some(input), Some(stdout), Some(stderr)) = (
            child.stdin().take(),
            child.stdout().take(),
            child.stderr().take(),
        ) else {
            return Err(self.lost("no standard streams"));
        };
        let (stdout, stderr) = exchange(stdin, input, stdout, stderr, heard).await;
        let status = match child.wait().await {
            Ok(status) => status.code(),
            Err(openssh::Error::Remote(_)) => Some(127),
            Err(openssh::Error::RemoteProcessTerminated) => None,
            Err(cause) => return Err(self.lost(&with_sources(&cause))),
        };
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    /// Starts a line for the host's shell. The host takes part in that, so that a kept connection
    /// which leads nowhere shows; nothing has begun there then, and a new connection is made.
    async fn begin(&self, line: &str) -> Result<Child> {
        let mut doubt = self.doubt.lock().await;
        if let Some(Doubt {
            held,
            keep,
            patience,
        }) = doubt.take()
        {
            let begun = tokio::time::timeout(ANSWER, spawn(self.mux(), line)).await;
            if let Ok(Ok(child)) = begun {
                return Ok(child);
            }
            let destination = &self.destination;
            let fresh = persist(destination, patience, &|_| {}, || {
                keep.open(destination, Some(&held))
            });
            let mux = Arc::new(fresh.await?.mux());
            *self.mux.lock().unwrap_or_else(PoisonError::into_inner) = mux;
        }
        drop(doubt);
        let begun = spawn(self.mux(), line).await;
        begun.map_err(|cause| self.lost(&with_sources(&cause)))
    }

    fn lost(&self, cause: &str) -> Error {
        let name = &self.destination.name;
        Error::failed(format!("the connection to {name} was lost: {cause}"))
            .hint("run the same command again: it continues where it stopped")
    }
}

async fn spawn(mux: Arc<openssh::Session>, line: &str) -> Result<Child, openssh::Error> {
    let mut command = mux.arc_raw_command(line);
    command
        .stdin(openssh::Stdio::piped())
        .stdout(openssh::Stdio::piped())
        .stderr(openssh::Stdio::piped());
    command.spawn().await
}

/// Makes attempts until one succeeds or there is no hope; each gives what `ssh` logged if it failed.
async fn persist<T, F>(
    destination: &Destination,
    patience: Patience,
    doing: &(dyn Fn(&str) + Sync),
    attempt: impl Fn() -> F,
) -> Result<T>
where
    F: Future<Output = Result<Result<T, String>>>,
{
    let start = Instant::now();
    let mut refused = None;
    let mut pause = Duration::from_millis(250);
    loop {
        let log = match attempt().await? {
            Ok(made) => return Ok(made),
            Err(log) => log,
        };
        let trouble = explain(destination, &log);
        let (since, limit, news) = match trouble.passing {
            Passing::WhileBooting => (start, patience.booting, "waiting for SSH to answer"),
            Passing::WhileInstalling if patience.first_start => (
                // From here on it answers: how long that took does not count.
                *refused.get_or_insert_with(Instant::now),
                INSTALLING,
                "waiting until the host's first start lets us in",
            ),
            Passing::WhileInstalling | Passing::Never => return Err(trouble.error),
        };
        if since.elapsed() + pause > limit {
            let waited = start.elapsed().as_secs();
            return Err(trouble.error.note(format!("tried for {waited} s")));
        }
        doing(news);
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_secs(5));
    }
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A connection of this run alone; or what `ssh` logged.
async fn attempt(destination: &Destination) -> Result<Result<openssh::Session, String>> {
    let folder = private_folder()?;
    let config = destination.write_config(folder.path())?;
    // The name that the library knows, which ends it with the folder.
    let socket = folder.path().join("master");
    let made = master(&destination.address, &config, &socket, IDLE_SECONDS).await?;
    Ok(made.map(|()| openssh::Session::new_native_mux(folder)))
}

/// Starts a master connection in the background, which ends when nobody has used it for so long; or
/// what `ssh` logged, beside the configuration.
pub(super) async fn master(
    address: &str,
    config: &Path,
    socket: &Path,
    idle_seconds: u64,
) -> Result<Result<(), String>> {
    let log = config.with_file_name("log");
    let mut ssh = tokio::process::Command::new("ssh");
    ssh.stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        // Ctrl-C is for tidewalk, which finishes its calls in flight.
        .process_group(0)
        .arg("-F")
        .arg(config)
        .arg("-E")
        .arg(&log)
        .arg("-S")
        .arg(socket)
        .args(["-M", "-f", "-N", "-o", "BatchMode=yes", "-o"])
        .arg(format!("ControlPersist={idle_seconds}s"))
        .arg("--")
        .arg(address);
    let status = match tokio::time::timeout(ATTEMPT, ssh.status()).await {
        Ok(status) => status
            .context("running `ssh`")
            .map_err(|error| error.hint("install the OpenSSH client"))?,
        Err(_) => return Ok(Err("Connection timed out".to_owned())),
    };
    if status.success() {
        return Ok(Ok(()));
    }
    let mut text = read_log(&config.with_file_name("jump_log"));
    text.push_str(&read_log(&log));
    Ok(Err(text))
}

pub(super) fn read_log(path: &Path) -> String {
    std::fs::read(path).map_or_else(
        |_| String::new(),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    )
}

/// A new folder that only this user can enter, with a path short enough for a socket in it.
pub(super) fn private_folder() -> Result<TempDir> {
    use std::os::unix::fs::PermissionsExt as _;
    let fits = |path: &PathBuf| path.is_dir() && path.as_os_str().len() <= LONGEST_FOLDER;
    let base = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(fits)
        .unwrap_or_else(|| PathBuf::from("/tmp"));
    tempfile::Builder::new()
        .prefix("tidewalk-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(&base)
        .context(format!("making a folder in `{}`", base.display()))
}
