//! Where a value was written: file, line and column, with the text at hand to show it.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// One file that was read: its path as the user gave it, and its text.
#[derive(PartialEq, Eq)]
pub struct Source {
    /// Path as given on the command line or in `include:`.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
    /// Byte offsets at which lines start, counted when first asked for.
    lines: OnceLock<Vec<usize>>,
}

impl Source {
    /// Keeps a file's text for messages that point into it.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text: text.into(),
            lines: OnceLock::new(),
        })
    }

    /// The text from the start of `line` (from 1) to the end of the file.
    #[must_use]
    pub fn from_line(&self, line: usize) -> Option<&str> {
        let starts = self.lines.get_or_init(|| {
            let breaks = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(breaks).collect()
        });
        let start = starts.get(line.checked_sub(1)?)?;
        self.text.get(*start..)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

/// A place in a [`Source`]. Lines and columns count from 1; columns count characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub source: Arc<Source>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length in characters to underline; 0 when not known.
    pub length: usize,
}

impl Location {
    /// A place in `source`, with nothing known of its length.
    #[must_use]
    pub fn new(source: &Arc<Source>, line: usize, column: usize) -> Self {
        Self {
            source: Arc::clone(source),
            line,
            column,
            length: 0,
        }
    }

    /// The same place with the number of characters to underline.
    #[must_use]
    pub fn with_length(mut self, length: usize) -> Self {
        self.length = length;
        self
    }

    /// A place for values that no file holds (defaults, command line), named by `origin`.
    #[must_use]
    pub fn nowhere(origin: &str) -> Self {
        Self {
            source: Source::new(origin, ""),
            line: 0,
            column: 0,
            length: 0,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source.path.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
