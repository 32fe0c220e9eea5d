//! Connections that outlive a run: masters in a private folder, found again by all that they depend
//! on. One that does not answer any more is let go of and made anew.

pub mod list;

use std::fs::{DirBuilder, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::Destination;
use super::session::master;
use crate::base::{Error, Result, ResultExt, hex};

/// The socket, in the folder of its connection.
const SOCKET: &str = "m";
/// What it is connected to, in words.
const ABOUT: &str = "about";
/// Characters of a key: as many as leave the socket's path short enough.
const KEY_LENGTH: usize = 24;
/// Longest `XDG_RUNTIME_DIR`: with the names below it and the 17 characters that OpenSSH adds, a
/// socket's path stays below the 107 that the system allows.
const LONGEST_BASE: usize = 50;
/// A master on this machine answers at once.
const LOCAL: Duration = Duration::from_secs(1);
/// Another run that is connecting to the same host is waited for.
const OTHERS: Duration = Duration::from_mins(2);

/// Leave to keep connections, and for how long after their last use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    folder: PathBuf,
    lifetime: Duration,
}

impl Keep {
    /// Keeps connections for `lifetime` after their last use, where this user's are kept.
    ///
    /// # Errors
    /// When that folder cannot be made, or others can enter it.
    pub fn new(lifetime: Duration) -> Result<Self> {
        Self::within(usual_folder()?, lifetime)
    }

    /// The same in another folder.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn within(folder: PathBuf, lifetime: Duration) -> Result<Self> {
        make_private(&folder)?;
        Ok(Self { folder, lifetime })
    }

    /// The connection to a destination: the open one, or a new one; or what `ssh` logged when there
    /// is none. `unless` is one that has not answered.
    pub(super) async fn open(
        &self,
        destination: &Destination,
        unless: Option<&Held>,
    ) -> Result<Result<Held, String>> {
        let key = key(destination);
        let folder = self.folder.join(&key);
        let socket = folder.join(SOCKET);
        let _locked = lock(&self.folder.join(format!("{key}.lock")), destination).await?;
        if let Some(held) = Held::of(&socket) {
            let silent = unless.is_some_and(|silent| silent.inode == held.inode);
            if !silent && held.answers_here().await {
                return Ok(Ok(held));
            }
            held.let_go().await;
        }
        remove(&folder)?;
        make_private(&folder)?;
        let config = destination.write_config(&folder)?;
        let about = format!("{}\n{}\n", destination.login(), destination.name);
        std::fs::write(folder.join(ABOUT), about).context("writing about a connection")?;
        let address = &destination.address;
        let made = master(address, &config, &socket, self.lifetime.as_secs()).await?;
        let log = match made {
            Ok(()) => match Held::of(&socket) {
                Some(held) => return Ok(Ok(held.made_now())),
                None => "the connection ended at once".to_owned(),
            },
            Err(log) => log,
        };
        remove(&folder)?;
        Ok(Err(log))
    }
}

/// A kept connection in use.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) socket: PathBuf,
    /// Tells it from one that was made in its place.
    inode: u64,
    /// It was made in this run.
    pub(super) fresh: bool,
}

impl Held {
    fn of(socket: &Path) -> Option<Self> {
        let inode = socket.symlink_metadata().ok()?.ino();
        Some(Self {
            socket: socket.to_owned(),
            inode,
            fresh: false,
        })
    }

    fn made_now(self) -> Self {
        Self {
            fresh: true,
            ..self
        }
    }

    pub(super) fn mux(&self) -> openssh::Session {
        openssh::Session::resume_mux(self.socket.clone().into(), None)
    }

    /// The master is there. Whether the host still is, only the host can tell.
    async fn answers_here(&self) -> bool {
        let mux = self.mux();
        let answer = tokio::time::timeout(LOCAL, mux.check()).await;
        matches!(answer, Ok(Ok(())))
    }

    /// Takes nobody new; what other runs still do by it goes on.
    async fn let_go(&self) {
        let _ = tokio::time::timeout(LOCAL, self.mux().close()).await;
    }
}

/// Where this user's connections are kept.
fn usual_folder() -> Result<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let fits = |path: &PathBuf| path.is_dir() && path.as_os_str().len() <= LONGEST_BASE;
    match runtime.filter(fits) {
        Some(runtime) => Ok(runtime.join("tidewalk")),
        None => Ok(PathBuf::from(format!("/tmp/tidewalk-{}", own_id()?))),
    }
}

fn own_id() -> Result<u32> {
    let facts = std::fs::metadata("/proc/self").context("asking who this is")?;
    Ok(facts.uid())
}

