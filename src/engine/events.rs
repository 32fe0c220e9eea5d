//! What happens during a run, as it happens, for whoever shows it.

use std::time::Duration;

use super::Action;
use crate::base::Address;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The listing of one kind came back.
    Discovered {
        /// The kind.
        kind: String,
        /// How many of it exist.
        count: usize,
        /// How long the listing took.
        elapsed: Duration,
    },
    /// A resource's turn has come.
    Started {
        /// The resource.
        address: Address,
        /// What is done to it.
        action: Action,
    },
    /// What is being done for a resource now.
    Doing {
        /// The resource.
        address: Address,
        /// In words: ``waiting for `running` ``.
        what: String,
    },
    /// A resource is as it should be.
    Done {
        /// The resource.
        address: Address,
        /// What was done to it.
        action: Action,
        /// AWS's id.
        id: String,
        /// How long it took.
        elapsed: Duration,
    },
    /// A resource could not be made as it should be; the outcome holds the whole error.
    Failed {
        /// The resource.
        address: Address,
        /// The error's message.
        error: String,
    },
    /// A resource was left alone because of one that failed before it.
    Skipped {
        /// The resource.
        address: Address,
        /// The one that failed.
        because: Address,
    },
    /// A check is satisfied.
    CheckPassed {
        /// The check.
        address: Address,
        /// How long it took.
        elapsed: Duration,
    },
    /// A check is not satisfied; the outcome holds the whole error.
    CheckFailed {
        /// The check.
        address: Address,
        /// The error's message.
        error: String,
    },
    /// News that belongs to no resource.
    Note(String),
}

/// Receives events. Implementations must be quick.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event);
}
