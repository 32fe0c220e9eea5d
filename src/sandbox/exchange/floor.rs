//! The exchange as a whole: makes trades all the time, and hands them to whoever listens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::faults::{Fate, Faults, Gate, Shown, Wish};
use super::frames::{Batch, Press};
use super::market::Market;
use super::pairs::COUNT;
use super::requests::Requests;
use super::slack::Slack;
use super::socket::Terms;
use super::tape::{Count, REMEMBERED, Tape};
use super::trade::Trade;

/// How often trades are made.
const TICK: Duration = Duration::from_millis(10);
/// So many ticks' trades wait for a client that is slow, ten seconds' worth; then it is cut.
const PATIENCE: usize = 1_024;

/// The exchange.
#[derive(Debug)]
pub(super) struct Exchange {
    /// The prices.
    pub(super) market: Market,
    /// How often what was asked for.
    pub(super) requests: Requests,
    /// What was posted to the Slack stand-in.
    pub(super) slack: Slack,
    /// The trades of each tick. They are kept once, however many clients there are.
    pub(super) batches: broadcast::Sender<Arc<Batch>>,
    /// What all websockets have to do.
    pub(super) signal: watch::Sender<Signal>,
    /// What websockets may expect.
    pub(super) terms: Terms,
    floor: Mutex<Floor>,
}

/// What all websockets have to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signal {
    /// Grows with each time that all are cut.
    pub(super) cuts: u64,
    /// Nothing is sent until then.
    pub(super) silent: Option<Instant>,
}

#[derive(Debug)]
struct Floor {
    tape: Tape,
    faults: Faults,
}

impl Exchange {
    /// One without trades yet.
    pub(super) fn new(seed: u64, rate: u64) -> Self {
        let market = Market { seed };
        Self {
            market,
            requests: Requests::default(),
            slack: Slack::default(),
            batches: broadcast::Sender::new(PATIENCE),
            signal: watch::Sender::new(Signal::default()),
            terms: Terms::default(),
            floor: Mutex::new(Floor {
                tape: Tape::new(market, REMEMBERED),
                faults: Faults::new(rate),
            }),
        }
    }

    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes trades for ever.
    pub(super) async fn run(&self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut before = Instant::now();
        loop {
            ticks.tick().await;
            let now = Instant::now();
            self.tick(now - before, now);
            before = now;
        }
    }

    /// Makes the trades that became due, and sends them before anything else can be asked for.
    fn tick(&self, passed: Duration, now: Instant) {
        let mut floor = self.floor();
        let many = floor.faults.due(passed, now);
        if many == 0 {
            return;
        }
        let trades = floor.tape.make(many, wall_clock());
        if floor.faults.silent(now).is_some() {
            return;
        }
        let mut press = Press::default();
        for trade in &trades {
            match floor.faults.fate() {
                Fate::Sent => press.add(trade, None),
                Fate::Malformed(number) => press.add(trade, Some(number)),
                Fate::Dropped => {}
            }
        }
        // It fails when nobody listens.
        let _ = self.batches.send(Arc::new(press.done()));
    }

    /// Takes on what is asked for.
    ///
    /// # Errors
    /// What is out of range.
    pub(super) fn take(&self, wish: &Wish) -> Result<(), String> {
        let now = Instant::now();
        let mut floor = self.floor();
        floor.faults.take(wish, now)?;
        let silent = floor.faults.silent(now);
        self.signal.send_modify(|signal| {
            signal.silent = silent;
            signal.cuts += u64::from(wish.disconnect == Some(true));
        });
        Ok(())
    }

    /// Cuts all websockets.
    pub(super) fn cut(&self) {
        self.signal.send_modify(|signal| signal.cuts += 1);
    }

    /// What holds at the moment.
    pub(super) fn shown(&self) -> Shown {
        self.floor().faults.shown(Instant::now())
    }

    /// What the next REST call meets.
    pub(super) fn gate(&self) -> Gate {
        self.floor().faults.gate(Instant::now())
    }

    /// New websockets are refused.
    pub(super) fn refuses(&self) -> bool {
        self.floor().faults.refuses(Instant::now())
    }

    /// What was counted, all of it at one moment.
    pub(super) fn counts(&self) -> [Count; COUNT] {
        self.floor().tape.counts()
    }

    /// Trades that are remembered, as [`Tape::trades`].
    pub(super) fn trades(&self, place: usize, from: Option<u64>, limit: u64) -> Vec<Trade> {
        self.floor().tape.trades(place, from, limit)
    }
}

/// Milliseconds since 1970 began.
pub(super) fn wall_clock() -> u64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH);
    let passed = passed.unwrap_or_default().as_millis();
    u64::try_from(passed).unwrap_or_default()
}
