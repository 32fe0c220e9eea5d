//! A file on the host as `tw_see_file` tells of it.

use sha2::{Digest, Sha256};

use super::mode::Mode;
use crate::base::{Blob, Error, Result, hex};
use crate::contract::Fact;
use crate::ssh::Command;

/// Larger contents are not brought back; plans show sizes and hashes for them.
pub const LARGEST_SHOWN: usize = 256 * 1024;

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFile {
    /// It is a regular file.
    pub is_file: bool,
    /// It is a directory.
    pub is_directory: bool,
    /// Permission bits.
    pub mode: Option<Mode>,
    /// Owner's name.
    pub owner: String,
    /// Group's name.
    pub group: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of a regular file, in hex.
    pub hash: String,
    /// Content; `None` when it is as wanted, or larger than [`LARGEST_SHOWN`].
    pub content: Option<Vec<u8>>,
}

/// The command that looks; content comes back unless its hash is `wanted`.
#[must_use]
pub fn probe(path: &str, wanted: Option<&[u8]>) -> Command {
    let hash = wanted.map_or_else(|| "-".to_owned(), hash_of);
    Command::new(["tw_see_file", path, &hash])
}

/// The same with the content's hash known already.
#[must_use]
pub fn probe_for(path: &str, content: &Blob) -> Command {
    Command::new(["tw_see_file", path, content.sha256()])
}

/// What a look at a file with this content tells, as far as its content goes.
#[must_use]
pub fn fact(content: &Blob) -> Fact {
    let size = content.len();
    let head = format!("regular file||||{size}\n{}\n", content.sha256());
    Fact {
        status: 0,
        stdout: [head.as_bytes(), content].concat(),
    }
}

/// SHA-256 in hex.
#[must_use]
pub fn hash_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Reads the answer: `None` when nothing is there.
///
/// # Errors
/// When the answer cannot be understood.
pub fn read(fact: &Fact) -> Result<Option<SeenFile>> {
    if !fact.holds() && fact.stdout.is_empty() {
        return Ok(None);
    }
    let mut parts = fact.stdout.splitn(3, |byte| *byte == b'\n');
    let stat = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let hash = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let rest = parts.next().unwrap_or_default();
    let fields: Vec<_> = stat.split('|').collect();
    let [kind, mode, owner, group, size] = fields[..] else {
        return Err(Error::failed(format!("`{stat}` is no answer of `stat`")));
    };
    let size = size.parse().unwrap_or(u64::MAX);
    let whole = usize::try_from(size).is_ok_and(|size| size == rest.len());
    Ok(Some(SeenFile {
        is_file: kind.starts_with("regular"),
        is_directory: kind == "directory",
        mode: Mode::from_stat(mode),
        owner: owner.to_owned(),
        group: group.to_owned(),
        size,
        hash,
        content: (whole && rest.len() <= LARGEST_SHOWN).then(|| rest.to_vec()),
    }))
}
