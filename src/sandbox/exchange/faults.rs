//! What is asked for from outside: the rate of trades, and what goes wrong.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Trades in a second, at most.
const FASTEST: u64 = 200_000;
/// The longest time that anything can be asked for, in seconds.
const LONGEST: f64 = 86_400.0;

/// What `POST /control` takes; each field is optional, and several may come together.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// No trades are made while this is true.
    pub(super) pause: Option<bool>,
    /// Trades in a second from now on.
    pub(super) rate: Option<u64>,
    /// Another rate for some seconds.
    pub(super) burst: Option<Burst>,
    /// Cuts all websockets, once.
    pub(super) disconnect: Option<bool>,
    /// Seconds in which a new websocket is answered with 503.
    pub(super) refuse: Option<f64>,
    /// Seconds in which nothing is sent over websockets.
    pub(super) silence: Option<f64>,
    /// The next so many trades are not sent.
    pub(super) drop: Option<u64>,
    /// The next so many trades are sent as broken frames.
    pub(super) malformed: Option<u64>,
    /// Seconds in which REST calls are answered with 503.
    pub(super) down: Option<f64>,
    /// The next so many REST calls are answered with 429.
    pub(super) limit: Option<u64>,
}

/// A rate for some seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Burst {
    /// Trades in a second.
    pub(super) rate: u64,
    /// For how long.
    pub(super) seconds: f64,
}

/// What holds at the moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    paused: bool,
    rate: u64,
    burst: Option<(u64, Instant)>,
    refused: Option<Instant>,
    silent: Option<Instant>,
    down: Option<Instant>,
    dropped: u64,
    malformed: u64,
    limited: u64,
    /// Trades that are due, less than one when all due ones were made.
    due: f64,
}

/// What holds at the moment, as `GET /control` says it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Shown {
    /// No trades are made.
    pub(super) pause: bool,
    /// Trades in a second, with a burst if there is one.
    pub(super) rate: u64,
    /// Seconds in which nothing more is sent over websockets.
    pub(super) silence: f64,
    /// Seconds in which new websockets are still refused.
    pub(super) refuse: f64,
    /// Seconds in which REST calls are still answered with 503.
    pub(super) down: f64,
    /// How many more trades are not sent.
    pub(super) drop: u64,
    /// How many more frames are broken.
    pub(super) malformed: u64,
    /// How many more REST calls are answered with 429.
    pub(super) limit: u64,
}

/// What becomes of the next trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is sent.
    Sent,
    /// It is not sent.
    Dropped,
    /// It is sent as a broken frame; one number for each.
    Malformed(u64),
}

/// What a REST call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Nothing.
    Open,
    /// The exchange is down.
    Down,
    /// Too many calls.
    Limited,
}

impl Faults {
    /// No faults, and so many trades in a second.
    pub(super) fn new(rate: u64) -> Self {
        Self {
            rate: rate.min(FASTEST),
            ..Self::default()
        }
    }

    /// Takes on what is asked for.
    ///
    /// # Errors
    /// What is out of range; nothing is taken on then.
    pub(super) fn take(&mut self, wish: &Wish, now: Instant) -> Result<(), String> {
        let rates = [wish.rate, wish.burst.map(|burst| burst.rate)];
        if rates.into_iter().flatten().any(|rate| rate > FASTEST) {
            return Err(format!("a rate is at most {FASTEST} trades per second"));
        }
        let times = [
            wish.refuse,
            wish.silence,
            wish.down,
            wish.burst.map(|burst| burst.seconds),
        ];
        if times
            .into_iter()
            .flatten()
            .any(|time| !(0.0..=LONGEST).contains(&time))
        {
            return Err(format!("a time is from 0 to {LONGEST} seconds"));
        }
        let until = |seconds: f64| now + Duration::from_secs_f64(seconds);
        self.paused = wish.pause.unwrap_or(self.paused);
        self.rate = wish.rate.unwrap_or(self.rate);
        let burst = wish.burst.map(|burst| (burst.rate, until(burst.seconds)));
        self.burst = burst.or(self.burst);
        self.refused = wish.refuse.map(until).or(self.refused);
        self.silent = wish.silence.map(until).or(self.silent);
        self.down = wish.down.map(until).or(self.down);
        self.dropped = wish.drop.unwrap_or(self.dropped);
        self.malformed = wish.malformed.unwrap_or(self.malformed);
        self.limited = wish.limit.unwrap_or(self.limited);
        Ok(())
    }

