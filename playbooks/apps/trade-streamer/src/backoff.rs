//! Pauses that double, with jitter, so that many clients do not come back all at once.

use std::time::Duration;

/// A series of growing pauses
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    tries: u32,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            tries: 0,
        }
    }

    /// The next pause: between a half and the whole of `first` · 2ⁿ, at most `most`
    pub(crate) fn pause(&mut self) -> Duration {
        let whole = self
            .first
            .saturating_mul(2_u32.saturating_pow(self.tries))
            .min(self.most);
        self.tries = self.tries.saturating_add(1);
        whole.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_most_and_begin_anew() {
        let (first, most) = (Duration::from_secs(1), Duration::from_secs(30));
        let mut backoff = Backoff::new(first, most);
        for whole in [1, 2, 4, 8, 16, 30, 30] {
            let pause = backoff.pause();
            assert!(pause <= Duration::from_secs(whole), "{pause:?} of {whole}");
            assert!(
                pause >= Duration::from_secs(whole) / 2,
                "{pause:?} of {whole}"
            );
        }
        for _ in 0..100 {
            assert!(backoff.pause() <= most);
        }
        backoff.reset();
        assert!(backoff.pause() <= first);
    }
}
