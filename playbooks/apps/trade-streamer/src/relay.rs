//! Joins the live stream and the fetched history into one, and hands it on.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, UnboundedSender};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::feed::News;
use crate::metrics::Metrics;
use crate::outlet::Outlets;
use crate::pairs::Pairs;
use crate::say::say;
use crate::sequence::{Ask, Effects, Note, Page, Sequencer};
use crate::state::{Ledger, Mark, State};

/// The ends of everything around the sequencer
pub(crate) struct Relay {
    pub(crate) sequencer: Sequencer,
    pub(crate) news: Receiver<News>,
    pub(crate) asks: UnboundedSender<Ask>,
    pub(crate) pages: Receiver<Page>,
    pub(crate) outlets: Outlets,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) state: Option<Arc<State>>,
    pub(crate) pairs: Arc<Pairs>,
    pub(crate) metrics: Arc<Metrics>,
    /// After this long without a trade of a pair, the exchange is asked whether there was one
    pub(crate) look: Duration,
}

impl Relay {
    /// Goes on for ever
    pub(crate) async fn run(mut self) -> Infallible {
        let mut effects = Effects::default();
        let mut looks = interval_at(Instant::now() + self.look, self.look);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(page) = self.pages.recv() => self.sequencer.page(page, &mut effects),
                Some(news) = self.news.recv() => match news {
                    News::Connected => self.sequencer.connected(&mut effects),
                    News::Trade { pair, event } => self.sequencer.live(pair, event, &mut effects),
                },
                _ = looks.tick() => self.sequencer.look(&mut effects),
            }
            self.apply(&mut effects).await;
        }
    }

    async fn apply(&self, effects: &mut Effects) {
        for note in effects.notes.drain(..) {
            self.note(note).await;
        }
        self.metrics
            .backfilled
            .add(std::mem::take(&mut effects.backfilled));
        for ask in effects.asks.drain(..) {
            // Whoever fetches ends only with the program
            let _ = self.asks.send(ask);
        }
        for (pair, event) in effects.passed.drain(..) {
            self.outlets.pass(pair, event).await;
        }
    }

    async fn note(&self, note: Note) {
        match note {
            Note::First { pair, id, time } => self.begin(pair, id, time).await,
            Note::Gap { pair, from, to } => {
                self.metrics.gaps.add(1);
                self.metrics.missing.add(to - from + 1);
                let name = self.pairs.name(pair);
                say(format_args!(
                    "{name}: trades {from} to {to} are lost: the exchange does not have them (any more); going on with {}",
                    to + 1
                ));
            }
            Note::StartedOver {
                pair,
                last,
                id,
                time,
            } => {
                let name = self.pairs.name(pair);
                say(format_args!(
                    "{name}: the exchange counts trades anew: {id} came after {last}; going on with {id}"
                ));
                self.begin(pair, id, time).await;
            }
        }
    }

    /// Remembers where a pair begins before its first trade is handed on: a crash right after would otherwise
    /// leave out what comes before the next start
    async fn begin(&self, pair: usize, id: u64, time: u64) {
        let id = id.saturating_sub(1);
        self.ledger.begins(pair, Mark { id, time });
        if let Some(state) = &self.state {
            state.save().await;
        }
    }
}
