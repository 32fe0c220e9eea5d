//! An apply on a host that is open: looks, changes, restarts where that is wanted, until all is as wanted.

use std::sync::Arc;
use std::time::Duration;

use super::{open, parameters, reboot};
use crate::base::Result;
use crate::contract::{Context, Target};
use crate::operations::change::{self, Place};
use crate::operations::declared::Declared;
use crate::operations::reboot::Turn;
use crate::operations::round::{self, Look, Seen};
use crate::ssh::Transport;
use crate::ssh::transport::Reopen;

/// Operations may change what earlier ones looked at (a package brings a file): one more time.
const PASSES: usize = 2;

/// What an apply works with.
pub(super) struct Converging<'a> {
    pub(super) cx: &'a Context,
    pub(super) target: Target<'a>,
    pub(super) declared: &'a [Declared],
    /// How a new connection is tried.
    pub(super) again: &'a dyn Reopen,
    pub(super) sudo: bool,
    /// A host that is starting again is back within this.
    pub(super) within: Duration,
}

impl Converging<'_> {
    /// Makes the host as wanted; returns the connection that is open then, and what is there. `seen` is
    /// what the plan saw, if that can be expected to be so still.
    pub(super) async fn run(
        &self,
        mut session: Arc<dyn Transport>,
        seen: Option<&Seen>,
    ) -> Result<(Arc<dyn Transport>, Seen)> {
        let doing = |what: &str| self.doing(what);
        let mut seen = if let Some(seen) = seen {
            self.with_parameters(seen.clone()).await?
        } else {
            doing("looking at the host");
            self.look(&*session).await?
        };
        let (mut passes, mut most, mut restarted) = (0, PASSES, false);
        while passes < most {
            let works = round::plan(self.target, self.declared, Some(&seen))?;
            if round::diff(&works, Some(&seen)).is_empty() {
                break;
            }
            let (works, turn) = Turn::of(works);
            if turn == Turn::Restart && restarted {
                break;
            }
            let place = Place {
                session: &*session,
                again: self.again,
                sudo: self.sudo,
                stack: &self.cx.stack,
                name: &self.target.address.name,
            };
            let look = Look::of(self.target, self.declared)?;
            let change = change::change(&place, self.declared, works, &seen, look, &doing);
            let after = if turn == Turn::Restart {
                let before = reboot::start(&*session).await?;
                change.await?;
                let host = session.host().to_owned();
                session = reboot::back(self.again, &host, &before, self.within, &doing).await?;
                open::remember(self.cx, &self.target.address.name, &session, self.sudo);
                (passes, most, restarted) = (0, PASSES, true);
                None
            } else {
                passes += 1;
                most = PASSES + usize::from(turn == Turn::Before);
                change.await?
            };
            seen = match after {
                Some(after) => self.with_parameters(after).await?,
                None => self.look(&*session).await?,
            };
        }
        round::left_over(self.target, self.declared, &seen)?;
        Ok((session, seen))
    }

    fn doing(&self, what: &str) {
        self.cx.progress.doing(self.target.address, what);
    }

    async fn look(&self, session: &dyn Transport) -> Result<Seen> {
        let seen = round::look(session, self.sudo, self.target, self.declared).await?;
        self.with_parameters(seen).await
    }

    async fn with_parameters(&self, mut seen: Seen) -> Result<Seen> {
        parameters::add(self.cx, self.declared, &mut seen).await?;
        Ok(seen)
    }
}