/// Makes a folder that only this user can enter, or sees to it that the one there is so.
fn make_private(folder: &Path) -> Result<()> {
    let making = || format!("making the folder `{}`", folder.display());
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made.context(making()),
    }
    let facts = folder.symlink_metadata().context(making())?;
    if facts.is_dir() && facts.uid() == own_id()? && facts.mode().trailing_zeros() >= 6 {
        return Ok(());
    }
    Err(Error::failed(format!(
        "`{}` is not a folder that only you can enter, so no connection is kept there",
        folder.display()
    ))
    .hint("remove it, or do not keep connections"))
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.context(format!("removing `{}`", folder.display())),
    }
}

/// One run at a time looks for the connection to a host or makes it.
async fn lock(path: &Path, destination: &Destination) -> Result<File> {
    let locking = || format!("locking `{}`", path.display());
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .context(locking())?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error).context(locking()),
            Err(TryLockError::WouldBlock) if begun.elapsed() < OTHERS => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(TryLockError::WouldBlock) => {
                let name = &destination.name;
                let text = format!("another run has been connecting to {name} for two minutes");
                return Err(Error::failed(text));
            }
        }
    }
}

/// Everything that a connection depends on: with another login, key, way or accepted host key it is
/// another connection.
fn key(destination: &Destination) -> String {
    let Destination {
        name: _,
        address,
        user,
        port,
        identity,
        jump,
        keys,
    } = destination;
    let key_lines = |keys: &[super::HostKey]| {
        let mut lines: Vec<_> = keys.iter().map(ToString::to_string).collect();
        lines.sort();
        lines
    };
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let own = home.map(|home| home.join(".ssh/config"));
    let jump = jump.as_ref().map(|jump| {
        let identity = jump.identity.as_deref();
        (
            &jump.hosts,
            key_lines(&jump.keys),
            identity,
            stamp(identity),
        )
    });
    let all = format!(
        "{:?}",
        (
            env!("CARGO_PKG_VERSION"),
            (address, user, port),
            (identity, stamp(identity.as_deref())),
            jump,
            key_lines(keys),
            stamp(own.as_deref()),
            stamp(Some(Path::new("/etc/ssh/ssh_config"))),
        )
    );
    let mut key = hex(&Sha256::digest(all.as_bytes()));
    key.truncate(KEY_LENGTH);
    key
}

/// What changes when a file does.
fn stamp(path: Option<&Path>) -> Option<(u64, u64, i64, i64)> {
    let facts = path?.metadata().ok()?;
    Some((facts.ino(), facts.len(), facts.mtime(), facts.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::ssh::Jump;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    fn destination() -> Destination {
        Destination {
            name: "hosts.a".to_owned(),
            address: "10.0.0.1".to_owned(),
            user: Some("ubuntu".to_owned()),
            port: None,
            identity: None,
            jump: None,
            keys: KEY.parse().into_iter().collect(),
        }
    }

    #[test]
    fn another_login_way_or_host_key_is_another_connection() {
        let folder = tempfile::tempdir().unwrap();
        let identity = folder.path().join("id");
        std::fs::write(&identity, "one").unwrap();
        let mut same = destination();
        same.name = "hosts.other".to_owned();
        assert_eq!(key(&same), key(&destination()), "whatever it is called");

        let jump = Jump {
            hosts: "10.0.0.9".to_owned(),
            keys: Vec::new(),
            identity: None,
        };
        let changes: [&dyn Fn(&mut Destination); 6] = [
            &|it| it.address = "10.0.0.2".to_owned(),
            &|it| it.user = None,
            &|it| it.port = Some(2222),
            &|it| it.identity = Some(identity.clone()),
            &|it| it.jump = Some(jump.clone()),
            &|it| it.keys.clear(),
        ];
        let mut seen = vec![key(&destination())];
        for change in changes {
            let mut other = destination();
            change(&mut other);
            assert!(!seen.contains(&key(&other)), "{other:?}");
            seen.push(key(&other));
        }
        let mut with_identity = destination();
        with_identity.identity = Some(identity.clone());
        let before = key(&with_identity);
        std::fs::write(&identity, "another key").unwrap();
        assert_ne!(key(&with_identity), before, "the private key was changed");
    }

    #[test]
    fn a_folder_that_others_can_enter_keeps_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        for wrong in [open, link] {
            let error = Keep::within(wrong, Duration::from_mins(1)).unwrap_err();
            assert!(error.message().contains("only you"), "{error:?}");
        }
        let made = folder.path().join("made");
        Keep::within(made.clone(), Duration::from_mins(1)).unwrap();
        assert_eq!(made.metadata().unwrap().mode() & 0o777, 0o700);
    }
}
