//! Hands trades to the sinks, within bounded memory.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::event::Event;
use crate::metrics::Metrics;
use crate::state::Mark;

/// Bytes of trades that are taken and not yet delivered. Beyond, nothing more is read: TCP slows the exchange down,
/// and if it hangs up, what is missed is fetched later.
const ROOM: usize = 12 * 1024 * 1024;

/// What a trade takes beside its line
const OVERHEAD: usize = 160;

/// A trade on its way; its room is free again when the last sink drops it
#[derive(Debug)]
pub(crate) struct Trade {
    pub(crate) pair: usize,
    pub(crate) mark: Mark,
    pub(crate) line: Box<str>,
    metrics: Arc<Metrics>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Trade {
    fn new(
        pair: usize,
        event: Event,
        metrics: Arc<Metrics>,
        room: Option<OwnedSemaphorePermit>,
    ) -> Self {
        metrics.queued.add(1);
        Self {
            pair,
            mark: Mark {
                id: event.id,
                time: event.time,
            },
            line: event.line,
            metrics,
            _room: room,
        }
    }

    #[cfg(test)]
    pub(crate) fn of(pair: usize, id: u64, line: &str) -> Arc<Self> {
        let event = Event {
            id,
            time: id,
            line: line.into(),
        };
        Arc::new(Self::new(pair, event, Arc::default(), None))
    }
}

impl Drop for Trade {
    fn drop(&mut self) {
        self.metrics.queued.subtract(1);
        self.metrics.trades.add(1);
        self.metrics.bytes.add(self.line.len() as u64 + 1);
        self.metrics.last_time.set(self.mark.time);
    }
}

/// The ends where trades are put in
#[derive(Debug)]
pub(crate) struct Outlets {
    room: Arc<Semaphore>,
    sinks: Vec<UnboundedSender<Arc<Trade>>>,
    metrics: Arc<Metrics>,
}

impl Outlets {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            room: Arc::new(Semaphore::new(ROOM)),
            sinks: Vec::new(),
            metrics,
        }
    }

    /// One more sink, which gets all trades by this end
    pub(crate) fn sink(&mut self) -> UnboundedReceiver<Arc<Trade>> {
        let (sender, receiver) = unbounded_channel();
        self.sinks.push(sender);
        receiver
    }

    /// Hands a trade to every sink, as soon as there is room
    pub(crate) async fn pass(&self, pair: usize, event: Event) {
        let size = u32::try_from(event.line.len() + OVERHEAD).unwrap_or(u32::MAX);
        // The semaphore is never closed
        let room = self.room.clone().acquire_many_owned(size).await.ok();
        let trade = Arc::new(Trade::new(pair, event, self.metrics.clone(), room));
        for sink in &self.sinks {
            // A sink that has ended ends the program, which tells why
            let _ = sink.send(trade.clone());
        }
    }
}
