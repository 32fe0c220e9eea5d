//! How a run ended, in a line or a few.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Purpose;
use super::duration::took;
use super::style::{BAD, CHANGE, GOOD, paint};
use super::wrap::{columns, count, pad, wrap};
use crate::base::Address;
use crate::engine::Outcome;

/// The closing lines of a run that took `elapsed`; the errors are shown before them.
#[must_use]
pub fn outcome(outcome: &Outcome, purpose: Purpose, elapsed: Duration, width: usize) -> String {
    let took = took(elapsed);
    let verb = match purpose {
        Purpose::Apply => "changed",
        Purpose::Destroy => "deleted",
    };
    let done = match outcome.done.len() {
        0 if outcome.unfinished.is_empty() => format!("nothing was {verb}"),
        number => format!("{} {verb}", count(number, "resource")),
    };
    let not_begun = list("not begun", &outcome.not_begun);
    let (word, style, rest) = if outcome.interrupted {
        let rest = format!("{done} in {took}{not_begun}. Run it again to go on.");
        ("Stopped", CHANGE, rest)
    } else if outcome.failed.is_empty() {
        ("Done", GOOD, format!("{done} in {took}."))
    } else {
        let failed = count(outcome.failed.len(), "problem");
        let skipped: Vec<_> = outcome.skipped.iter().map(|(one, _)| one.clone()).collect();
        let skipped = list("left alone because of that", &skipped);
        let again = match purpose {
            Purpose::Apply => " Run it again when that is mended: it goes on from there.",
            Purpose::Destroy => "",
        };
        let unfinished = list("begun and not finished", &outcome.unfinished);
        (
            "Failed",
            BAD,
            format!("{failed}, {done} in {took}{unfinished}{skipped}{not_begun}.{again}"),
        )
    };
    let sentence = wrap(&format!("{word}: {rest}"), width).join("\n");
    format!("{}{}\n", paint(style.bold(), word), &sentence[word.len()..])
}

/// The playbook's `outputs:` that are known, a line each; nothing without any.
#[must_use]
pub fn outputs(outcome: &Outcome) -> String {
    let known = || outcome.outputs.iter().filter(|(_, it)| !it.has_unknown());
    let width = known().map(|(name, _)| columns(name)).max().unwrap_or(0);
    known()
        .map(|(name, node)| match node.to_shown_json() {
            Value::String(text) => format!("{} = {text}\n", pad(name, width)),
            other => format!("{} = {other}\n", pad(name, width)),
        })
        .collect()
}

/// The outcome as a document, version 1; the errors are lines of their own.
#[must_use]
pub fn document(outcome: &Outcome, elapsed: Duration) -> Value {
    let texts =
        |addresses: &[Address]| -> Vec<_> { addresses.iter().map(ToString::to_string).collect() };
    let skipped = outcome.skipped.iter().map(|(address, because)| {
        json!({ "address": address.to_string(), "because": because.to_string() })
    });
    let outputs: Map<_, _> = outcome
        .outputs
        .iter()
        .map(|(name, node)| (name.clone(), node.to_shown_json()))
        .collect();
    json!({
        "version": 1,
        "done": texts(&outcome.done),
        "failed": outcome.failed.len(),
        "unfinished": texts(&outcome.unfinished),
        "skipped": skipped.collect::<Vec<_>>(),
        "not_begun": texts(&outcome.not_begun),
        "interrupted": outcome.interrupted,
        "outputs": outputs,
        "seconds": elapsed.as_secs_f64(),
    })
}

/// `; WORDS: ` and the first few of many addresses; nothing without any.
fn list(words: &str, addresses: &[Address]) -> String {
    const SHOWN: usize = 5;
    if addresses.is_empty() {
        return String::new();
    }
    let shown = addresses.iter().take(SHOWN);
    let mut names: Vec<_> = shown.map(|each| format!("`{each}`")).collect();
    if addresses.len() > SHOWN {
        names.push(format!("{} more", addresses.len() - SHOWN));
    }
    format!("; {words}: {}", names.join(", "))
}
