//! The journal: what was about to be done and what came of it, one JSON line each, synced to disk
//! before the call goes out. It serves reports, receipts and audit; it is never the truth.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::{Address, Error, Result, ResultExt};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was written.
    pub time: Timestamp,
    /// The AWS account it is about.
    pub account: String,
    /// The region.
    pub region: String,
    /// The resource.
    pub address: Address,
    /// `create`, `update`, `replace` or `delete`.
    pub action: String,
    /// What the line records.
    pub mark: Mark,
    /// AWS's id, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What a line of the journal records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// About to be done.
    Intent,
    /// Done.
    Done,
    /// Tried, and failed.
    Failed,
    /// A receipt proved that it is gone: what came before this line is over.
    Gone,
}

impl Entry {
    /// Whether it is about the same resource as another.
    fn is_about(&self, other: &Self) -> bool {
        let place = |it: &Self| (it.account.clone(), it.region.clone(), it.address.clone());
        place(self) == place(other)
    }
}

/// An open journal. While it is open, no other run on this machine works on the same stack.
pub struct Journal {
    path: PathBuf,
    writer: Mutex<Writer>,
    _lock: File,
}

struct Writer {
    file: File,
    written: usize,
    kill_after: Option<usize>,
}

impl Journal {
    /// Opens `FOLDER/journal/STACK.jsonl`, and takes the stack's lock on this machine.
    ///
    /// `kill_after` has the process killed (SIGKILL) once that many entries were written; it is
    /// how the tests stop a run at every point.
    ///
    /// # Errors
    /// When another run holds the lock, or the folder cannot be written.
    pub fn open(folder: &Path, stack: &str, kill_after: Option<usize>) -> Result<Self> {
        let path = path(folder, stack);
        let directory = path.with_file_name("");
        fs::create_dir_all(&directory)
            .context(format!("creating `{}`", directory.display()))
            .map_err(|error| error.hint("the journal of a run is kept there: make it possible"))?;
        let mut options = OpenOptions::new();
        options.create(true).append(true).read(true);
        let lock_path = path.with_extension("lock");
        let lock = options
            .open(&lock_path)
            .context(format!("opening `{}`", lock_path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(
                    Error::failed(format!("another run is at work on stack `{stack}`"))
                        .note(format!("it holds `{}`", lock_path.display()))
                        .hint("wait for it to end, then run this again"),
                );
            }
            Err(TryLockError::Error(cause)) => {
                return Err(Error::failed(format!(
                    "locking `{}`: {cause}",
                    lock_path.display()
                )));
            }
        }
        let file = options
            .open(&path)
            .context(format!("opening `{}`", path.display()))?;
        let writer = Mutex::new(Writer {
            file,
            written: 0,
            kill_after,
        });
        Ok(Self {
            path,
            writer,
            _lock: lock,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one entry and waits until it is on disk.
    ///
    /// # Errors
    /// When it could not be written: then the step must not be taken.
    pub fn append(&self, entry: &Entry) -> Result<()> {
        self.write(entry, true)
    }

    /// Writes one entry and leaves it to the system when it is on disk: a host that is configured
    /// is not lost with the line, and many hosts would wait for one disk.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn note(&self, entry: &Entry) -> Result<()> {
        self.write(entry, false)
    }

    fn write(&self, entry: &Entry, wait: bool) -> Result<()> {
        let line = serde_json::to_string(entry).context("writing the journal")?;
        let mut writer = self
            .writer
            .lock()
            .map_err(|_| Error::failed("the journal broke"))?;
        writeln!(writer.file, "{line}")
            .and_then(|()| {
                if wait {
                    writer.file.sync_data()
                } else {
                    Ok(())
                }
            })
            .context(format!("writing `{}`", self.path.display()))?;
        writer.written += 1;
        if writer.kill_after == Some(writer.written) {
            killed();
        }
        Ok(())
    }
}

/// Ends this process by SIGKILL: nothing is unwound, flushed or tidied up.
fn killed() -> ! {
    let pid = std::process::id().to_string();
    let _ = Command::new("kill").args(["-KILL", &pid]).status();
    std::process::abort();
}

/// The entries of a stack's journal about what no receipt has proved to be gone. A line cut short
/// by a crash is passed over.
///
/// # Errors
/// When the journal is there and cannot be read.
pub fn read(folder: &Path, stack: &str) -> Result<Vec<Entry>> {
    let path = path(folder, stack);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => {
            return Err(Error::failed(format!(
                "reading `{}`: {cause}",
                path.display()
            )));
        }
    };
    let mut entries: Vec<Entry> = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line.context(format!("reading `{}`", path.display()))?;
        match serde_json::from_str::<Entry>(&line) {
            Ok(gone) if gone.mark == Mark::Gone => entries.retain(|it| !it.is_about(&gone)),
            Ok(entry) => entries.push(entry),
            Err(_) => {}
        }
    }
    Ok(entries)
}

fn path(folder: &Path, stack: &str) -> PathBuf {
    folder.join("journal").join(format!("{stack}.jsonl"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(mark: Mark) -> Entry {
        Entry {
            time: Timestamp::UNIX_EPOCH,
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            address: Address::new("instances", "server"),
            action: "create".to_owned(),
            mark,
            id: None,
        }
    }

    #[test]
    fn entries_come_back_and_a_torn_line_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path(), "de3", None).unwrap();
        journal.append(&entry(Mark::Intent)).unwrap();
        let mut raw = OpenOptions::new()
            .append(true)
            .open(journal.path())
            .unwrap();
        raw.write_all(b"{\"time\":\"2026").unwrap();
        assert_eq!(read(folder.path(), "de3").unwrap(), [entry(Mark::Intent)]);
    }

    #[test]
    fn what_a_receipt_proved_gone_is_over_in_its_account_only() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path(), "de3", None).unwrap();
        let mut elsewhere = entry(Mark::Done);
        elsewhere.region = "us-east-1".to_owned();
        for line in [&entry(Mark::Done), &elsewhere, &entry(Mark::Gone)] {
            journal.append(line).unwrap();
        }
        assert_eq!(read(folder.path(), "de3").unwrap(), [elsewhere.clone()]);
        journal.append(&entry(Mark::Intent)).unwrap();
        let again = [elsewhere, entry(Mark::Intent)];
        assert_eq!(read(folder.path(), "de3").unwrap(), again);
    }

    #[test]
    fn a_second_run_on_the_same_stack_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = Journal::open(folder.path(), "de3", None).unwrap();
        let refused = Journal::open(folder.path(), "de3", None)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(refused.message(), "another run is at work on stack `de3`");
        assert!(Journal::open(folder.path(), "other", None).is_ok());
        drop(first);
        assert!(Journal::open(folder.path(), "de3", None).is_ok());
    }
}
