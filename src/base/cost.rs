//! What something costs a month.

use std::iter::Sum;
use std::ops::Add;

/// A monthly price: what it costs to be there, and whether use comes on top.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cost {
    /// US dollars a month (730 hours), for being there.
    pub usd: f64,
    /// What the price of is not known, so that `usd` is a lower bound.
    pub unknown: Vec<String>,
    /// What is paid for by use and is not in `usd`: `requests`, `storage`.
    pub by_use: Vec<String>,
}

impl Cost {
    /// A known price, US dollars a month.
    #[must_use]
    pub fn of(usd: f64) -> Self {
        Self {
            usd,
            ..Self::default()
        }
    }

    /// Something whose price is not known.
    #[must_use]
    pub fn unknown(what: impl Into<String>) -> Self {
        Self {
            unknown: vec![what.into()],
            ..Self::default()
        }
    }

    /// Nothing but what is used: `requests`.
    #[must_use]
    pub fn by_use(what: &str) -> Self {
        Self {
            by_use: vec![what.to_owned()],
            ..Self::default()
        }
    }

    /// The same `count` times.
    #[must_use]
    pub fn times(mut self, count: f64) -> Self {
        self.usd *= count;
        self
    }

    /// All of it is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.unknown.is_empty()
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self.usd += other.usd;
        for (all, more) in [
            (&mut self.unknown, other.unknown),
            (&mut self.by_use, other.by_use),
        ] {
            for what in more {
                if !all.contains(&what) {
                    all.push(what);
                }
            }
        }
        self
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_price_stays_unknown_in_a_sum() {
        let sum: Cost = [
            Cost::of(1.5).times(2.0),
            Cost::unknown("ec2/x"),
            Cost::by_use("requests"),
            Cost::by_use("requests"),
        ]
        .into_iter()
        .sum();
        assert!((sum.usd - 3.0).abs() < 1e-9);
        assert!(!sum.is_known());
        assert_eq!(sum.by_use, ["requests"]);
    }
}
