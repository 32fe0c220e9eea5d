//! The connections that are kept, to be seen and closed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::{ABOUT, Held, LOCAL, OTHERS, SOCKET, remove, usual_folder};
use crate::base::{Result, ResultExt};

/// A connection that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The login: `root@10.0.0.1`.
    pub login: String,
    /// What the run called it that made it: `hosts.server`.
    pub name: String,
    folder: PathBuf,
}

/// All that are open.
///
/// # Errors
/// When their folder cannot be read.
pub async fn all() -> Result<Vec<Kept>> {
    all_in(&usual_folder()?).await
}

/// All that are open in `folder`, by login; what has ended is cleared away.
///
/// # Errors
/// When the folder cannot be read.
pub async fn all_in(folder: &Path) -> Result<Vec<Kept>> {
    let reading = || format!("reading `{}`", folder.display());
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.context(reading())?,
    };
    let mut kept = Vec::new();
    for entry in entries {
        let folder = entry.context(reading())?.path();
        let Ok(about) = std::fs::read_to_string(folder.join(ABOUT)) else {
            continue;
        };
        match Held::of(&folder.join(SOCKET)) {
            Some(held) if held.answers_here().await => {}
            // One that is just being made has no socket yet.
            None if is_new(&folder) => continue,
            _ => {
                remove(&folder)?;
                continue;
            }
        }
        let mut lines = about.lines().map(str::to_owned);
        kept.push(Kept {
            login: lines.next().unwrap_or_default(),
            name: lines.next().unwrap_or_default(),
            folder,
        });
    }
    kept.sort_by(|one, other| (&one.login, &one.name).cmp(&(&other.login, &other.name)));
    Ok(kept)
}

impl Kept {
    /// Ends it, and with it what is still done by it.
    ///
    /// # Errors
    /// When its folder cannot be removed.
    pub async fn close(self) -> Result<()> {
        let mut ssh = tokio::process::Command::new("ssh");
        ssh.stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .args(["-F", "none", "-O", "exit", "-S"])
            .arg(self.folder.join(SOCKET))
            .arg("host");
        let _ = tokio::time::timeout(LOCAL, ssh.status()).await;
        remove(&self.folder)
    }
}

fn is_new(folder: &Path) -> bool {
    let age = folder
        .metadata()
        .and_then(|facts| facts.modified())
        .ok()
        .and_then(|made| made.elapsed().ok());
    age.is_none_or(|age| age < OTHERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_has_ended_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let dead = folder.path().join("dead");
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(dead.join(ABOUT), "root@a\nhosts.a\n").unwrap();
        drop(std::os::unix::net::UnixListener::bind(dead.join(SOCKET)).unwrap());
        assert_eq!(all_in(folder.path()).await.unwrap(), Vec::new());
        assert!(!dead.exists());
    }
}
