//! Waiting for AWS to get somewhere: polls with growing pauses until a deadline, and says so.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::base::{Error, Result};

/// What a look at the thing waited for found.
#[derive(Debug)]
pub enum Poll<T> {
    /// It is there.
    Ready(T),
    /// Not yet, and how it is now: `` `pending` ``, `held by eni-77c2`.
    Pending(String),
}

/// One wait: for what, how long, and who hears of it.
pub struct Wait<'a> {
    what: String,
    within: Duration,
    news: &'a (dyn Fn(&str) + Send + Sync),
    first: Duration,
    longest: Duration,
    /// Each pause is longer by this part of the one before.
    growth: f64,
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wait for {} within {:?}", self.what, self.within)
    }
}

impl<'a> Wait<'a> {
    /// Waits for `what` (``instance `i-1` to run``) at most `within`; each new state goes to `news`.
    pub fn new(
        what: impl Into<String>,
        within: Duration,
        news: &'a (dyn Fn(&str) + Send + Sync),
    ) -> Self {
        Self {
            what: what.into(),
            within,
            news,
            first: Duration::from_millis(250),
            longest: Duration::from_secs(5),
            growth: 0.5,
        }
    }

    /// Sets the first and the longest pause between two looks.
    #[must_use]
    pub fn every(mut self, first: Duration, longest: Duration) -> Self {
        self.first = first;
        self.longest = longest;
        self
    }

    /// Lets the pauses grow slowly: more looks, and the end is seen sooner.
    #[must_use]
    pub fn closely(mut self) -> Self {
        self.growth = 0.125;
        self
    }

    /// Looks with `poll` until it is ready.
    ///
    /// # Errors
    /// What `poll` failed with, or that the time is up, with the state seen last.
    pub async fn until<T, F, R>(self, mut poll: F) -> Result<T>
    where
        F: FnMut() -> R,
        R: Future<Output = Result<Poll<T>>>,
    {
        let deadline = Instant::now() + self.within;
        let mut pause = self.first;
        let mut said = String::new();
        loop {
            match poll().await? {
                Poll::Ready(value) => return Ok(value),
                Poll::Pending(state) => {
                    if state != said {
                        (self.news)(&format!("waiting for {}: {state}", self.what));
                        said = state;
                    }
                }
            }
            if Instant::now() + pause > deadline {
                return Err(Error::failed(format!(
                    "gave up waiting for {} after {}",
                    self.what,
                    in_words(self.within)
                ))
                .code("Timeout")
                .note(format!("seen last: {said}"))
                .hint("run the command again: it goes on from here"));
            }
            sleep(pause).await;
            pause = pause.mul_f64(1.0 + self.growth).min(self.longest);
        }
    }
}

/// A duration as people write it: `2m`, `1m 30s`.
#[must_use]
pub fn in_words(duration: Duration) -> String {
    match (duration.as_secs() / 60, duration.as_secs() % 60) {
        (0, 0) => format!("{}ms", duration.as_millis()),
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m {seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn a_wait_tells_each_state_once_and_what_it_saw_last() {
        let heard = Mutex::new(Vec::new());
        let news = |text: &str| heard.lock().unwrap().push(text.to_owned());
        let wait = Wait::new("`i-1` to run", Duration::from_millis(20), &news);
        let wait = wait.every(Duration::from_millis(2), Duration::from_millis(4));
        let error = wait
            .until(async || Ok(Poll::<()>::Pending("pending".to_owned())))
            .await
            .unwrap_err();
        assert_eq!(
            *heard.lock().unwrap(),
            ["waiting for `i-1` to run: pending"]
        );
        assert_eq!(
            error.message(),
            "gave up waiting for `i-1` to run after 20ms"
        );
        assert_eq!(error.notes(), ["seen last: pending"]);
    }
}
