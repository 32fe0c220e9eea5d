//! How long something took or has been there, in the shortest form that still tells.

use std::time::Duration;

/// `0.4s`, `12.3s`, `1m 04s`, `2h 05m`.
#[must_use]
pub fn took(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=59 => format!("{:.1}s", duration.as_secs_f64().min(59.9)),
        60..=3599 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `40s`, `12m`, `5h`, `3d`: the largest unit alone.
#[must_use]
pub fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..=59 => format!("{seconds}s"),
        seconds @ 60..=3599 => format!("{}m", seconds / 60),
        seconds @ 3600..=86399 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_grow_with_the_duration() {
        assert_eq!(took(Duration::from_millis(4130)), "4.1s");
        assert_eq!(took(Duration::from_millis(59_990)), "59.9s");
        assert_eq!(took(Duration::from_secs(64)), "1m 04s");
        assert_eq!(took(Duration::from_mins(125)), "2h 05m");
        assert_eq!(age(59), "59s");
        assert_eq!(age(86400 * 3 + 5), "3d");
    }
}
