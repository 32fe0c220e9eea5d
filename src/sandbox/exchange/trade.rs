//! One trade: what is drawn for it, and the event it is sent as.
//!
//! Source: Binance Spot API documentation, "WebSocket Streams", trade streams.

use std::io::Write as _;

use super::decimal::{self, ONE, real, whole};
use super::klines::USUAL_WORTH;
use super::market::to_tick;
use super::pairs::{PAIRS, Pair};
use super::random;

/// By how many millionths a trade's price differs from the market's, at most.
const JITTER: u64 = 100;

/// What a trade is made of, whichever time it is made at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Draw {
    /// The quantity, in units of 10⁻⁸.
    pub(super) quantity: u64,
    /// What the market's price is multiplied with, in millionths.
    pub(super) jitter: u64,
    /// The buyer's order was there first.
    pub(super) maker: bool,
}

impl Draw {
    /// What belongs to the trade of that id.
    pub(super) fn of(seed: u64, place: usize, id: u64) -> Self {
        let pair = &PAIRS[place];
        let of = 10_000 + number(place) * 10;
        // Small trades are many, large ones few: the cube of a fraction is a quarter on average.
        let part = random::fraction(seed, of, id);
        let steps = whole(usual_steps(pair) * 4.0 * part * part * part).max(1);
        let stirred = random::stirred(seed, of + 1, id);
        Self {
            quantity: steps * pair.base.step(),
            jitter: 1_000_000 - JITTER + (stirred >> 1) % (2 * JITTER + 1),
            maker: stirred & 1 == 1,
        }
    }
}

/// How many of a coin's least quantity are in the usual trade.
fn usual_steps(pair: &Pair) -> f64 {
    USUAL_WORTH / pair.base.base() * real(ONE) / real(pair.base.step())
}

/// The usual quantity of a trade, in units of 10⁻⁸.
pub(super) fn usual_quantity(pair: &Pair) -> u64 {
    whole(usual_steps(pair)) * pair.base.step()
}

/// The place of a pair as a number to draw with.
fn number(place: usize) -> u64 {
    u64::try_from(place).unwrap_or_default()
}

/// A trade that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trade {
    /// The place of its pair among [`PAIRS`].
    pub(super) place: usize,
    /// Its number among those of its pair, from 1 and without a gap.
    pub(super) id: u64,
    /// When it was made, in milliseconds.
    pub(super) time: u64,
    /// Its price; price and quantity are in units of 10⁻⁸.
    pub(super) price: u64,
    /// Its quantity.
    pub(super) quantity: u64,
    /// The buyer's order was there first.
    pub(super) maker: bool,
}

impl Trade {
    /// The trade of that id, made at a time when the market's price is `price`.
    pub(super) fn made(draw: Draw, (place, id): (usize, u64), price: u64, time: u64) -> Self {
        let price = u128::from(price) * u128::from(draw.jitter) / 1_000_000;
        let price = u64::try_from(price).unwrap_or(u64::MAX);
        Self {
            place,
            id,
            time,
            price: to_tick(price, &PAIRS[place]),
            quantity: draw.quantity,
            maker: draw.maker,
        }
    }

    /// Writes the event, as `{"e":"trade",…}`.
    pub(super) fn write(&self, into: &mut Vec<u8>) {
        let (price, quantity) = (self.price, self.quantity);
        // The orders' ids: each is of one trade here.
        let (buyer, seller) = if self.maker {
            (self.id * 2 - 1, self.id * 2)
        } else {
            (self.id * 2, self.id * 2 - 1)
        };
        // Writing to a `Vec` cannot fail.
        let _ = write!(
            into,
            r#"{{"e":"trade","E":{},"s":"{}","t":{},"p":"{}.{:08}","q":"{}.{:08}","b":{buyer},"a":{seller},"T":{},"m":{},"M":true}}"#,
            self.time + 1,
            PAIRS[self.place].symbol,
            self.id,
            price / ONE,
            price % ONE,
            quantity / ONE,
            quantity % ONE,
            self.time,
            self.maker,
        );
    }

    /// The element of `/trades` and `/historicalTrades`.
    pub(super) fn row(&self) -> serde_json::Value {
        serde_json::json!({
            "id": self.id,
            "price": decimal::written(self.price),
            "qty": decimal::written(self.quantity),
            "quoteQty": decimal::written(decimal::product(self.price, self.quantity)),
            "time": self.time,
            "isBuyerMaker": self.maker,
            "isBestMatch": true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_documented_form() {
        let trade = Trade {
            place: 0,
            id: 12_345,
            time: 1_600_000_000_122,
            price: 830_010_000_000,
            quantity: 120_000,
            maker: true,
        };
        let mut event = Vec::new();
        trade.write(&mut event);
        assert_eq!(
            String::from_utf8(event).expect("text"),
            r#"{"e":"trade","E":1600000000123,"s":"BTCUSDT","t":12345,"p":"8300.10000000","q":"0.00120000","b":24689,"a":24690,"T":1600000000122,"m":true,"M":true}"#
        );
        assert_eq!(trade.row()["quoteQty"], "9.96012000");
    }

    #[test]
    fn quantities_are_usual_on_average() {
        for (place, pair) in PAIRS.iter().enumerate() {
            let sum: u64 = (1..=20_000).map(|id| Draw::of(1, place, id).quantity).sum();
            let ratio = real(sum / 20_000) / real(usual_quantity(pair));
            assert!((0.9..1.1).contains(&ratio), "{}: {ratio}", pair.symbol);
        }
    }

    #[test]
    fn prices_differ_from_the_markets_by_little() {
        for id in 1..1_000 {
            let trade = Trade::made(Draw::of(1, 0, id), (0, id), 40_000 * ONE, 1);
            assert!(trade.price.abs_diff(40_000 * ONE) <= 4 * ONE);
        }
    }
}
