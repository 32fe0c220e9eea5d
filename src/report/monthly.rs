//! What things cost a month, in words.

use super::wrap::wrap;
use crate::base::Cost;
use crate::engine::{Action, Plan, Step};

/// Less is the same amount.
const CENT: f64 = 0.005;

/// `17.53 USD a month` behind an address, with `→` where it changes; nothing where there is nothing
/// to tell.
#[must_use]
pub fn behind(step: &Step) -> Option<String> {
    let now = step.cost_now.as_ref();
    match step.action {
        Action::Create => amount(&step.cost).map(|amount| format!("{amount} a month")),
        Action::Update | Action::Replace => {
            let now = now.filter(|now| now.is_known() && step.cost.is_known())?;
            let changes = (now.usd - step.cost.usd).abs() >= CENT;
            changes.then(|| format!("{:.2} → {:.2} USD a month", now.usd, step.cost.usd))
        }
        Action::Delete => {
            let now = now.filter(|now| now.usd >= CENT)?;
            amount(now).map(|amount| format!("{amount} a month less"))
        }
        Action::Nothing | Action::Keep | Action::Read | Action::Unread => None,
    }
}

/// `17.53 USD`, `at least 3.65 USD`, `price unknown`; nothing for what is free.
fn amount(cost: &Cost) -> Option<String> {
    match (cost.usd >= CENT, cost.is_known()) {
        (true, true) => Some(format!("{:.2} USD", cost.usd)),
        (true, false) => Some(format!("at least {:.2} USD", cost.usd)),
        (false, false) => Some("price unknown".to_owned()),
        (false, true) => None,
    }
}

/// The lines below a plan's summary: what everything costs once it is applied, and how much of that
/// is new.
#[must_use]
pub fn of_plan(plan: &Plan, width: usize) -> Vec<String> {
    let change = plan.monthly_change().filter(|_| !plan.is_empty());
    let cost = plan.monthly();
    let new = match change {
        Some(change) if change >= CENT && (change - cost.usd).abs() < CENT => {
            ", all new".to_owned()
        }
        Some(change) if change >= CENT => format!(", {change:.2} more than now"),
        Some(change) if change <= -CENT => format!(", {:.2} less than now", -change),
        Some(_) => ", as now".to_owned(),
        None => String::new(),
    };
    sentences(&cost, &new, plan.sandbox, width)
}

/// The lines below the summary of a plan that deletes.
#[must_use]
pub fn of_destruction(plan: &Plan, width: usize) -> Vec<String> {
    let saved = plan.monthly_saved();
    if saved.usd < CENT {
        return Vec::new();
    }
    // What is paid for use is no part of it.
    let saved = Cost {
        by_use: Vec::new(),
        ..saved
    };
    sentences(&saved, " less", plan.sandbox, width)
}

/// `About 21.18 USD a month (list prices of 2026-09, on demand).`, with what is beside it. On the
/// sandbox nothing is paid: it is told what it would be on AWS.
#[must_use]
pub fn sentences(cost: &Cost, more: &str, sandbox: bool, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if cost.usd >= CENT || !cost.is_known() {
        let about = match (sandbox, cost.is_known()) {
            (false, true) => "About",
            (false, false) => "At least",
            (true, true) => "On AWS about",
            (true, false) => "On AWS at least",
        };
        let date = cost.date.as_deref();
        let prices = date.map_or(String::new(), |date| {
            format!(" (list prices of {date}, on demand)")
        });
        let text = format!("{about} {:.2} USD a month{more}{prices}.", cost.usd);
        lines.extend(wrap(&text, width));
    }
    for (what, list) in [
        ("Beside that, by use", &cost.by_use),
        ("Without a price", &cost.unknown),
    ] {
        let what = if lines.is_empty() {
            "Paid by use only"
        } else {
            what
        };
        if !list.is_empty() {
            lines.extend(wrap(&format!("{what}: {}.", list.join(", ")), width));
        }
    }
    lines
}
