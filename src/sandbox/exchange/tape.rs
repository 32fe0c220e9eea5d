//! All trades: makes the next one, counts them exactly, and remembers the latest.

use std::collections::VecDeque;

use super::market::Market;
use super::pairs::{COUNT, PAIRS};
use super::random;
use super::trade::{Draw, Trade};

/// How many trades are remembered, over all pairs.
pub(super) const REMEMBERED: usize = 1_000_000;
/// Tells the drawing of pairs from other drawings.
const TURN: u64 = 9_000;

/// What is remembered of a trade: the rest is drawn again.
#[derive(Clone, Copy, Debug)]
struct Kept {
    time: u64,
    price: u64,
}

/// The trades of one pair.
#[derive(Debug, Default)]
struct Book {
    last_id: u64,
    amount: u128,
    kept: VecDeque<Kept>,
}

/// What was counted of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// The symbol.
    pub(super) symbol: &'static str,
    /// The id of the last trade, which is the number of trades.
    pub(super) last_id: u64,
    /// The sum of all quantities, in units of 10⁻⁸.
    pub(super) amount: u128,
}

/// All trades.
#[derive(Debug)]
pub(super) struct Tape {
    market: Market,
    made: u64,
    books: [Book; COUNT],
    /// The pairs of the trades that are remembered, oldest first.
    order: VecDeque<u8>,
    remembered: usize,
}

impl Tape {
    /// An empty one that remembers so many trades.
    pub(super) fn new(market: Market, remembered: usize) -> Self {
        Self {
            market,
            made: 0,
            books: std::array::from_fn(|_| Book::default()),
            order: VecDeque::new(),
            remembered,
        }
    }

    /// Makes `many` trades at a time, in milliseconds.
    pub(super) fn make(&mut self, many: u64, time: u64) -> Vec<Trade> {
        let prices = PAIRS.each_ref().map(|pair| self.market.price(pair, time));
        (0..many).map(|_| self.next(&prices, time)).collect()
    }

    fn next(&mut self, prices: &[u64; COUNT], time: u64) -> Trade {
        let place = place_of_turn(random::stirred(self.market.seed, TURN, self.made));
        self.made += 1;
        let book = &mut self.books[place];
        book.last_id += 1;
        let draw = Draw::of(self.market.seed, place, book.last_id);
        let trade = Trade::made(draw, (place, book.last_id), prices[place], time);
        book.amount += u128::from(trade.quantity);
        book.kept.push_back(Kept {
            time,
            price: trade.price,
        });
        self.order
            .push_back(u8::try_from(place).unwrap_or_default());
        if self.order.len() > self.remembered
            && let Some(oldest) = self.order.pop_front()
        {
            self.books[usize::from(oldest)].kept.pop_front();
        }
        trade
    }

    /// The remembered trades with the ids from `from` on, `limit` ids at most; or else the last ones.
    pub(super) fn trades(&self, place: usize, from: Option<u64>, limit: u64) -> Vec<Trade> {
        let book = &self.books[place];
        let from = from.unwrap_or((book.last_id + 1).saturating_sub(limit));
        let kept = u64::try_from(book.kept.len()).unwrap_or_default();
        let first = book.last_id + 1 - kept;
        let ids = from.max(first)..from.saturating_add(limit).min(book.last_id + 1);
        let trade = |id: u64| {
            let kept = book.kept.get(usize::try_from(id - first).ok()?)?;
            let draw = Draw::of(self.market.seed, place, id);
            Some(Trade {
                place,
                id,
                time: kept.time,
                price: kept.price,
                quantity: draw.quantity,
                maker: draw.maker,
            })
        };
        ids.filter_map(trade).collect()
    }

    /// What was counted, by pair.
    pub(super) fn counts(&self) -> [Count; COUNT] {
        std::array::from_fn(|place| Count {
            symbol: PAIRS[place].symbol,
            last_id: self.books[place].last_id,
            amount: self.books[place].amount,
        })
    }
}

/// The pair whose turn it is: popular ones have more turns.
fn place_of_turn(drawn: u64) -> usize {
    let mut left = drawn % 100;
    for (place, pair) in PAIRS.iter().enumerate() {
        if left < pair.share {
            return place;
        }
        left -= pair.share;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(seed: u64, remembered: usize, many: u64) -> (Tape, Vec<Trade>) {
        let mut tape = Tape::new(Market { seed }, remembered);
        let trades = tape.make(many, 1_600_000_000_000);
        (tape, trades)
    }

    #[test]
    fn a_seed_decides_everything_but_the_time() {
        let drawn = |seed, time| -> Vec<(usize, u64, u64, bool)> {
            let mut tape = Tape::new(Market { seed }, REMEMBERED);
            let trades = tape
                .make(500, time)
                .into_iter()
                .chain(tape.make(500, time + 7));
            trades
                .map(|one| (one.place, one.id, one.quantity, one.maker))
                .collect()
        };
        assert_eq!(drawn(1, 1_600_000_000_000), drawn(1, 1_700_000_000_000));
        assert_ne!(drawn(1, 1_600_000_000_000), drawn(2, 1_600_000_000_000));
    }

    #[test]
    fn ids_have_no_gap_and_sums_are_exact() {
        let (tape, trades) = made(3, REMEMBERED, 5_000);
        for (place, count) in tape.counts().iter().enumerate() {
            let of: Vec<&Trade> = trades.iter().filter(|one| one.place == place).collect();
            assert!(of.iter().map(|one| one.id).eq(1..=count.last_id));
            let sum: u128 = of.iter().map(|one| u128::from(one.quantity)).sum();
            assert_eq!(sum, count.amount);
            assert!(count.last_id > 20, "{count:?}");
        }
    }

    #[test]
    fn what_was_made_is_remembered_as_it_was() {
        let (tape, trades) = made(3, REMEMBERED, 2_000);
        let first: Vec<Trade> = trades.into_iter().filter(|one| one.place == 0).collect();
        assert_eq!(
            tape.trades(0, Some(1), 1_000),
            first[..first.len().min(1_000)]
        );
        assert_eq!(tape.trades(0, None, 5), first[first.len() - 5..]);
        assert_eq!(tape.trades(0, Some(11), 2), first[10..12]);
        assert!(tape.trades(0, Some(100_000), 10).is_empty());
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let (tape, trades) = made(3, 100, 2_000);
        let last: Vec<Trade> = trades[1_900..]
            .iter()
            .filter(|one| one.place == 0)
            .copied()
            .collect();
        assert_eq!(tape.trades(0, None, 1_000), last);
        assert!(tape.trades(0, Some(1), 10).is_empty());
        assert_eq!(tape.trades(0, Some(last[0].id - 5), 7), last[..2]);
    }
}