    /// How many trades have become due in the time that went by until `now`.
    pub(super) fn due(&mut self, passed: Duration, now: Instant) -> u64 {
        if self.paused {
            return 0;
        }
        let rate = f64::from(u32::try_from(self.rate_at(now)).unwrap_or(u32::MAX));
        // After a sleep of the machine, not all at once.
        self.due += rate * passed.as_secs_f64().min(1.0);
        let whole = self.due.floor();
        self.due -= whole;
        super::decimal::whole(whole)
    }

    fn rate_at(&self, now: Instant) -> u64 {
        match self.burst {
            Some((rate, until)) if now < until => rate,
            _ => self.rate,
        }
    }

    /// What becomes of the next trade, were something sent.
    pub(super) fn fate(&mut self) -> Fate {
        if self.dropped > 0 {
            self.dropped -= 1;
            Fate::Dropped
        } else if self.malformed > 0 {
            self.malformed -= 1;
            Fate::Malformed(self.malformed)
        } else {
            Fate::Sent
        }
    }

    /// What the next REST call meets.
    pub(super) fn gate(&mut self, now: Instant) -> Gate {
        if holds(self.down, now) {
            Gate::Down
        } else if self.limited > 0 {
            self.limited -= 1;
            Gate::Limited
        } else {
            Gate::Open
        }
    }

    /// New websockets are refused.
    pub(super) fn refuses(&self, now: Instant) -> bool {
        holds(self.refused, now)
    }

    /// Until when nothing is sent over websockets, if so.
    pub(super) fn silent(&self, now: Instant) -> Option<Instant> {
        self.silent.filter(|until| now < *until)
    }

    /// What holds at the moment.
    pub(super) fn shown(&self, now: Instant) -> Shown {
        Shown {
            pause: self.paused,
            rate: self.rate_at(now),
            silence: left(self.silent, now),
            refuse: left(self.refused, now),
            down: left(self.down, now),
            drop: self.dropped,
            malformed: self.malformed,
            limit: self.limited,
        }
    }
}

/// Seconds.
fn left(until: Option<Instant>, now: Instant) -> f64 {
    let left = until.map(|until| until.saturating_duration_since(now));
    left.unwrap_or_default().as_secs_f64()
}

fn holds(until: Option<Instant>, now: Instant) -> bool {
    left(until, now) > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> Wish {
        serde_json::from_str(text).expect("a wish")
    }

    #[test]
    fn trades_become_due_at_the_rate() {
        let (mut faults, start) = (Faults::new(30), Instant::now());
        let tick = Duration::from_millis(10);
        let second = |faults: &mut Faults, at| (0..100).map(|_| faults.due(tick, at)).sum::<u64>();
        assert!((29..=30).contains(&second(&mut faults, start)));
        let burst = wish(r#"{"burst":{"rate":5000,"seconds":3}}"#);
        faults.take(&burst, start).expect("a burst");
        let within = start + Duration::from_secs(2);
        assert!((4_999..=5_001).contains(&second(&mut faults, within)));
        let after = start + Duration::from_secs(3);
        assert!((29..=31).contains(&second(&mut faults, after)));
        faults
            .take(&wish(r#"{"pause":true}"#), after)
            .expect("a pause");
        assert_eq!(second(&mut faults, after), 0);
    }

    #[test]
    fn trades_are_dropped_then_broken_then_sent() {
        let mut faults = Faults::new(1);
        let both = wish(r#"{"drop":1,"malformed":2}"#);
        faults.take(&both, Instant::now()).expect("a fault");
        let fates = [(); 4].map(|()| faults.fate());
        let broken = [Fate::Malformed(1), Fate::Malformed(0)];
        assert_eq!(fates, [Fate::Dropped, broken[0], broken[1], Fate::Sent]);
    }

    #[test]
    fn what_is_out_of_range_changes_nothing() {
        let (mut faults, now) = (Faults::new(5), Instant::now());
        for text in [
            r#"{"rate":1000000,"pause":true}"#,
            r#"{"pause":true,"down":-1}"#,
        ] {
            faults.take(&wish(text), now).expect_err(text);
            assert!(!faults.shown(now).pause);
        }
        assert!(serde_json::from_str::<Wish>(r#"{"pauze":true}"#).is_err());
    }

    #[test]
    fn the_gate_closes_for_a_time_or_a_number() {
        let (mut faults, now) = (Faults::new(5), Instant::now());
        faults
            .take(&wish(r#"{"down":2,"limit":1}"#), now)
            .expect("a fault");
        assert_eq!(faults.gate(now), Gate::Down);
        let after = now + Duration::from_secs(2);
        assert_eq!(faults.gate(after), Gate::Limited);
        assert_eq!(faults.gate(after), Gate::Open);
    }
}
