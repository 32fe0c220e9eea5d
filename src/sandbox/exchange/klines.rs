//! Klines: what a pair did within a time, drawn from the market's curve.

use serde_json::{Value, json};

use super::decimal::{real, whole, written};
use super::interval::Interval;
use super::market::Market;
use super::pairs::Pair;
use super::random;
use super::trade::usual_quantity;

/// Nothing was traded before: 2017-08-17, when the exchange's own klines begin.
const FIRST: u64 = 1_502_928_000_000;
/// At how many times within a kline the market is looked at.
const LOOKS: u64 = 24;
/// Trades in a second over all pairs that volumes stand for, whatever the rate is now.
const USUAL_RATE: f64 = 20.0;
/// Tells the drawing of volumes from other drawings.
const VOLUME: u64 = 20_000;
/// What a trade is worth on average, in dollars.
pub(super) const USUAL_WORTH: f64 = 700.0;

/// What a pair did within a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kline {
    /// When it begins, in milliseconds.
    pub(super) start: u64,
    /// When the next one begins.
    pub(super) next: u64,
    /// The first price; prices and quantities are in units of 10⁻⁸.
    pub(super) open: u64,
    /// The highest price.
    pub(super) high: u64,
    /// The lowest price.
    pub(super) low: u64,
    /// The last price.
    pub(super) close: u64,
    /// How much was traded.
    pub(super) volume: u64,
    /// What was paid for it.
    pub(super) quote_volume: u64,
    /// In how many trades.
    pub(super) trades: u64,
}

impl Kline {
    /// What a pair did from `start` until `next` or now, whichever is earlier.
    pub(super) fn of(market: Market, pair: &Pair, (start, next): (u64, u64), now: u64) -> Self {
        let end = next.min(now).max(start);
        let open = market.price(pair, start);
        let close = market.price(pair, end);
        let (mut high, mut low) = (open.max(close), open.min(close));
        let (mut prices, mut activity) = (0.0, 0.0);
        for look in 0..LOOKS {
            // At times of the whole kline, so that they stay the same while it goes on.
            let at = start + (next - start) * (2 * look + 1) / (2 * LOOKS);
            activity += market.activity(pair, at.min(end));
            let price = market.price(pair, at.min(end));
            prices += real(price);
            (high, low) = (high.max(price), low.min(price));
        }
        let seconds = real(end - start) / 1_000.0;
        let rate = USUAL_RATE * real(pair.share) / 100.0 * activity / real(LOOKS);
        let trades = whole(seconds * rate);
        // Per trade, half as much to half as much again.
        let drawn = random::fraction(market.seed, VOLUME + pair.share, start) + 0.5;
        let steps = real(trades * usual_quantity(pair) / pair.base.step());
        let volume = whole(steps * drawn) * pair.base.step();
        Self {
            start,
            next,
            open,
            high,
            low,
            close,
            volume,
            quote_volume: whole(real(volume) * (prices / real(LOOKS)) / 1e8),
            trades,
        }
    }

    /// The array of twelve that the exchange answers with.
    pub(super) fn row(&self) -> Value {
        // The part of buyers who took is drawn from how the price moved.
        let taken = |amount: u64| {
            let part = if self.close >= self.open { 53 } else { 47 };
            written(amount / 100 * part)
        };
        json!([
            self.start,
            written(self.open),
            written(self.high),
            written(self.low),
            written(self.close),
            written(self.volume),
            self.next - 1,
            written(self.quote_volume),
            self.trades,
            taken(self.volume),
            taken(self.quote_volume),
            "0",
        ])
    }
}

/// Which klines are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    /// The earliest time that one begins.
    pub(super) from: Option<u64>,
    /// The latest time that one begins.
    pub(super) to: Option<u64>,
    /// How many at most: the first ones after `from`, or else the last ones.
    pub(super) limit: usize,
}

/// The klines of a range, oldest first.
pub(super) fn within(
    market: Market,
    pair: &Pair,
    interval: Interval,
    range: Range,
    now: u64,
) -> Vec<Kline> {
    let last = interval.start(range.to.unwrap_or(now).min(now));
    let mut starts = Vec::new();
    if let Some(from) = range.from {
        let from = from.max(FIRST);
        let mut start = interval.start(from);
        if start < from {
            start = interval.next(start);
        }
        while start <= last && starts.len() < range.limit {
            starts.push(start);
            start = interval.next(start);
        }
    } else {
        let mut start = last;
        while start >= FIRST && starts.len() < range.limit {
            starts.push(start);
            start = interval.previous(start);
        }
        starts.reverse();
    }
    let kline = |start| Kline::of(market, pair, (start, interval.next(start)), now);
    starts.into_iter().map(kline).collect()
}

#[cfg(test)]
mod tests {
    use super::super::pairs::PAIRS;
    use super::*;

    const NOW: u64 = 1_700_000_012_345;
    const MARKET: Market = Market { seed: 7 };

    fn minutes(from: Option<u64>, to: Option<u64>, limit: usize, now: u64) -> Vec<Kline> {
        let interval = Interval::named("1m").expect("an interval");
        within(MARKET, &PAIRS[0], interval, Range { from, to, limit }, now)
    }

    #[test]
    fn klines_enclose_and_follow_each_other() {
        for interval in ["1m", "1h", "1d", "1w", "1M"] {
            let interval = Interval::named(interval).expect("an interval");
            let range = Range {
                from: None,
                to: None,
                limit: 50,
            };
            for pair in &PAIRS {
                let klines = within(MARKET, pair, interval, range, NOW);
                assert_eq!(klines.len(), 50);
                for kline in &klines {
                    assert!(kline.low <= kline.open.min(kline.close));
                    assert!(kline.high >= kline.open.max(kline.close));
                    assert!(
                        kline.low > 0 && kline.volume > 0 && kline.trades > 0,
                        "{kline:?}"
                    );
                }
                for two in klines.windows(2) {
                    assert_eq!(two[0].next, two[1].start);
                    assert_eq!(two[0].close, two[1].open);
                }
            }
        }
    }

    #[test]
    fn a_kline_that_is_over_does_not_change() {
        let before = minutes(None, None, 3, NOW);
        let after = minutes(Some(before[0].start), None, 3, NOW + 3_600_000);
        assert_eq!(before[..2], after[..2]);
        assert_ne!(before[2], after[2]);
    }

    #[test]
    fn a_range_is_kept_to() {
        let start = NOW / 60_000 * 60_000;
        let starts = |from, to, limit| -> Vec<u64> {
            let klines = minutes(from, to, limit, NOW);
            klines
                .iter()
                .map(|kline| (start - kline.start) / 60_000)
                .collect()
        };
        assert_eq!(starts(None, None, 2), [1, 0]);
        assert_eq!(starts(Some(start - 300_001), None, 2), [5, 4]);
        assert_eq!(starts(Some(start - 120_000), None, 9), [2, 1, 0]);
        assert_eq!(starts(None, Some(start - 1), 2), [2, 1]);
        assert_eq!(starts(Some(NOW + 1), None, 9), [0; 0]);
        assert_eq!(minutes(Some(0), None, 1, NOW)[0].start, FIRST);
        assert!(minutes(None, Some(FIRST - 1), 9, NOW).is_empty());
    }
}
