//! One run on one stack.

use std::sync::Arc;

use super::{Observer, Outcome, Plan, Receipt, Status, Stop};
use crate::base::{Address, Error, Errors, Result};
use crate::contract::{Context, Kind};

/// How a run is to be done.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many resources are worked on at once.
    pub parallelism: usize,
    /// Only these (and what they need); all when empty.
    pub only: Vec<Address>,
    /// It is on the sandbox.
    pub sandbox: bool,
    /// Ends the process after that many journal entries: for tests of crashes.
    pub abort_after: Option<usize>,
}

/// A plan, and what was seen when it was made.
pub struct Prepared {
    /// What is going to be done.
    pub plan: Plan,
}

/// One run on one stack.
pub struct Engine;

fn not_built() -> Error {
    Error::failed("not built yet")
}

#[expect(
    clippy::unused_async,
    clippy::missing_errors_doc,
    missing_docs,
    reason = "the engine is not built yet"
)]
impl Engine {
    #[must_use]
    pub fn new(
        _kinds: Vec<Arc<dyn Kind>>,
        _cx: Context,
        _options: Options,
        _observer: Arc<dyn Observer>,
        _stop: Stop,
    ) -> Self {
        Self
    }

    pub async fn plan(&self) -> Result<Prepared, Errors> {
        Err(not_built().into())
    }

    pub async fn apply(&self, _prepared: &Prepared) -> Result<Outcome> {
        Err(not_built())
    }

    pub async fn plan_destroy(&self) -> Result<Prepared, Errors> {
        Err(not_built().into())
    }

    pub async fn destroy(&self, _prepared: &Prepared) -> Result<(Outcome, Receipt)> {
        Err(not_built())
    }

    pub async fn status(&self) -> Result<Status, Errors> {
        Err(not_built().into())
    }
}
