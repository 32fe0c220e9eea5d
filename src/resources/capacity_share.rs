//! A capacity provider's share of tasks. What services and schedules have in common.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::node::Step;

/// A capacity provider and its share of tasks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityShare {
    /// `FARGATE`, `FARGATE_SPOT`, or another capacity provider of the cluster
    pub provider: String,
    /// Its share of the tasks beyond all `base`, in proportion to the others' weights
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 1000))]
    pub weight: i32,
    /// Tasks that run on it before the weights count; only one provider can have it
    #[serde(default)]
    #[schemars(range(min = 0, max = 100_000))]
    pub base: i32,
}

fn one() -> i32 {
    1
}

impl fmt::Display for CapacityShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (weight {}", self.provider, self.weight)?;
        match self.base {
            0 => f.write_str(")"),
            base => write!(f, ", base {base})"),
        }
    }
}

/// What is wrong offline with the shares in the field `capacity`.
#[must_use]
pub fn check(shares: &[CapacityShare]) -> Vec<(Vec<Step>, String)> {
    let mut problems = Vec::new();
    let mut problem = |text: &str| {
        problems.push((vec![Step::Key("capacity".to_owned())], text.to_owned()));
    };
    // https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html
    if shares.len() > 20 {
        problem("at most 20 capacity providers");
    }
    if !shares.is_empty() && shares.iter().all(|share| share.weight == 0) {
        problem("at least one capacity provider has a `weight` above 0");
    }
    if shares
        .iter()
        .any(|share| !(0..=1000).contains(&share.weight))
    {
        problem("a `weight` is 0 to 1000");
    }
    if shares
        .iter()
        .any(|share| !(0..=100_000).contains(&share.base))
    {
        problem("a `base` is 0 to 100000");
    }
    if shares.iter().filter(|share| share.base > 0).count() > 1 {
        problem("only one capacity provider can have a `base`");
    }
    problems
}
