//! Where a sandbox lives on this machine, and how to find the one that runs.

use std::collections::BTreeMap;
use std::env;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base::{Error, Result, ResultExt, hex};

/// The access key id that the sandbox takes (any is fine).
pub const ACCESS_KEY_ID: &str = "AKIASANDBOXSANDBOX00";
/// The secret that goes with it; it opens nothing.
pub const SECRET_ACCESS_KEY: &str = "sandbox-sandbox-sandbox-sandbox-sandbox0";
/// The region when none is named.
pub const REGION: &str = "eu-west-1";
/// The account that everything in a sandbox belongs to.
pub const ACCOUNT: &str = "123456789012";
/// Names another folder for the sandbox's state.
pub const DIR_VARIABLE: &str = "TIDEWALK_SANDBOX_DIR";

/// The network that the hosts of a sandbox are in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostNetwork {
    /// Docker's name for it.
    pub name: String,
    /// Its addresses.
    pub subnet: String,
    /// Where AWS clients in it connect to.
    #[serde(default)]
    pub endpoint: Option<String>,
}

/// Where a sandbox's simulated exchange answers, `http://ADDRESS:PORT`; its websocket is there, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangePlace {
    /// From this machine.
    pub url: String,
    /// From hosts and containers, where there are any.
    pub inside: Option<String>,
}

/// A sandbox that runs, as `sandbox.json` in its folder tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Where AWS clients connect to.
    pub endpoint: String,
    /// The process that serves it.
    pub pid: u32,
    /// The emulator's process.
    pub moto_pid: u32,
    /// The network of the hosts; `None` when hosts are not run.
    pub network: Option<HostNetwork>,
    /// When it was started, RFC 3339.
    pub started: String,
    /// Instances are real hosts.
    pub hosts: bool,
    /// Where images are pushed to and pulled from: name and port.
    #[serde(default)]
    pub registry: String,
    /// The simulated exchange.
    #[serde(default)]
    pub exchange: ExchangePlace,
}

/// Environment variables by which apps find the simulated exchange and the stand-in for Slack of the
/// sandbox that runs, from where they run; none where none runs.
///
/// # Errors
/// When not even a home folder is known, or what is noted of the sandbox cannot be read.
pub fn for_apps() -> Result<BTreeMap<String, String>> {
    let Some(running) = locate(&default_dir()?)? else {
        return Ok(BTreeMap::new());
    };
    let ExchangePlace { url, inside } = running.exchange;
    let url = inside.unwrap_or(url);
    let variables = [
        ("EXCHANGE_STREAM_URL", url.replacen("http", "ws", 1)),
        ("SLACK_URL", format!("{url}/slack/api")),
        ("EXCHANGE_URL", url),
    ];
    Ok(variables
        .map(|(name, value)| (name.to_owned(), value))
        .into())
}

/// The folder of the sandbox when none is named: `$TIDEWALK_SANDBOX_DIR`, or
/// `tidewalk/sandbox` in `$XDG_STATE_HOME` or `~/.local/state`.
///
/// # Errors
/// When not even a home folder is known.
pub fn default_dir() -> Result<PathBuf> {
    if let Some(dir) = env::var_os(DIR_VARIABLE).filter(|dir| !dir.is_empty()) {
        return Ok(dir.into());
    }
    Ok(base_dir("XDG_STATE_HOME", ".local/state")?.join("tidewalk/sandbox"))
}

/// `$variable`, or `beneath` in the home folder.
pub(super) fn base_dir(variable: &str, beneath: &str) -> Result<PathBuf> {
    if let Some(dir) = env::var_os(variable).filter(|dir| !dir.is_empty()) {
        return Ok(dir.into());
    }
    env::home_dir()
        .map(|home| home.join(beneath))
        .ok_or_else(|| Error::failed("no home folder is known").hint("set `HOME`"))
}

/// The file that tells of the running sandbox.
pub(super) fn file(dir: &Path) -> PathBuf {
    dir.join("sandbox.json")
}

/// The file that the serving process writes to.
pub(super) fn log(dir: &Path) -> PathBuf {
    dir.join("sandbox.log")
}

/// The sandbox's id: the same for the same folder, so that what a killed one left is found.
pub(super) fn id(dir: &Path) -> String {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let hash = Sha256::digest(absolute.as_os_str().as_encoded_bytes());
    hex(&hash[..4])
}

/// What `sandbox.json` says, running or not.
pub(super) fn noted(dir: &Path) -> Result<Option<Running>> {
    let path = file(dir);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .context(format!("reading `{}`", path.display())),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause).context(format!("reading `{}`", path.display())),
    }
}

/// The sandbox that runs in `dir`; `None` when none does.
///
/// # Errors
/// When the folder cannot be read.
pub fn locate(dir: &Path) -> Result<Option<Running>> {
    Ok(noted(dir)?.filter(answers))
}

fn answers(running: &Running) -> bool {
    let address = running.endpoint.trim_start_matches("http://");
    address
        .parse::<SocketAddr>()
        .is_ok_and(|address| TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok())
}
