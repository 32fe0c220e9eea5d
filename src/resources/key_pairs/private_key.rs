//! The private key that a key pair with `create:` keeps on this machine, and only here.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, LineEnding, PrivateKey};

use crate::base::{Error, Result, ResultExt as _};

/// The key at `path` if it is ours by its `comment`, or a new ed25519 key written there. Whatever
/// else is at `path` stays.
///
/// # Errors
/// When another file is there, or it cannot be written.
pub fn ensure(path: &Path, comment: &str) -> Result<PrivateKey> {
    match fs::read(path) {
        Ok(bytes) => ours(&bytes, comment).ok_or_else(|| foreign(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut key =
                PrivateKey::random(&mut OsRng, Algorithm::Ed25519).context("making a key")?;
            key.set_comment(comment);
            let text = key.to_openssh(LineEnding::LF).context("encoding the key")?;
            write_new(path, text.as_bytes())?;
            Ok(key)
        }
        Err(error) => Err(error).context(format!("reading {}", path.display())),
    }
}

/// The key in `bytes`, if it carries our comment.
#[must_use]
pub fn ours(bytes: &[u8], comment: &str) -> Option<PrivateKey> {
    let key = PrivateKey::from_openssh(bytes).ok()?;
    (key.comment() == comment).then_some(key)
}

/// Writes a file that only its owner may read, whole or not at all; an existing one with the same
/// content is fine.
///
/// # Errors
/// When another file is there, or it cannot be written.
pub fn write_new(path: &Path, content: &[u8]) -> Result<()> {
    let doing = || format!("writing {}", path.display());
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        let mut builder = fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(folder);
        made.context(format!("making the folder {}", folder.display()))?;
    }
    let part = part_of(path);
    match fs::remove_file(&part) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context(doing()),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o400).open(&part);
    let mut file = opened.context(doing())?;
    file.write_all(content).context(doing())?;
    file.sync_all().context(doing())?;
    // A link, not a rename: a rename would replace what has come to be there meanwhile.
    let linked = fs::hard_link(&part, path);
    let removed = fs::remove_file(&part);
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let there = fs::read(path).context(doing())?;
            if there == content {
                Ok(())
            } else {
                Err(foreign(path))
            }
        }
        linked => linked.and(removed).context(doing()),
    }
}

fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.part"))
}

fn foreign(path: &Path) -> Error {
    Error::failed(format!(
        "{} is there already and is not this key pair's private key",
        path.display()
    ))
    .hint("move that file away, or give another path as `create: { private_key: … }`")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_written_once_for_its_owner_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a.pem");
        // What a killed run may have left.
        fs::create_dir(folder.path().join("new")).unwrap();
        fs::write(part_of(&path), "half a k").unwrap();
        let key = ensure(&path, "ours").unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o400
        );
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(ensure(&path, "ours").unwrap(), key);
    }

    #[test]
    fn a_foreign_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pem");
        fs::write(&path, "precious").unwrap();
        assert!(ensure(&path, "ours").is_err());
        assert!(write_new(&path, b"new").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        let other = folder.path().join("b.pem");
        ensure(&other, "theirs").unwrap();
        assert!(ensure(&other, "ours").is_err());
    }
}
