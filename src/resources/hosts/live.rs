//! A host as one look found it, for the diff and for the apply that may follow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::way::Way;
use crate::operations::declared::Declared;
use crate::operations::round::Seen;
use crate::ssh::Transport;

/// What a plan saw of a host is good for an apply that follows so soon.
const FRESH: Duration = Duration::from_secs(30);

/// A host as it was observed.
pub(super) struct HostLive {
    /// The open connection and what was seen; `None` when the instance is not running.
    pub(super) seen: Option<(Arc<dyn Transport>, Way, Seen)>,
    /// It still has the throw-away host key.
    pub(super) planted: bool,
    /// When.
    pub(super) at: Instant,
}

impl HostLive {
    /// What was seen, as long as nothing else can be expected to be so now.
    pub(super) fn fresh(&self, declared: &[Declared]) -> Option<&Seen> {
        let (.., seen) = self.seen.as_ref()?;
        let known =
            |(item, facts): (&Declared, &Option<_>)| item.operation.is_some() == facts.is_some();
        let whole =
            seen.facts.len() == declared.len() && declared.iter().zip(&seen.facts).all(known);
        (whole && self.at.elapsed() < FRESH).then_some(seen)
    }
}
