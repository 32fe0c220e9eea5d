//! The lengths that klines have.
//!
//! Source: Binance Spot API documentation, "Kline/Candlestick chart intervals".

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

const MINUTE: u64 = 60_000;
const DAY: u64 = 1_440 * MINUTE;
/// 1970 began with a Thursday, weeks begin with Mondays.
const MONDAY: u64 = 4 * DAY;

/// How long a kline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interval {
    /// So many milliseconds, counted from so many after 1970 began.
    Fixed(u64, u64),
    /// A month of the calendar, in UTC.
    Month,
}

impl Interval {
    /// The interval of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let length = match name {
            "1s" => 1_000,
            "1m" => MINUTE,
            "3m" => 3 * MINUTE,
            "5m" => 5 * MINUTE,
            "15m" => 15 * MINUTE,
            "30m" => 30 * MINUTE,
            "1h" => 60 * MINUTE,
            "2h" => 120 * MINUTE,
            "4h" => 240 * MINUTE,
            "6h" => 360 * MINUTE,
            "8h" => 480 * MINUTE,
            "12h" => 720 * MINUTE,
            "1d" => DAY,
            "3d" => 3 * DAY,
            "1w" => return Some(Self::Fixed(7 * DAY, MONDAY)),
            "1M" => return Some(Self::Month),
            _ => return None,
        };
        Some(Self::Fixed(length, 0))
    }

    /// When the kline begins that a time is in; milliseconds, as everywhere.
    pub(super) fn start(self, at: u64) -> u64 {
        match self {
            Self::Fixed(length, offset) => {
                // What is before the first Monday is not asked for.
                let at = at.max(offset);
                at - (at - offset) % length
            }
            Self::Month => milliseconds(first_of_month(at)),
        }
    }

    /// When the kline after the one that begins then begins.
    pub(super) fn next(self, start: u64) -> u64 {
        match self {
            Self::Fixed(length, _) => start + length,
            Self::Month => {
                let first = first_of_month(start);
                milliseconds(first.saturating_add(1.month()))
            }
        }
    }

    /// When the kline before the one that begins then begins.
    pub(super) fn previous(self, start: u64) -> u64 {
        self.start(start.saturating_sub(1))
    }
}

fn first_of_month(at: u64) -> Date {
    let at = i64::try_from(at).unwrap_or(i64::MAX);
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(at).date().first_of_month()
}

fn milliseconds(date: Date) -> u64 {
    let at = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0));
    let at = at.map_or(0, Timestamp::as_millisecond);
    u64::try_from(at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> u64 {
        let at: Timestamp = text.parse().expect("a time");
        u64::try_from(at.as_millisecond()).expect("after 1970")
    }

    #[test]
    fn klines_begin_where_they_do_at_the_exchange() {
        let now = at("2024-02-29T13:47:12.345Z");
        for (name, start, next) in [
            ("1s", "2024-02-29T13:47:12Z", "2024-02-29T13:47:13Z"),
            ("1m", "2024-02-29T13:47:00Z", "2024-02-29T13:48:00Z"),
            ("15m", "2024-02-29T13:45:00Z", "2024-02-29T14:00:00Z"),
            ("12h", "2024-02-29T12:00:00Z", "2024-03-01T00:00:00Z"),
            ("1d", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("1w", "2024-02-26T00:00:00Z", "2024-03-04T00:00:00Z"),
            ("1M", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
        ] {
            let interval = Interval::named(name).expect("an interval");
            assert_eq!(interval.start(now), at(start), "{name}");
            assert_eq!(interval.next(at(start)), at(next), "{name}");
            assert_eq!(interval.previous(at(next)), at(start), "{name}");
        }
        assert_eq!(Interval::named("7m"), None);
    }
}
