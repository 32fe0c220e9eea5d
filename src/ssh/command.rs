//! A command as its words, never as a line of shell.

/// A program, its arguments, and what it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Bytes on its standard input.
    pub stdin: Option<Vec<u8>>,
}
