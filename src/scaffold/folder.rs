//! The files of a folder, as far as they say what it is.

use std::fs;
use std::path::{Path, PathBuf};

use super::code::Code;
use crate::base::{Error, Result, ResultExt as _};

/// Folders that hold what others wrote, or what is not run.
const PASSED_OVER: [&str; 7] = [
    "renv",
    "packrat",
    "node_modules",
    "tests",
    "rsconnect",
    "man",
    "vignettes",
];
/// Deeper folders hold data, not code.
const DEEPEST: usize = 5;
/// A longer file is data.
const LARGEST: u64 = 1 << 20;

/// A folder that was read.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Names of the files in the folder itself, in order.
    pub(super) names: Vec<String>,
    /// R code in it and below, by path.
    pub(super) code: Vec<Code>,
}

impl Folder {
    /// Reads the folder at `path`.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let full = fs::canonicalize(path).context(format!("reading the folder `{shown}`"))?;
        if !full.is_dir() {
            return Err(Error::usage(format!("`{shown}` is no folder"))
                .hint("name the folder that the app is in"));
        }
        let mut folder = Self {
            path: full.clone(),
            names: Vec::new(),
            code: Vec::new(),
        };
        folder.walk(&full, "", 0)?;
        Ok(folder)
    }

    fn walk(&mut self, at: &Path, prefix: &str, depth: usize) -> Result<()> {
        let shown = at.display();
        let reading = || format!("reading the folder `{shown}`");
        let mut entries = Vec::new();
        for entry in fs::read_dir(at).context(reading())? {
            entries.push(entry.context(reading())?);
        }
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            // Names go into comments, which a line break would end.
            if name.contains(char::is_control) {
                continue;
            }
            // Links are not followed: they may lead out of what the image gets.
            let kind = entry.file_type().context(reading())?;
            if kind.is_file() {
                if depth == 0 {
                    self.names.push(name.clone());
                }
                self.take(&entry.path(), format!("{prefix}{name}"))?;
            } else if kind.is_dir() && depth < DEEPEST && !is_passed_over(&name) {
                self.walk(&entry.path(), &format!("{prefix}{name}/"), depth + 1)?;
            }
        }
        Ok(())
    }

    /// Keeps a file with R code.
    fn take(&mut self, path: &Path, name: String) -> Result<()> {
        let extension = name
            .rsplit_once('.')
            .map(|(_, extension)| extension.to_lowercase());
        let is_code = matches!(extension.as_deref(), Some("r" | "rmd" | "qmd"));
        if !is_code || fs::metadata(path).is_ok_and(|it| it.len() > LARGEST) {
            return Ok(());
        }
        let bytes = fs::read(path).context(format!("reading `{name}`"))?;
        self.code
            .push(Code::new(name, &String::from_utf8_lossy(&bytes)));
        Ok(())
    }

    /// The name of the file in the folder itself that is called so, in whatever case.
    pub(super) fn named(&self, name: &str) -> Option<&str> {
        let exact = self.names.iter().find(|it| *it == name);
        let alike = || self.names.iter().find(|it| it.eq_ignore_ascii_case(name));
        exact.or_else(alike).map(String::as_str)
    }

    /// Whether the folder itself has a file of exactly this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|it| it == name)
    }

    /// The text of a file in the folder itself, if it is there.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        if !self.has(name) {
            return Ok(None);
        }
        let bytes = fs::read(self.path.join(name)).context(format!("reading `{name}`"))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The code in a file.
    pub(super) fn code(&self, path: &str) -> Option<&Code> {
        self.code.iter().find(|code| code.path == path)
    }
}

fn is_passed_over(name: &str) -> bool {
    name.starts_with('.') || PASSED_OVER.contains(&name)
}
