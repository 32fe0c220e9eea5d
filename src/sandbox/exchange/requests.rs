//! How often REST was asked for what, and the weight of it.
//!
//! Source: Binance Spot API documentation, "Limits": each endpoint has a weight, and each answer says
//! how much was used in this minute. The limit itself is not enforced here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts requests.
#[derive(Debug, Default)]
pub(super) struct Requests {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_path: BTreeMap<String, u64>,
    minute: u64,
    used: u64,
}

impl Requests {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request at a time in milliseconds; how much weight was used in its minute.
    pub(super) fn note(&self, path: &str, query: &str, now: u64) -> u64 {
        let weight = weight(path, query);
        // Paths that are not there must not fill the memory.
        let path = if weight == 0 { "other" } else { path };
        let mut inner = self.inner();
        *inner.by_path.entry(path.to_owned()).or_default() += 1;
        if inner.minute != now / 60_000 {
            inner.minute = now / 60_000;
            inner.used = 0;
        }
        inner.used += weight.max(1);
        inner.used
    }

    /// How many requests there were, by path.
    pub(super) fn all(&self) -> BTreeMap<String, u64> {
        self.inner().by_path.clone()
    }
}

/// The documented weight of a request, 0 when there is no such path.
fn weight(path: &str, query: &str) -> u64 {
    let one = query.contains("symbol=");
    match path.strip_prefix("/api/v3/").unwrap_or_default() {
        "ping" | "time" => 1,
        "klines" => 2,
        "trades" | "historicalTrades" => 25,
        "exchangeInfo" => 20,
        "ticker/price" | "ticker/24hr" if one => 2,
        "ticker/price" => 4,
        "ticker/24hr" => 80,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_and_weighed_by_the_minute() {
        let requests = Requests::default();
        assert_eq!(requests.note("/api/v3/ping", "", 60_000), 1);
        assert_eq!(requests.note("/api/v3/klines", "", 119_999), 3);
        assert_eq!(requests.note("/api/v3/ping", "", 120_000), 1);
        requests.note("/api/v3/nothing", "", 120_000);
        let all: Vec<_> = requests.all().into_iter().collect();
        let count = |path: &str, many| (path.to_owned(), many);
        let klines = count("/api/v3/klines", 1);
        assert_eq!(all, [klines, count("/api/v3/ping", 2), count("other", 1)]);
    }
}
