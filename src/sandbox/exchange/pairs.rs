//! The coins and pairs that are traded.

/// A coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coin {
    /// The dollar of this market: its price is always 1.
    Usdt,
    /// Bitcoin.
    Btc,
    /// Ether.
    Eth,
    /// Litecoin.
    Ltc,
    /// Neo.
    Neo,
    /// Binance's own.
    Bnb,
}

impl Coin {
    /// Its name within symbols.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Usdt => "USDT",
            Self::Btc => "BTC",
            Self::Eth => "ETH",
            Self::Ltc => "LTC",
            Self::Neo => "NEO",
            Self::Bnb => "BNB",
        }
    }

    /// The price in dollars that it moves around.
    pub(super) fn base(self) -> f64 {
        match self {
            Self::Usdt => 1.0,
            Self::Btc => 35_000.0,
            Self::Eth => 2_000.0,
            Self::Ltc => 90.0,
            Self::Neo => 15.0,
            Self::Bnb => 320.0,
        }
    }

    /// By how much of itself the price moves in a day.
    pub(super) fn daily(self) -> f64 {
        match self {
            Self::Usdt => 0.0,
            Self::Btc => 0.03,
            Self::Eth | Self::Bnb => 0.04,
            Self::Ltc | Self::Neo => 0.045,
        }
    }

    /// The least quantity, in units of 10⁻⁸.
    pub(super) fn step(self) -> u64 {
        match self {
            Self::Usdt | Self::Neo => 1_000_000,
            Self::Btc => 1_000,
            Self::Eth => 10_000,
            Self::Ltc | Self::Bnb => 100_000,
        }
    }

    /// Tells it from the others where numbers are drawn.
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Usdt => 0,
            Self::Btc => 1,
            Self::Eth => 2,
            Self::Ltc => 3,
            Self::Neo => 4,
            Self::Bnb => 5,
        }
    }
}

/// What is traded for what.
#[derive(Debug)]
pub(super) struct Pair {
    /// Its symbol, as `BTCUSDT`.
    pub(super) symbol: &'static str,
    /// The name of its stream of trades, as `btcusdt@trade`.
    pub(super) stream: &'static str,
    /// What is bought or sold.
    pub(super) base: Coin,
    /// What is paid with.
    pub(super) quote: Coin,
    /// What prices are whole numbers of, in units of 10⁻⁸.
    pub(super) tick: u64,
    /// Its part of all trades, in hundredths.
    pub(super) share: u64,
}

const fn pair(
    (symbol, stream): (&'static str, &'static str),
    (base, quote): (Coin, Coin),
    tick: u64,
    share: u64,
) -> Pair {
    Pair {
        symbol,
        stream,
        base,
        quote,
        tick,
        share,
    }
}

/// How many pairs there are.
pub(super) const COUNT: usize = 14;

/// All pairs.
pub(super) static PAIRS: [Pair; COUNT] = {
    use Coin::{Bnb, Btc, Eth, Ltc, Neo, Usdt};
    [
        pair(("BTCUSDT", "btcusdt@trade"), (Btc, Usdt), 1_000_000, 40),
        pair(("ETHUSDT", "ethusdt@trade"), (Eth, Usdt), 1_000_000, 20),
        pair(("LTCUSDT", "ltcusdt@trade"), (Ltc, Usdt), 1_000_000, 6),
        pair(("NEOUSDT", "neousdt@trade"), (Neo, Usdt), 100_000, 4),
        pair(("BNBUSDT", "bnbusdt@trade"), (Bnb, Usdt), 1_000_000, 8),
        pair(("ETHBTC", "ethbtc@trade"), (Eth, Btc), 100, 8),
        pair(("LTCBTC", "ltcbtc@trade"), (Ltc, Btc), 10, 3),
        pair(("NEOBTC", "neobtc@trade"), (Neo, Btc), 1, 2),
        pair(("BNBBTC", "bnbbtc@trade"), (Bnb, Btc), 100, 3),
        pair(("LTCETH", "ltceth@trade"), (Ltc, Eth), 100, 1),
        pair(("NEOETH", "neoeth@trade"), (Neo, Eth), 100, 1),
        pair(("BNBETH", "bnbeth@trade"), (Bnb, Eth), 1_000, 2),
        pair(("LTCBNB", "ltcbnb@trade"), (Ltc, Bnb), 1_000, 1),
        pair(("NEOBNB", "neobnb@trade"), (Neo, Bnb), 1_000, 1),
    ]
};

/// The place of a symbol among [`PAIRS`].
pub(super) fn place(symbol: &str) -> Option<usize> {
    PAIRS.iter().position(|pair| pair.symbol == symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_streams_are_made_of_coins() {
        for pair in &PAIRS {
            let symbol = format!("{}{}", pair.base.name(), pair.quote.name());
            assert_eq!(pair.symbol, symbol);
            assert_eq!(pair.stream, format!("{}@trade", symbol.to_lowercase()));
        }
    }

    #[test]
    fn shares_are_hundredths() {
        assert_eq!(PAIRS.iter().map(|pair| pair.share).sum::<u64>(), 100);
    }
}
