//! Lines of logs.

use jiff::{Timestamp, Unit};

use super::style::{PLACE, QUIET, paint};

/// Characters of a task's id that are shown.
const SHORT: usize = 8;

/// A line with its time, its container and its task.
#[must_use]
pub fn line(at: i64, container: &str, stream: &str, text: &str) -> String {
    let task = stream.rsplit('/').next().unwrap_or_default();
    let task = task.get(..SHORT).unwrap_or(task);
    let place = paint(PLACE, format!("{container} {task}"));
    let time = paint(QUIET, time(at));
    format!("{time}  {place}  {}\n", text.trim_end())
}

/// A time in milliseconds since 1970, as RFC 3339 to the second.
#[must_use]
pub fn time(at: i64) -> String {
    let time = Timestamp::from_millisecond(at).and_then(|time| time.round(Unit::Second));
    time.map_or_else(|_| at.to_string(), |time| time.to_string())
}
