//! What coins cost at any time: a function of the seed, the coin and the time, and of nothing else.
//!
//! A price is its base figure times the exponential of a sum of smooth waves with random heights, the
//! slower the higher: with four times the length goes twice the height, as in a random walk.

use super::decimal::{self, ONE};
use super::pairs::{Coin, Pair};
use super::random;

/// The shortest wave, in milliseconds.
const SHORTEST: u64 = 5_000;
/// How many waves there are, each four times as long as the one before: the last has 242 days.
const WAVES: u32 = 12;
/// The height that no wave is above.
const HIGHEST: f64 = 0.2;
/// A day, in milliseconds.
pub(super) const DAY: u64 = 86_400_000;
/// Tells the waves of activity from those of prices.
const ACTIVITY: u64 = 1_000;

/// The prices that belong to a seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Market {
    /// The seed.
    pub(super) seed: u64,
}

impl Market {
    /// What one coin costs, in dollars.
    fn dollars(self, coin: Coin, at: u64) -> f64 {
        let mut sum = 0.0;
        let mut length = SHORTEST;
        for wave in 0..WAVES {
            let days = decimal::real(length) / decimal::real(DAY);
            let height = (coin.daily() * days.sqrt()).min(HIGHEST);
            sum += height * self.wave(coin.number() * 100 + u64::from(wave), length, at);
            length *= 4;
        }
        coin.base() * sum.exp()
    }

    /// What one unit of a pair costs, as a whole number of ticks, in units of 10⁻⁸.
    pub(super) fn price(self, pair: &Pair, at: u64) -> u64 {
        let price = self.dollars(pair.base, at) / self.dollars(pair.quote, at);
        to_tick(decimal::whole(price * decimal::real(ONE)), pair)
    }

    /// How much is traded, relative to the usual: from a half to one and a half.
    pub(super) fn activity(self, pair: &Pair, at: u64) -> f64 {
        let of = ACTIVITY + pair.base.number() * 10 + pair.quote.number();
        let hour = self.wave(of, DAY / 24, at);
        let minute = self.wave(of + ACTIVITY, DAY / 1440, at);
        1.0 + 0.25 * hour + 0.25 * minute
    }

    /// A smooth curve between -1 and 1 through a random point for each multiple of `length`.
    fn wave(self, of: u64, length: u64, at: u64) -> f64 {
        // Waves must not all have their points at the same time.
        let at = at + random::stirred(self.seed, of, u64::MAX) % length;
        let (left, part) = (at / length, decimal::real(at % length));
        let part = part / decimal::real(length);
        let from = random::fraction(self.seed, of, left);
        let to = random::fraction(self.seed, of, left + 1);
        let smooth = part * part * (3.0 - 2.0 * part);
        2.0 * (from + (to - from) * smooth) - 1.0
    }
}

/// The nearest price that is a whole number of ticks, and at least one.
pub(super) fn to_tick(price: u64, pair: &Pair) -> u64 {
    ((price + pair.tick / 2) / pair.tick).max(1) * pair.tick
}

#[cfg(test)]
mod tests {
    use super::super::pairs::PAIRS;
    use super::*;

    const NOW: u64 = 1_600_000_000_000;

    fn of(symbol: &str, at: u64) -> f64 {
        let pair = PAIRS.iter().find(|pair| pair.symbol == symbol);
        decimal::real(Market { seed: 1 }.price(pair.expect("a pair"), at)) / decimal::real(ONE)
    }

    #[test]
    fn a_price_is_a_function_of_seed_and_time() {
        let prices = |seed| {
            PAIRS
                .each_ref()
                .map(|pair| Market { seed }.price(pair, NOW))
        };
        assert_eq!(prices(1), prices(1));
        assert_ne!(prices(1), prices(2));
    }

    #[test]
    fn pairs_agree_with_each_other() {
        for pair in PAIRS.iter().filter(|pair| pair.quote != Coin::Usdt) {
            for minute in 0..500 {
                let at = NOW + minute * 60_000;
                let dollars = |coin: Coin| of(&format!("{}USDT", coin.name()), at);
                let indirect = dollars(pair.base) / dollars(pair.quote);
                let off = (of(pair.symbol, at) / indirect - 1.0).abs();
                assert!(off < 0.001, "{} is off by {off}", pair.symbol);
            }
        }
    }

    #[test]
    fn prices_stay_in_their_range_and_move() {
        let days: Vec<f64> = (0..2_000)
            .map(|day| of("BTCUSDT", NOW + day * DAY))
            .collect();
        assert!(
            days.iter()
                .all(|price| (15_000.0..75_000.0).contains(price))
        );
        let hours = (0..180).map(|minute| of("BTCUSDT", NOW + minute * 60_000));
        let (least, most) = hours.fold((f64::MAX, 0.0_f64), |(least, most), price| {
            (least.min(price), most.max(price))
        });
        assert!(most / least > 1.003, "{least} to {most} within three hours");
        let second = (of("BTCUSDT", NOW + 1_000) / of("BTCUSDT", NOW) - 1.0).abs();
        assert!(second < 0.001, "{second} within a second");
    }
}
