//! Client tokens: the same request twice is done once.
//!
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>: a retry with the
//! same token and parameters succeeds without doing anything more, one with other parameters fails
//! with `IdempotentParameterMismatch`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::call::{Call, Params};
use super::reply::Reply;

/// A request that was done.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// Its parameters.
    pub(crate) params: Params,
    /// The instances it made; they are shown as they are at the time of the repetition.
    pub(crate) instances: Vec<String>,
    /// The answer, which is given again when it made no instances.
    pub(crate) reply: Reply,
}

/// One token: requests that carry it wait for each other.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Option<Done>>>;

/// All tokens seen, by region, action and token.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<[String; 3], Slot>>);

impl Tokens {
    /// The slot of a call's token; `None` when the call has none.
    pub(crate) fn slot(&self, call: &Call) -> Option<Slot> {
        if call.params.is_true("DryRun") {
            return None;
        }
        let token = call.params.value("ClientToken")?;
        let key = [call.region.as_str(), call.action.as_str(), token].map(str::to_owned);
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(slots.entry(key).or_default()))
    }
}
