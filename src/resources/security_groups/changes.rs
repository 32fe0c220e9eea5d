//! What differs between the rules of a security group and the wanted ones.

use super::peer::Resolver;
use super::rule::Rule;
use crate::base::{Diff, Shown};

/// What it takes to get from some rules to others.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    /// To authorize.
    pub missing: Vec<&'a Rule>,
    /// To revoke.
    pub surplus: Vec<&'a Rule>,
    /// There, with another description: old and new.
    pub renoted: Vec<(&'a Rule, &'a Rule)>,
}

impl<'a> Changes<'a> {
    /// Compares; the order does not count.
    #[must_use]
    pub fn between(live: &'a [Rule], wanted: &'a [Rule]) -> Self {
        let mut changes = Self::default();
        for rule in wanted {
            match live.iter().find(|other| other.same(rule)) {
                None if changes.missing.iter().any(|other| other.same(rule)) => {}
                None => changes.missing.push(rule),
                Some(old) if old.description != rule.description => {
                    changes.renoted.push((old, rule));
                }
                Some(_) => {}
            }
        }
        let unwanted = |rule: &&Rule| !wanted.iter().any(|other| other.same(rule));
        changes.surplus = live.iter().filter(unwanted).collect();
        changes
    }

    /// Nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.surplus.is_empty() && self.renoted.is_empty()
    }

    /// Adds them to a diff as `field`, rule by rule.
    #[must_use]
    pub fn show(&self, mut diff: Diff, field: &str, side: &str, with: Resolver<'_>) -> Diff {
        let words = |rule: &Rule| Shown::of(rule.words(side, with));
        for (old, new) in &self.renoted {
            diff = diff.field(field, words(old), words(new));
        }
        for rule in &self.missing {
            diff = diff.field(field, Shown::Absent, words(rule));
        }
        for rule in &self.surplus {
            diff = diff.field(field, words(rule), Shown::Absent);
        }
        diff
    }
}
