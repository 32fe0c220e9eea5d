//! The one error type: what failed, where it was written, what holds it, what to do next.

use std::fmt;

use super::{Address, Location};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure this is; it picks the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The playbook, a vars file or a template is wrong.
    Playbook,
    /// The command line is wrong.
    Usage,
    /// AWS, a host or the local machine refused or failed.
    Failed,
    /// Something could not be read, so nothing may be concluded from it.
    Unknown,
    /// Protected or kept resources stand in the way.
    Kept,
    /// The user stopped the run (Ctrl-C).
    Interrupted,
}

impl ErrorKind {
    /// The process exit code that this kind leads to.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Playbook | Self::Failed => 1,
            Self::Usage => 2,
            Self::Unknown => 4,
            Self::Kept => 5,
            Self::Interrupted => 130,
        }
    }
}

/// An error, built up as it travels: the layer that knows a fact adds it, once.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    code: Option<String>,
    at: Option<Location>,
    address: Option<Address>,
    notes: Vec<String>,
    hints: Vec<String>,
}

impl Error {
    /// An error of `kind`. The message is lower case, without a full stop, names in backticks.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            code: None,
            at: None,
            address: None,
            notes: Vec::new(),
            hints: Vec::new(),
        }))
    }

    /// Something AWS, a host or this machine refused.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// A wrong command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// A wrong playbook, at a place in it.
    pub fn playbook(message: impl Into<String>, at: &Location) -> Self {
        Self::new(ErrorKind::Playbook, message).at(at)
    }

    /// Something that could not be read.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unknown, message)
    }

    /// Points at a place in a file, unless the error points somewhere already.
    #[must_use]
    pub fn at(mut self, at: &Location) -> Self {
        self.0.at.get_or_insert_with(|| at.clone());
        self
    }

    /// Says which resource failed, unless the error says so already.
    #[must_use]
    pub fn of(mut self, address: &Address) -> Self {
        self.0.address.get_or_insert_with(|| address.clone());
        self
    }

    /// The service's own error code, such as `DependencyViolation`.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Adds a fact, shown as `= note` (what holds it, what the host said).
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.0.notes.push(note.into());
        self
    }

    /// Adds what to do next, shown as `help:`.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Puts `context: ` before the message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// The same as another sort of failure.
    #[must_use]
    pub fn as_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// What sort of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message alone.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The service's own error code, if it gave one.
    #[must_use]
    pub fn service_code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Where it was written.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.0.at.as_ref()
    }

    /// Which resource failed.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.0.address.as_ref()
    }

    /// Facts beside the message.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// What to do next.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.0.at {
            write!(f, "{at}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        for note in &self.0.notes {
            write!(f, "\n  = {note}")?;
        }
        for hint in &self.0.hints {
            write!(f, "\n  help: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Several errors found together; never empty when it is an `Err`.
#[derive(Debug, Default)]
pub struct Errors(pub Vec<Error>);

impl Errors {
    /// Adds one more.
    pub fn push(&mut self, error: Error) {
        self.0.push(error);
    }

    /// Keeps the value, or records the error.
    pub fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// `Ok(value)` when nothing was recorded.
    ///
    /// # Errors
    /// All that was recorded.
    pub fn into_result<T>(self, value: T) -> Result<T, Errors> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self(vec![error])
    }
}

/// Turns any error into ours, with the words of the layer that met it.
pub trait ResultExt<T> {
    /// `Failed`, with `context: cause`.
    ///
    /// # Errors
    /// The same failure, as [`Error`].
    fn context(self, context: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> ResultExt<T> for std::result::Result<T, E> {
    fn context(self, context: impl fmt::Display) -> Result<T> {
        self.map_err(|cause| Error::failed(format!("{context}: {cause}")))
    }
}
