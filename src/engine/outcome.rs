//! How a run ended.

use crate::base::{Address, Error, Node};

/// What a run did and did not do.
#[derive(Debug, Default)]
pub struct Outcome {
    /// All failures, each with its resource.
    pub failed: Vec<Error>,
    /// The resources that were changed.
    pub done: Vec<Address>,
    /// The resources whose change began and failed: something of it may be done.
    pub unfinished: Vec<Address>,
    /// The resources left alone because of a failure before them, and which one it was.
    pub skipped: Vec<(Address, Address)>,
    /// The user stopped the run: these were not begun.
    pub not_begun: Vec<Address>,
    /// The playbook's `outputs:`, as they are now.
    pub outputs: Vec<(String, Node)>,
    /// The user stopped the run.
    pub interrupted: bool,
}
