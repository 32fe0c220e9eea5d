//! Figures, counted everywhere and told once in a while.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::say::say;

/// Everything that is counted since the start
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) trades: Counter,
    pub(crate) bytes: Counter,
    pub(crate) reconnects: Counter,
    pub(crate) backfilled: Counter,
    /// Trades that the exchange no longer has
    pub(crate) missing: Counter,
    pub(crate) gaps: Counter,
    pub(crate) malformed: Counter,
    /// Requests and records that were sent again
    pub(crate) retries: Counter,
    /// Trades taken and not yet delivered by every sink
    pub(crate) queued: Counter,
    /// When the last trade that was delivered was made, in milliseconds since 1970
    pub(crate) last_time: Counter,
}

/// A number that many may change
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub(crate) fn subtract(&self, n: u64) {
        self.0.fetch_sub(n, Relaxed);
    }

    pub(crate) fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The counters that are told as growth, by name
const NAMES: [&str; 8] = [
    "trades",
    "bytes",
    "reconnects",
    "backfilled",
    "missing",
    "gaps",
    "malformed",
    "retries",
];

impl Metrics {
    fn counts(&self) -> [u64; 8] {
        [
            &self.trades,
            &self.bytes,
            &self.reconnects,
            &self.backfilled,
            &self.missing,
            &self.gaps,
            &self.malformed,
            &self.retries,
        ]
        .map(Counter::value)
    }

    /// Tells what was counted every so often, for ever
    pub(crate) async fn tell(&self, every: Duration) {
        let (mut before, mut since) = ([0; 8], Instant::now());
        loop {
            tokio::time::sleep(every).await;
            let counts = self.counts();
            let mut growth = counts;
            for (count, before) in growth.iter_mut().zip(before) {
                *count -= before;
            }
            say(format_args!(
                "metrics {}",
                self.line(growth, since.elapsed())
            ));
            (before, since) = (counts, Instant::now());
        }
    }

    /// Tells everything since the start
    pub(crate) fn total(&self, took: Duration) {
        say(format_args!("total {}", self.line(self.counts(), took)));
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate to one decimal")]
    fn line(&self, counts: [u64; 8], took: Duration) -> String {
        use std::fmt::Write as _;
        let per_second = counts[0] as f64 / took.as_secs_f64().max(0.001);
        let mut line = format!(
            "seconds={:.1} per_second={per_second:.1}",
            took.as_secs_f64()
        );
        for (name, count) in NAMES.iter().zip(counts) {
            let _ = write!(line, " {name}={count}");
        }
        let _ = write!(line, " queued={}", self.queued.value());
        let last = self.last_time.value();
        if last > 0 {
            let _ = write!(line, " lag_ms={}", now_ms().saturating_sub(last));
        }
        line
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
