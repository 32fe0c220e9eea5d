//! The registry that images are pushed to: `docker-registry` (CNCF Distribution), started when it is first
//! asked, with its files in the sandbox's folder.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::OnceCell;

use crate::base::{Error, Result, ResultExt};

const PROGRAM: &str = "docker-registry";
/// It ends with whoever holds the other end of its standard input, however that ends.
const RUN: &str = r#""$0" serve "$1" & read -r _; kill $!"#;
const START: Duration = Duration::from_secs(20);

/// The registry of a sandbox.
pub(crate) struct Registry {
    dir: PathBuf,
    running: OnceCell<Running>,
}

struct Running {
    endpoint: String,
    _process: Child,
    _input: ChildStdin,
}

impl Registry {
    /// One with its files in this folder; nothing runs yet.
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.join("registry"),
            running: OnceCell::new(),
        }
    }

    /// Where it answers, such as `http://127.0.0.1:5000`; it is started if it does not run.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub(crate) async fn endpoint(&self) -> Result<&str> {
        let running = self.running.get_or_try_init(|| self.start()).await?;
        Ok(&running.endpoint)
    }

    async fn start(&self) -> Result<Running> {
        let free = TcpListener::bind("127.0.0.1:0").context("opening a port")?;
        let address = free.local_addr().context("opening a port")?;
        drop(free);
        // JSON is YAML.
        let config = serde_json::json!({
            "version": "0.1",
            "log": { "level": "error", "accesslog": { "disabled": true } },
            "storage": {
                "filesystem": { "rootdirectory": self.dir.join("files") },
                "delete": { "enabled": true },
            },
            "http": { "addr": address.to_string(), "relativeurls": true },
        });
        let path = self.dir.join("config.yml");
        let written = std::fs::create_dir_all(&self.dir)
            .and_then(|()| std::fs::write(&path, config.to_string()));
        written.context(format!("writing `{}`", path.display()))?;
        let mut process = Command::new("sh")
            .args(["-c", RUN, PROGRAM])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .context("running `sh`")?;
        let input = process.stdin.take();
        let input = input.ok_or_else(|| Error::failed("the registry has no standard input"))?;
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if begun.elapsed() > START || !is_installed() {
                return Err(Error::failed("the registry of the sandbox does not start")
                    .hint("install `docker-registry` (make setup)"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Running {
            endpoint: format!("http://{address}"),
            _process: process,
            _input: input,
        })
    }
}

fn is_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(PROGRAM).is_file())
}
