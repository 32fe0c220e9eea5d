//! A command as its words, never as a line of shell.

use crate::base::Blob;

/// A program, its arguments, and what it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments. Other users of the host can see them: no secrets here.
    pub argv: Vec<String>,
    /// Bytes on its standard input.
    pub stdin: Option<Blob>,
}

impl Command {
    /// A command that reads nothing.
    pub fn new<I>(argv: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            stdin: None,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, word: impl Into<String>) -> Self {
        self.argv.push(word.into());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<I>(mut self, words: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.argv.extend(words.into_iter().map(Into::into));
        self
    }

    /// Gives it something to read.
    #[must_use]
    pub fn reading(mut self, bytes: impl Into<Blob>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }
}
