//! What the resources of a plan cost a month, how much of that is new, and whether it may be.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::quotas::Taken;
use super::run::Engine;
use super::survey::Survey;
use super::{Action, Bill, Plan, Step};
use crate::base::cost::cents;
use crate::base::{Address, Cost, Errors};
use crate::contract::Found;
use crate::playbook::Playbook;

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
        self.action == Action::Delete
    }
}

impl Engine {
    /// Counts what the stack owns and this plan leaves as it is.
    pub(super) fn take_others(&self, survey: &Survey, steps: &[Step], taken: &mut Taken) {
        for address in survey.owned.keys() {
            let step = steps.iter().find(|step| step.address == *address);
            if step.is_none_or(|step| step.action == Action::Keep)
                && let Ok(kind) = self.kind(&address.kind)
            {
                taken.add(address, kind.uses(None));
            }
        }
    }

    /// Holds the plan, and with `--only` the rest of the playbook, to `limits.monthly_usd`.
    pub(super) fn hold_limit(
        &self,
        playbook: &Playbook,
        steps: &[Step],
    ) -> Result<Option<String>, Errors> {
        if playbook.monthly_limit.is_none() {
            return Ok(None);
        }
        let bill = Bill::of(playbook, &self.kinds, &self.facts, &self.cx.region)?;
        let planned: Vec<_> = steps
            .iter()
            .map(|step| (&step.address, &step.cost))
            .collect();
        let is_planned = |address: &Address| steps.iter().any(|step| step.address == *address);
        let others = bill
            .lines
            .iter()
            .filter(|(address, _)| !is_planned(address));
        let others = others.map(|(address, cost)| (address, cost));
        super::limits::money(
            playbook,
            &planned.into_iter().chain(others).collect::<Vec<_>>(),
        )
    }

    /// What something that is there costs now, beside all that the stack owns.
    pub(super) fn cost_now(
        &self,
        (address, found): (&Address, &Found),
        owned: &BTreeMap<Address, Found>,
    ) -> Option<Cost> {
        let kind = self.kind(&address.kind).ok()?;
        kind.cost_now(found, &self.cx.region, owned)
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
