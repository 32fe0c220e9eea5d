//! Finds and reads the files that a playbook names; text files within bounds.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::{Blob, Error, ErrorKind as Sort, Location, Result, Source};

/// Larger YAML files are refused before they are parsed.
const LARGEST: u64 = 5_000_000;

/// What is bundled in the binary.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// Looks up a template, a setup (`setups/redis.yml`), or a file of an app
    /// (`apps/treemap/app.R`).
    pub file: fn(&Path) -> Option<&'static [u8]>,
    /// Looks up a folder (`apps/treemap`): the paths of the files in it, from there on.
    pub folder: fn(&Path) -> Option<Vec<&'static Path>>,
    /// The names of the setups.
    pub setups: fn() -> Vec<&'static str>,
}

/// Where files named in a playbook are looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    pub(super) folder: PathBuf,
    pub(super) home: Option<PathBuf>,
    pub(super) bundled: Option<Bundled>,
    /// What was read, and when that was written: it is read once, however many hosts get it.
    known: Arc<Mutex<HashMap<PathBuf, (Stamp, Blob)>>>,
}

/// Inode, size, seconds and nanoseconds of the last change.
type Stamp = (u64, u64, i64, i64);

impl Files {
    pub(super) fn new(
        folder: PathBuf,
        env: &BTreeMap<String, String>,
        bundled: Option<Bundled>,
    ) -> Self {
        Self {
            folder,
            home: env.get("HOME").map(PathBuf::from),
            bundled,
            known: Arc::default(),
        }
    }

    /// The bytes of the file `name`, written in the file `from`, and where it was found.
    pub(super) fn read(&self, name: &str, from: &Location) -> Result<(PathBuf, Blob)> {
        let beside = from.source.path.parent().unwrap_or(Path::new(""));
        let name = match (name.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(name),
        };
        let mut looked = Vec::new();
        for folder in [beside, &self.folder] {
            for part in ["", "templates", "files"] {
                let path = folder.join(part).join(&name);
                if looked.contains(&path) {
                    continue;
                }
                match self.bytes(&path) {
                    Ok(bytes) => return Ok((path, bytes)),
                    Err(error) if missing(error.kind()) => looked.push(path),
                    Err(error) => {
                        let message = format!("cannot read `{}`: {error}", path.display());
                        return Err(Error::playbook(message, from));
                    }
                }
            }
        }
        if let Some(bytes) = self.bundled.and_then(|bundled| (bundled.file)(&name)) {
            return Ok((name, bytes.into()));
        }
        let message = format!("no such file: `{}`", name.display());
        let looked = looked.iter().map(|path| format!("`{}`", path.display()));
        let looked: Vec<_> = looked.collect();
        Err(Error::playbook(message, from).note(format!("looked for {}", looked.join(", "))))
    }

    /// The files in the folder `name` of the playbook's, at any depth, by their paths from there, sorted.
    /// Hidden ones are left out.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>> {
        let mut looked = Vec::new();
        for part in ["", "templates", "files"] {
            let folder = self.folder.join(part).join(name);
            if folder.is_dir() {
                let mut found = Vec::new();
                list_into(&folder, "", &mut found)?;
                found.sort();
                return Ok(found);
            }
            looked.push(format!("`{}`", folder.display()));
        }
        if let Some(found) = self.bundled.and_then(|it| (it.folder)(Path::new(name))) {
            let shown = found.iter().filter_map(|path| path.to_str());
            let seen = shown.filter(|path| !path.split('/').any(|part| part.starts_with('.')));
            let mut found: Vec<String> = seen.map(str::to_owned).collect();
            found.sort();
            return Ok(found);
        }
        let error = Error::new(Sort::Playbook, format!("no such folder: `{name}`"));
        Err(error.note(format!("looked for {}", looked.join(", "))))
    }
}

fn list_into(folder: &Path, before: &str, found: &mut Vec<String>) -> Result<()> {
    let failed = |cause: std::io::Error| {
        let message = format!("cannot read `{}`: {cause}", folder.display());
        Error::new(Sort::Playbook, message)
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        if name.starts_with('.') {
            continue;
        }
        // Not through links: they may lead round in circles.
        if entry.file_type().map_err(failed)?.is_dir() {
            list_into(&path, &format!("{before}{name}/"), found)?;
        } else if path.is_file() {
            found.push(format!("{before}{name}"));
        }
    }
    Ok(())
}

impl Files {
    fn bytes(&self, path: &Path) -> std::io::Result<Blob> {
        let facts = fs::metadata(path)?;
        let stamp = (facts.ino(), facts.len(), facts.mtime(), facts.mtime_nsec());
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, blob)) = known().get(path).filter(|(then, _)| *then == stamp) {
            return Ok(blob.clone());
        }
        let blob = Blob::from(fs::read(path)?);
        known().insert(path.to_owned(), (stamp, blob.clone()));
        Ok(blob)
    }
}

fn missing(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename
    )
}

/// Reads a YAML file. `at` is where it was named, if a file named it.
pub(super) fn read_yaml(path: &Path, at: Option<&Location>) -> Result<Arc<Source>> {
    let failed = |cause: String| {
        let message = format!("cannot read `{}`: {cause}", path.display());
        match at {
            Some(at) => Error::playbook(message, at),
            None => Error::new(Sort::Playbook, message),
        }
    };
    let size = match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => return Err(failed("it is a folder".to_owned())),
        Ok(facts) => facts.len(),
        Err(error) if missing(error.kind()) => {
            return Err(failed("there is no such file".to_owned()));
        }
        Err(error) => return Err(failed(error.to_string())),
    };
    if size > LARGEST {
        let size = size.div_ceil(1_000_000);
        return Err(failed(format!(
            "it has {size} MB, and 5 MB is the most that is read"
        ))
        .hint("generate repeated resources with `for_each:`, or split the file"));
    }
    let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
    text(path, bytes)
}

/// The bytes of a file as text, or where they stop being text.
pub(super) fn text(path: &Path, bytes: Vec<u8>) -> Result<Arc<Source>> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(path, text)),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let before = String::from_utf8_lossy(&bytes[..valid]);
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            let source = Source::new(path, String::from_utf8_lossy(bytes));
            let message = format!(
                "not text in UTF-8: byte {:#04x} at offset {valid}",
                bytes[valid]
            );
            let at = Location::new(&source, line, column).with_length(1);
            Err(Error::playbook(message, &at).hint("save the file as UTF-8"))
        }
    }
}
