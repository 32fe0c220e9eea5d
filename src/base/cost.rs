//! What something costs a month.

use std::iter::Sum;
use std::ops::Add;

/// A monthly price: what it costs to be there, and whether use comes on top.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cost {
    /// US dollars a month (730 hours), for being there.
    pub usd: f64,
    /// What `usd` is made of, as far as it was bought by the item: the item, US dollars a month.
    pub items: Vec<(String, f64)>,
    /// The month that the prices are of, `YYYY-MM`.
    pub date: Option<String>,
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

    /// A known price of an item on a list of `date` (`YYYY-MM`), US dollars a month.
    #[must_use]
    pub fn of_item(item: &str, usd: f64, date: &str) -> Self {
        Self {
            items: vec![(item.to_owned(), usd)],
            date: Some(date.to_owned()),
            ..Self::of(usd)
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
        for (_, usd) in &mut self.items {
            *usd *= count;
        }
        self
    }

    /// All of it is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.unknown.is_empty()
    }

    /// Nothing is paid for it, not even for use.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.is_known() && self.by_use.is_empty() && self.cents() == 0
    }

    /// US dollars a month to the cent, in cents.
    #[must_use]
    pub fn cents(&self) -> i64 {
        cents(self.usd)
    }
}

/// US dollars to the cent, in cents.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a monthly price is far below"
)]
pub fn cents(usd: f64) -> i64 {
    (usd * 100.0).round() as i64
}

impl Add for Cost {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self.usd += other.usd;
        for (item, usd) in other.items {
            match self.items.iter_mut().find(|(name, _)| *name == item) {
                Some((_, sum)) => *sum += usd,
                None => self.items.push((item, usd)),
            }
        }
        self.date = self.date.or(other.date);
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
            Cost::of_item("ec2/y", 1.25, "2026-09").times(2.0),
            Cost::of_item("ec2/y", 0.5, "2026-09"),
            Cost::unknown("ec2/x"),
            Cost::by_use("requests"),
            Cost::by_use("requests"),
        ]
        .into_iter()
        .sum();
        assert!((sum.usd - 3.0).abs() < 1e-9);
        assert!(!sum.is_known());
        assert_eq!(sum.by_use, ["requests"]);
        assert_eq!(sum.items, [("ec2/y".to_owned(), 3.0)]);
        assert_eq!(sum.date.as_deref(), Some("2026-09"));
        assert_eq!(sum.cents(), 300);
    }
}
