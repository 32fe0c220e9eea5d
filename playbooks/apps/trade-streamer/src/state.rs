//! How far each pair was delivered, and the file that remembers it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::pairs::Pairs;
use crate::say::{Stop, say};

/// The last trade of a pair that was delivered
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) id: u64,
    /// Milliseconds since 1970
    pub(crate) time: u64,
}

/// What each sink has delivered, by pair
#[derive(Debug)]
pub(crate) struct Ledger {
    sinks: Mutex<Vec<Vec<Option<Mark>>>>,
}

impl Ledger {
    pub(crate) fn new(sinks: usize, known: &[Option<Mark>]) -> Self {
        Self {
            sinks: Mutex::new(vec![known.to_vec(); sinks]),
        }
    }

    /// A sink has delivered everything up to these
    pub(crate) fn delivered(&self, sink: usize, marks: impl IntoIterator<Item = (usize, Mark)>) {
        let mut sinks = self.sinks.lock().unwrap_or_else(PoisonError::into_inner);
        for (pair, mark) in marks {
            sinks[sink][pair] = Some(mark);
        }
    }

    /// All sinks begin with a pair behind `mark`
    pub(crate) fn begins(&self, pair: usize, mark: Mark) {
        let mut sinks = self.sinks.lock().unwrap_or_else(PoisonError::into_inner);
        for sink in sinks.iter_mut() {
            sink[pair] = Some(mark);
        }
    }

    /// What all sinks have delivered: the least of each pair
    pub(crate) fn least(&self) -> Vec<Option<Mark>> {
        let sinks = self.sinks.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs = sinks.first().map_or(0, Vec::len);
        let least = |pair| sinks.iter().filter_map(|sink: &Vec<_>| sink[pair]).min();
        (0..pairs).map(least).collect()
    }
}

/// The state file
#[derive(Debug)]
pub(crate) struct State {
    path: PathBuf,
    pairs: Arc<Pairs>,
    ledger: Arc<Ledger>,
    /// As the file has it, also of pairs that are not followed now
    saved: tokio::sync::Mutex<BTreeMap<String, Mark>>,
}

/// Reads a state file; one that is not there is empty
pub(crate) fn read(path: &Path) -> Result<BTreeMap<String, Mark>, Stop> {
    let failed = |why: &dyn std::fmt::Display| {
        let path = path.display();
        Stop::Failed(format!(
            "reading the state {path}: {why}; without it, trades may be left out: repair it, or remove it to begin with what comes"
        ))
    };
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(&error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(failed(&error)),
    }
}

impl State {
    /// Of a file that was read, which must be writable
    pub(crate) fn new(
        path: PathBuf,
        saved: BTreeMap<String, Mark>,
        pairs: Arc<Pairs>,
        ledger: Arc<Ledger>,
    ) -> Result<Self, Stop> {
        write(&path, &saved).map_err(|error| {
            let path = path.display();
            Stop::Failed(format!(
                "writing the state {path}: {error}; make its folder writable, or leave out --state"
            ))
        })?;
        Ok(Self {
            path,
            pairs,
            ledger,
            saved: tokio::sync::Mutex::new(saved),
        })
    }

    /// Writes what was delivered, if that has changed. An error is told and tried again with the next call.
    pub(crate) async fn save(&self) {
        let mut saved = self.saved.lock().await;
        let mut marks = saved.clone();
        for (pair, mark) in self.ledger.least().into_iter().enumerate() {
            if let Some(mark) = mark {
                marks.insert(self.pairs.name(pair).to_owned(), mark);
            }
        }
        if marks == *saved {
            return;
        }
        let (path, new) = (self.path.clone(), marks.clone());
        match tokio::task::spawn_blocking(move || write(&path, &new)).await {
            Ok(Ok(())) => *saved = marks,
            Ok(Err(error)) => {
                let path = self.path.display();
                say(format_args!(
                    "writing the state {path}: {error}; trying again in a second"
                ));
            }
            Err(_) => {}
        }
    }
}

/// Writes it whole or not at all
fn write(path: &Path, marks: &BTreeMap<String, Mark>) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let new = path.with_file_name(name);
    let mut file = File::create(&new)?;
    serde_json::to_writer(&mut file, marks)?;
    file.write_all(b"\n")?;
    file.sync_data()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(id: u64) -> Mark {
        Mark {
            id,
            time: 1000 + id,
        }
    }

    #[test]
    fn the_least_of_all_sinks_counts() {
        let ledger = Ledger::new(2, &[None, Some(mark(5))]);
        ledger.begins(0, mark(9));
        ledger.delivered(0, [(0, mark(20)), (1, mark(30))]);
        assert_eq!(ledger.least(), [Some(mark(9)), Some(mark(5))]);
        ledger.delivered(1, [(0, mark(12))]);
        assert_eq!(ledger.least(), [Some(mark(12)), Some(mark(5))]);
    }

    #[tokio::test]
    async fn a_state_is_read_as_it_was_written_with_pairs_that_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        fs::write(&path, r#"{"XRPUSDT":{"id":7,"time":1007}}"#).unwrap();
        let pairs = Arc::new(Pairs::new(["BTCUSDT".into(), "ETHUSDT".into()]));
        let ledger = Arc::new(Ledger::new(1, &[None, None]));
        let state = State::new(path.clone(), read(&path).unwrap(), pairs, ledger.clone()).unwrap();
        ledger.delivered(0, [(1, mark(3))]);
        state.save().await;
        let marks = read(&path).unwrap();
        let expected = [
            ("ETHUSDT".to_owned(), mark(3)),
            ("XRPUSDT".to_owned(), mark(7)),
        ];
        assert_eq!(marks, BTreeMap::from(expected));
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "the temporary file is left"
        );
    }

    #[test]
    fn a_file_that_is_none_is_an_error_that_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert_eq!(read(&path).unwrap(), BTreeMap::new());
        fs::write(&path, "{\"BTCUSDT\":{\"id\":7").unwrap();
        let Err(Stop::Failed(why)) = read(&path) else {
            panic!("was read");
        };
        assert!(
            why.contains("state.json") && why.contains("remove it"),
            "{why}"
        );
    }
}
