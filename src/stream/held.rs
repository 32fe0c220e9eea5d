//! A lease that this process holds, shared by the one who renews it and the one who works on it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use super::leases::{Lease, Leases};
use super::position::Position;
use crate::base::Result;

/// What became of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    Yes,
    /// Another worker has the shard.
    Lost,
    /// It is not between the last one and what the program was given.
    Wrong,
}

/// A lease that this process holds.
pub(super) struct Held {
    pub(super) shard: String,
    leases: Leases,
    state: Mutex<State>,
    lost: watch::Sender<bool>,
}

struct State {
    counter: u64,
    position: Position,
    renewed: Instant,
}

impl Held {
    pub(super) fn new(leases: Leases, taken: Lease) -> Self {
        let state = State {
            counter: taken.counter,
            position: taken.position,
            renewed: Instant::now(),
        };
        Self {
            shard: taken.shard,
            leases,
            state: Mutex::new(state),
            lost: watch::Sender::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the last checkpoint is.
    pub(super) fn position(&self) -> Position {
        self.state().position.clone()
    }

    /// Turns true when another worker has it.
    pub(super) fn lost(&self) -> watch::Receiver<bool> {
        self.lost.subscribe()
    }

    /// Another worker may have it.
    pub(super) fn lose(&self) {
        self.lost.send_replace(true);
    }

    /// When it was renewed last.
    pub(super) fn renewed(&self) -> Instant {
        self.state().renewed
    }

    /// Renews it.
    pub(super) async fn renew(&self) -> Result<()> {
        let counter = self.state().counter + 1;
        let begun = Instant::now();
        if self.leases.renew(&self.shard, counter).await? {
            let mut state = self.state();
            (state.counter, state.renewed) = (counter, begun);
        } else {
            self.lose();
        }
        Ok(())
    }

    /// Notes that all up to `wanted` is done; `given` is the last that the program was given.
    pub(super) async fn checkpoint(&self, wanted: &Position, given: &Position) -> Result<Noted> {
        let now = self.position();
        if wanted == &now {
            return Ok(Noted::Yes);
        }
        if let Position::After(wanted) = wanted {
            let early = matches!(&now, Position::After(now) if wanted < now);
            let known = matches!(given, Position::After(given) if wanted <= given);
            if early || !known {
                return Ok(Noted::Wrong);
            }
        }
        if !self.leases.checkpoint(&self.shard, wanted).await? {
            self.lose();
            return Ok(Noted::Lost);
        }
        self.state().position = wanted.clone();
        Ok(Noted::Yes)
    }

    /// Gives it back.
    pub(super) async fn release(&self) -> Result<()> {
        self.leases.release(&self.shard).await
    }
}
