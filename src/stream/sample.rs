//! Test records, in the form of the trades that an exchange tells of.

use serde_json::json;

use super::put::New;

/// The pairs that the bundled apps follow unless told otherwise.
pub const PAIRS: [&str; 14] = [
    "BTCUSDT", "ETHUSDT", "LTCUSDT", "NEOUSDT", "BNBUSDT", "ETHBTC", "LTCBTC", "NEOBTC", "BNBBTC",
    "LTCETH", "NEOETH", "BNBETH", "LTCBNB", "NEOBNB",
];

/// The trade of this index at `now`, milliseconds since 1970: of one pair after the other, without
/// an id, so that none is taken for one of the exchange's.
#[must_use]
pub fn trade(index: usize, now: i64) -> New {
    let symbol = PAIRS[index % PAIRS.len()];
    let trade = json!({
        "e": "trade", "E": now, "s": symbol, "p": "1.00000000", "q": "0.00100000", "T": now,
        "test": true,
    });
    New {
        key: symbol.to_owned(),
        data: trade.to_string().into_bytes(),
    }
}
