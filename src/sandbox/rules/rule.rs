//! The shape of a rule.

use futures::future::BoxFuture;

use crate::base::Result;
use crate::sandbox::front::{Call, Front};

/// What AWS says instead of doing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// AWS's words.
    pub(crate) message: String,
}

/// One thing that AWS refuses.
pub(crate) struct Rule {
    /// EC2 actions it looks at; all when empty.
    pub(crate) actions: &'static [&'static str],
    /// AWS's error code.
    pub(crate) code: &'static str,
    /// The page that documents it.
    pub(crate) source: &'static str,
    /// Looks at a call.
    pub(crate) refuse: for<'a> fn(&'a Front, &'a Call) -> BoxFuture<'a, Result<Option<Refusal>>>,
}

/// The rules that look at an action.
pub(crate) fn for_action(action: &str) -> Vec<&'static Rule> {
    let rules = super::ALL.iter().flat_map(|rules| rules.iter());
    rules
        .filter(|rule| rule.actions.is_empty() || rule.actions.contains(&action))
        .collect()
}

/// A refusal in AWS's words.
pub(crate) fn refuse(message: String) -> Refusal {
    Refusal { message }
}

#[cfg(test)]
mod tests {
    use crate::sandbox::rules::ALL;

    #[test]
    fn every_rule_has_a_code_and_a_source() {
        for rule in ALL.iter().flat_map(|rules| rules.iter()) {
            assert!(!rule.code.is_empty());
            assert!(rule.source.starts_with("https://docs.aws.amazon.com/"));
        }
    }
}
