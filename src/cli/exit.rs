//! What the process tells its caller.

use crate::base::{ErrorKind, Errors};
use crate::engine::{Outcome, Plan, Receipt};

/// The exit codes, as `tidewalk --help` shows them.
pub const TABLE: &str = "\
Exit codes:
    0  done, or nothing to do
    1  failed
    2  wrong usage
    3  changes found by `plan`, or leftovers found by `destroy`
    4  unknown: something could not be read, so nothing is concluded
    5  kept: protected or kept resources remain
  130  interrupted";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Something failed.
    Failed,
    /// The command line was wrong.
    Usage,
    /// There are changes to make, or leftovers.
    Changes,
    /// Something could not be read.
    Unknown,
    /// Protected or kept resources remain.
    Kept,
    /// The user stopped it.
    Interrupted,
    /// What a program on a host ended with.
    Program(u8),
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Changes => 3,
            Self::Unknown => 4,
            Self::Kept => 5,
            Self::Interrupted => 130,
            Self::Program(code) => code,
        }
    }

    /// For errors found together: the one that says most about what to do next.
    #[must_use]
    pub fn of_errors(errors: &Errors) -> Self {
        let has = |kind| errors.0.iter().any(|error| error.kind() == kind);
        if has(ErrorKind::Interrupted) {
            Self::Interrupted
        } else if has(ErrorKind::Usage) {
            Self::Usage
        } else if has(ErrorKind::Unknown) {
            Self::Unknown
        } else if errors.0.iter().all(|error| error.kind() == ErrorKind::Kept) {
            Self::Kept
        } else {
            Self::Failed
        }
    }

    /// For a program on a host: what it ended with.
    #[must_use]
    pub fn of_program(status: i32) -> Self {
        u8::try_from(status).map_or(Self::Failed, Self::Program)
    }

    /// For a plan: an unanswered question first.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        if !plan.unread().is_empty() {
            Self::Unknown
        } else if plan.is_empty() {
            Self::Done
        } else {
            Self::Changes
        }
    }

    /// For a run that applied a plan.
    #[must_use]
    pub fn of_outcome(outcome: &Outcome) -> Self {
        if outcome.interrupted {
            Self::Interrupted
        } else if outcome.failed.is_empty() {
            Self::Done
        } else {
            Self::Failed
        }
    }

    /// For a destroy: an unanswered question first, for it voids the rest.
    #[must_use]
    pub fn of_destroy(outcome: &Outcome, receipt: &Receipt) -> Self {
        let has = |word| receipt.count(word) > 0;
        if outcome.interrupted {
            Self::Interrupted
        } else if has("UNKNOWN") {
            Self::Unknown
        } else if !outcome.failed.is_empty() {
            Self::Failed
        } else if has("present") {
            Self::Changes
        } else if has("kept") {
            Self::Kept
        } else {
            Self::Done
        }
    }
}
