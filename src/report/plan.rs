//! A plan as a person reads it before saying yes.

use std::fmt::Write as _;

use anstyle::Style;

use super::alike::{group, key};
use super::field::{Layout, fields};
use super::monthly;
use super::style::{BAD, CHANGE, GOOD, QUIET, REPLACE, STRONG, paint};
use super::wrap::{columns, printable, wrap};
use crate::engine::{Action, Plan, Step};

/// What the plan is for; it picks the words of the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To make the account as the playbook says.
    Apply,
    /// To take the stack down.
    Destroy,
}

/// The whole plan, ending in its summary. With `full`, long new texts are not cut.
#[must_use]
pub fn plan(plan: &Plan, purpose: Purpose, width: usize, full: bool) -> String {
    let mut text = format!("{}\n\n", heading(plan));
    let is_shown = |step: &&Step| {
        step.action.is_change() || [Action::Keep, Action::Unread].contains(&step.action)
    };
    let shown: Vec<Step> = plan.steps.iter().filter(is_shown).cloned().collect();
    let mut rest = shown.as_slice();
    let mut before: Option<(Action, usize)> = None;
    while let Some(first) = rest.first() {
        let group = if full { &rest[..1] } else { group(rest) };
        let mut lines = step(first, group.len() > 1, width, full);
        lines.push_str(&folded(&group[1..], width));
        // Resources that take a line each stand together.
        let this = (first.action, lines.lines().count());
        if before.is_some_and(|before| before != this || this.1 > 1) {
            text.push('\n');
        }
        text.push_str(&lines);
        before = Some(this);
        rest = &rest[group.len()..];
    }
    if before.is_some() {
        text.push('\n');
    }
    text.push_str(&paint(STRONG, summary(plan, purpose)));
    text.push('\n');
    let costs = match purpose {
        Purpose::Apply => monthly::of_plan(plan, width),
        Purpose::Destroy => monthly::of_destruction(plan, width),
    };
    for line in costs {
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str(&warnings(&plan.warnings, width));
    text
}

/// `warning: …`, one after the other.
fn warnings(warnings: &[String], width: usize) -> String {
    let mut text = String::new();
    for warning in warnings {
        let lines = wrap(&format!("warning: {}", printable(warning)), width);
        for (number, line) in lines.into_iter().enumerate() {
            let line = match line.strip_prefix("warning:") {
                Some(rest) if number == 0 => format!("{}{rest}", paint(CHANGE, "warning:")),
                _ => line,
            };
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The line for resources that are like the one before.
fn folded(alike: &[Step], width: usize) -> String {
    const INDENT: &str = "      ";
    if alike.is_empty() {
        return String::new();
    }
    let keys: Vec<_> = alike.iter().map(key).collect();
    let words = format!(
        "and {} more, alike but for the key: {}",
        alike.len(),
        keys.join(", ")
    );
    let mut text = String::new();
    for line in wrap(&words, width.saturating_sub(INDENT.len())) {
        let _ = writeln!(text, "{INDENT}{}", paint(GOOD, line));
    }
    text
}

/// `Stack de3 in eu-west-1, account 123456789012`.
fn heading(plan: &Plan) -> String {
    let stack = paint(STRONG, &plan.stack);
    if plan.sandbox {
        format!("Stack {stack} on the sandbox")
    } else if plan.account.is_empty() {
        format!("Stack {stack}, outside AWS")
    } else {
        format!("Stack {stack} in {}, account {}", plan.region, plan.account)
    }
}

/// The one line that counts.
#[must_use]
pub fn summary(plan: &Plan, purpose: Purpose) -> String {
    let count = |action| plan.count(action);
    let kept = match count(Action::Keep) {
        0 => String::new(),
        kept => format!(", {kept} kept"),
    };
    let unread = match count(Action::Unread) {
        0 => String::new(),
        unread => format!(", {unread} could not be looked at"),
    };
    let checks = match plan.checks {
        0 => String::new(),
        1 => "; 1 check after".to_owned(),
        checks => format!("; {checks} checks after"),
    };
    match purpose {
        Purpose::Destroy if plan.is_empty() => match count(Action::Keep) {
            0 if !unread.is_empty() => format!("Nothing to delete{unread}."),
            0 => format!("Nothing to delete: stack {} owns nothing here.", plan.stack),
            kept => format!("Nothing to delete: {kept} kept{unread}."),
        },
        Purpose::Destroy => format!("Plan: {} to delete{kept}{unread}.", count(Action::Delete)),
        Purpose::Apply if plan.is_empty() && unread.is_empty() => match count(Action::Nothing) {
            1 => "Nothing to do: 1 resource is as declared.".to_owned(),
            same => format!("Nothing to do: {same} resources are as declared."),
        },
        Purpose::Apply => format!(
            "Plan: {} to create, {} to change, {} to replace, {} to delete{kept}{unread}{checks}.",
            count(Action::Create),
            count(Action::Update),
            count(Action::Replace),
            count(Action::Delete),
        ),
    }
}

fn step(step: &Step, is_several: bool, width: usize, full: bool) -> String {
    let (sign, style) = sign(step.action);
    let (sign, order) = match (step.action, step.create_first) {
        (Action::Replace, true) => ("+/-", Some("the new one is made first")),
        (Action::Replace, false) => (sign, Some("the old one is deleted first")),
        _ => (sign, None),
    };
    let mut text = format!(
        "{}{} {}",
        " ".repeat(3_usize.saturating_sub(sign.len())),
        paint(style, sign),
        paint(STRONG, &step.address)
    );
    if let Some(id) = &step.id {
        let _ = write!(text, "  {}", paint(QUIET, id));
    }
    let unread = step.unread.as_ref().map(|_| "could not be looked at");
    if let Some(reason) = step.reason.as_deref().or(order).or(unread) {
        let _ = write!(text, "  {}", paint(style, format!("({reason})")));
    }
    if let Some(mut cost) = monthly::behind(step) {
        if is_several {
            cost.push_str(" each");
        }
        // Behind the address where there is room for it.
        let taken = columns(&anstream::adapter::strip_str(&text).to_string());
        let before = if taken + 2 + columns(&cost) > width {
            "\n      "
        } else {
            "  "
        };
        let _ = write!(text, "{before}{}", paint(QUIET, cost));
    }
    text.push('\n');
    let layout = Layout {
        width,
        creating: step.action == Action::Create,
        full,
    };
    if step.action != Action::Delete {
        for line in fields(&step.diff.changes, layout) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    if matches!(step.action, Action::Delete | Action::Replace) && !step.parts.is_empty() {
        let parts: Vec<_> = step
            .parts
            .iter()
            .map(|part| format!("{} {}", part.noun, part.id))
            .collect();
        let gone_too = format!("and its {}", parts.join(", "));
        let _ = writeln!(text, "      {}", paint(QUIET, gone_too));
    }
    text
}

/// The sign before an address, and the colour of the action.
#[must_use]
pub fn sign(action: Action) -> (&'static str, Style) {
    match action {
        Action::Create => ("+", GOOD),
        Action::Update => ("~", CHANGE),
        Action::Replace => ("-/+", REPLACE),
        Action::Delete => ("-", BAD),
        Action::Unread => ("?", BAD),
        Action::Keep | Action::Nothing | Action::Read => ("=", QUIET),
    }
}
