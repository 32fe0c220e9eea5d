//! Messages to the operator, on standard error.

use std::error::Error;
use std::fmt;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Tells one line. A standard error that is gone stops nothing: the trades matter more.
pub(crate) fn say(message: impl fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "trade-streamer: {message}");
}

/// Why the program ends
#[derive(Debug)]
pub(crate) enum Stop {
    /// It cannot go on; the text says why and what to do
    Failed(String),
    /// Nobody reads standard output any more
    ClosedPipe,
}

/// An error with its causes, on one line: the outermost often only says that there was one
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lets a message through once in a while and counts what it held back
#[derive(Debug)]
pub(crate) struct Throttle {
    every: Duration,
    last: Option<Instant>,
    held: u64,
}

impl Throttle {
    pub(crate) fn new(every: Duration) -> Self {
        Self {
            every,
            last: None,
            held: 0,
        }
    }

    /// How many messages were held back since the last one, if one may be told now
    pub(crate) fn allow(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now < last + self.every) {
            self.held += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttle_counts_what_it_holds_back() {
        let start = Instant::now();
        let mut throttle = Throttle::new(Duration::from_secs(1));
        assert_eq!(throttle.allow(start), Some(0));
        assert_eq!(throttle.allow(start + Duration::from_millis(10)), None);
        assert_eq!(throttle.allow(start + Duration::from_millis(999)), None);
        assert_eq!(throttle.allow(start + Duration::from_secs(1)), Some(2));
    }
}
