//! What the resources of a plan cost a month, and how much of that is new.

use serde_json::{Map, Value, json};

use super::{Plan, Step};
use crate::base::Cost;
use crate::base::cost::cents;

impl Plan {
    /// What everything in the plan costs a month once it is applied.
    #[must_use]
    pub fn monthly(&self) -> Cost {
        self.steps.iter().map(|step| step.cost.clone()).sum()
    }

    /// How much more it is than now, US dollars a month (less where negative); `None` where a
    /// price is not known.
    #[must_use]
    pub fn monthly_change(&self) -> Option<f64> {
        let changed = self.steps.iter().filter(|step| step.action.is_change());
        changed.map(Step::monthly_change).sum()
    }

    /// What is going to be deleted costs now, as far as that is known.
    #[must_use]
    pub fn monthly_saved(&self) -> Cost {
        let deleted = self.steps.iter().filter(|step| step.is_deletion());
        let costs = deleted.map(|step| match &step.cost_now {
            Some(cost) => cost.clone(),
            None => Cost::unknown(step.address.to_string()),
        });
        costs.sum()
    }
}

impl Step {
    /// How much more it costs than now, US dollars a month; `None` where a price is not known.
    #[must_use]
    pub fn monthly_change(&self) -> Option<f64> {
        let now = self.cost_now.as_ref()?;
        (now.unknown == self.cost.unknown).then_some(self.cost.usd - now.usd)
    }

    fn is_deletion(&self) -> bool {
        self.action == super::Action::Delete
    }
}

/// A cost as members of a document: US dollars to the cent.
pub(super) fn members(cost: &Cost) -> Map<String, Value> {
    let members = [
        ("monthly_usd", json!(rounded(cost.usd))),
        ("unknown", json!(cost.unknown)),
        ("by_use", json!(cost.by_use)),
        ("prices_of", json!(cost.date)),
    ];
    let members = members.into_iter();
    members
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a monthly price is far below")]
pub(super) fn rounded(usd: f64) -> f64 {
    cents(usd) as f64 / 100.0
}
