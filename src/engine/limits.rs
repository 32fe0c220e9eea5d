//! The playbook's own limits: how many of a kind, and how much money a month.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Bill;
use crate::base::{Address, Cost, Error, Errors};
use crate::contract::Kind;
use crate::playbook::{Facts, Playbook};

/// How many of the dearest resources are named.
const NAMED: usize = 3;

/// Holds a playbook to its `limits:`, offline: what costs money at the prices of `region`, if that
/// is known.
///
/// # Errors
/// Every limit that is passed.
pub fn hold(
    playbook: &Playbook,
    kinds: &[Arc<dyn Kind>],
    facts: &Facts,
    region: Option<&str>,
) -> Result<(), Errors> {
    count(playbook)?;
    if let (Some(_), Some(region)) = (&playbook.monthly_limit, region) {
        let bill = Bill::of(playbook, kinds, facts, region)?;
        let costs = bill.lines.iter().map(|(address, cost)| (address, cost));
        money(playbook, &costs.collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Refuses a playbook that declares more of a kind than its `limits:` allow.
pub(super) fn count(playbook: &Playbook) -> Result<(), Errors> {
    let mut errors = Errors::default();
    for (kind, (most, at)) in &playbook.limits {
        let count = playbook
            .declarations
            .keys()
            .filter(|it| it.kind == *kind)
            .count();
        if u64::try_from(count).unwrap_or(u64::MAX) > *most {
            let message =
                format!("the playbook declares {count} `{kind}`, and its limit is {most}");
            errors.push(Error::playbook(message, at).hint("declare fewer, or raise the limit"));
        }
    }
    errors.into_result(())
}

/// Refuses what costs more a month than `limits.monthly_usd`. A warning, where the limit holds only
/// as far as prices are known.
pub(super) fn money(
    playbook: &Playbook,
    costs: &[(&Address, &Cost)],
) -> Result<Option<String>, Errors> {
    let Some((most, at)) = &playbook.monthly_limit else {
        return Ok(None);
    };
    let total: Cost = costs.iter().map(|(_, cost)| (*cost).clone()).sum();
    let unknown = total.unknown.join(", ");
    if total.usd > *most {
        let least = if total.is_known() { "" } else { "at least " };
        let message = format!(
            "the stack costs {least}{:.2} US dollars a month, and its limit is {most:.2}",
            total.usd
        );
        let mut error = Error::playbook(message, at).note(dearest(costs));
        if !total.is_known() {
            error = error.note(format!("without a price: {unknown}"));
        }
        return Err(error
            .hint("declare less or smaller ones, or raise the limit")
            .into());
    }
    let warning =
        format!("`limits.monthly_usd` holds for what has a price; without one: {unknown}");
    Ok((!total.is_known()).then_some(warning))
}

/// The dearest, those of one `for_each` together.
fn dearest(costs: &[(&Address, &Cost)]) -> String {
    let mut groups: BTreeMap<String, (f64, usize)> = BTreeMap::new();
    for (address, cost) in costs {
        let name = format!("{}.{}", address.kind, address.split_key().0);
        let group = groups.entry(name).or_default();
        group.0 += cost.usd;
        group.1 += 1;
    }
    let mut groups: Vec<_> = groups
        .into_iter()
        .filter(|(_, (usd, _))| *usd > 0.0)
        .collect();
    groups.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    let words = groups.iter().take(NAMED).map(|(name, (usd, count))| {
        let times = if *count > 1 {
            format!(" ({count})")
        } else {
            String::new()
        };
        format!("{name}{times} {usd:.2}")
    });
    format!("dearest: {}", words.collect::<Vec<_>>().join(", "))
}
