//! Records of a stream, and how many there are.

use super::logs::time;
use super::style::{PLACE, QUIET, paint};

/// A record with the time at which the stream took it (milliseconds since 1970), its shard and key.
#[must_use]
pub fn record(arrived: i64, shard: &str, key: &str, data: &str) -> String {
    let (time, shard) = (paint(QUIET, time(arrived)), paint(QUIET, short(shard)));
    let key = paint(PLACE, key);
    format!("{time}  {shard}  {key}  {}\n", data.trim_end())
}

/// What came in so many seconds.
#[must_use]
pub fn rate(records: usize, bytes: usize, seconds: f64) -> String {
    format!(
        "{:>10.1} records/s {:>10.1} KiB/s\n",
        per_second(records, seconds),
        per_second(bytes, seconds) / 1024.0
    )
}

/// What came in all.
#[must_use]
pub fn total(records: usize, bytes: usize, seconds: f64) -> String {
    if records == 0 {
        return format!("nothing came in {seconds:.0} s\n");
    }
    format!(
        "{records} records in {seconds:.0} s: {:.1} a second, {:.1} KiB a second\n",
        per_second(records, seconds),
        per_second(bytes, seconds) / 1024.0
    )
}

/// How many records a shard took.
#[must_use]
pub fn put(shard: &str, records: usize) -> String {
    format!("{records:>8} to {}\n", short(shard))
}

fn short(shard: &str) -> String {
    let number = shard.strip_prefix("shardId-");
    let number = number.map(|it| it.trim_start_matches('0'));
    match number {
        Some("") => "shard 0".to_owned(),
        Some(number) => format!("shard {number}"),
        None => shard.to_owned(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate is rounded anyway")]
fn per_second(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds.max(f64::EPSILON)
}
