//! `healthy:`: a host that was changed is done only once it answers as it should, and a run that
//! ends before that is followed by one that looks again.

use crate::base::{Diff, Result, Shown};
use crate::contract::{Context, Target};
use crate::operations::change;
use crate::operations::round::Seen;
use crate::resources::checks::Check;
use crate::ssh::Transport;

/// Before a change: it is not proven any more.
pub(super) async fn begin(
    check: Option<&Check>,
    session: &dyn Transport,
    sudo: bool,
) -> Result<()> {
    match check {
        Some(_) => change::mark(session, sudo, "tw_unproven").await,
        None => Ok(()),
    }
}

/// After it: waits until it is.
pub(super) async fn prove(
    check: Option<&Check>,
    cx: &Context,
    target: Target<'_>,
    session: &dyn Transport,
    sudo: bool,
) -> Result<()> {
    let Some(check) = check else { return Ok(()) };
    check.perform(cx, target).await?;
    change::mark(session, sudo, "tw_proven").await
}

/// A change that was not followed by the proof.
pub(super) fn diff(check: Option<&Check>, seen: Option<&Seen>) -> Diff {
    match (check, seen) {
        (Some(_), Some(seen)) if seen.unproven => Diff::default().field(
            "healthy",
            Shown::of("not known since the last change"),
            Shown::of("looked at"),
        ),
        _ => Diff::default(),
    }
}
