//! What a pair costs now, and what it did in the last 24 hours.

use serde_json::{Value, json};

use super::decimal::{ONE, real, whole, written, written_change};
use super::klines::Kline;
use super::market::{DAY, Market};
use super::pairs::Pair;

/// The price now.
pub(super) fn price(market: Market, pair: &Pair, now: u64) -> Value {
    json!({"symbol": pair.symbol, "price": written(market.price(pair, now))})
}

/// The last 24 hours, as [`hours`] sees them.
pub(super) fn day(market: Market, pair: &Pair, now: u64, last_id: u64) -> Value {
    let day = hours(market, pair, now);
    let change = real(day.close) / real(day.open) - 1.0;
    let mean = real(day.quote_volume) / real(day.volume.max(1));
    json!({
        "symbol": pair.symbol,
        "priceChange": written_change(day.open, day.close),
        "priceChangePercent": format!("{:.3}", change * 100.0),
        "weightedAvgPrice": written(whole(mean * real(ONE))),
        "prevClosePrice": written(day.open),
        "lastPrice": written(day.close),
        "openPrice": written(day.open),
        "highPrice": written(day.high),
        "lowPrice": written(day.low),
        "volume": written(day.volume),
        "quoteVolume": written(day.quote_volume),
        "openTime": day.start,
        "closeTime": day.next,
        "firstId": u64::from(last_id > 0),
        "lastId": last_id,
        "count": day.trades,
    })
}

/// 24 hours up to now as one kline, made of 24.
fn hours(market: Market, pair: &Pair, now: u64) -> Kline {
    let start = now - DAY;
    let hour = |number| {
        let start = start + number * DAY / 24;
        Kline::of(market, pair, (start, start + DAY / 24), now)
    };
    let mut day = hour(0);
    for hour in (1..24).map(hour) {
        day.next = hour.next;
        day.close = hour.close;
        day.high = day.high.max(hour.high);
        day.low = day.low.min(hour.low);
        day.volume += hour.volume;
        day.quote_volume += hour.quote_volume;
        day.trades += hour.trades;
    }
    day
}

#[cfg(test)]
mod tests {
    use super::super::pairs::PAIRS;
    use super::*;

    #[test]
    fn a_day_ends_with_the_price_now() {
        let (market, now) = (Market { seed: 4 }, 1_700_000_000_000);
        for pair in &PAIRS {
            let day = day(market, pair, now, 9);
            assert_eq!(day["lastPrice"], price(market, pair, now)["price"]);
            let number = |name: &str| day[name].as_str().and_then(|text| text.parse::<f64>().ok());
            let number = |name: &str| number(name).expect("a number");
            let change = number("lastPrice") - number("openPrice");
            assert!((number("priceChange") - change).abs() < 1e-6);
            let mean = number("weightedAvgPrice");
            assert!(
                number("lowPrice") <= mean && mean <= number("highPrice"),
                "{day}"
            );
        }
    }
}
