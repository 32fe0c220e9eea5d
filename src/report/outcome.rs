//! How a run ended, in a line or a few.

use std::time::Duration;

use serde_json::{Value, json};

use super::duration::took;
use super::style::{BAD, CHANGE, GOOD, QUIET, paint};
use crate::base::Address;
use crate::engine::Outcome;

/// The closing lines of a run that took `elapsed`; the errors are shown before them.
#[must_use]
pub fn outcome(outcome: &Outcome, elapsed: Duration) -> String {
    let took = paint(QUIET, format!("({})", took(elapsed)));
    let done = match outcome.done.len() {
        0 => "nothing was changed".to_owned(),
        1 => "1 resource changed".to_owned(),
        number => format!("{number} resources changed"),
    };
    if outcome.interrupted {
        let rest = match names(&outcome.not_begun) {
            list if list.is_empty() => String::new(),
            list => format!("; not begun: {list}"),
        };
        let word = paint(CHANGE.bold(), "Stopped");
        return format!("{word}: {done}{rest}. Run it again to go on. {took}\n");
    }
    if outcome.failed.is_empty() {
        return format!("{}: {done}. {took}\n", paint(GOOD.bold(), "Done"));
    }
    let skipped: Vec<_> = outcome.skipped.iter().map(|(one, _)| one.clone()).collect();
    let skipped = match names(&skipped) {
        list if list.is_empty() => String::new(),
        list => format!("; left alone because of that: {list}"),
    };
    let failed = outcome.failed.len();
    let word = paint(BAD.bold(), "Failed");
    format!("{word}: {failed} failed, {done}{skipped}. {took}\n")
}

/// The outcome as a document, version 1; the errors are lines of their own.
#[must_use]
pub fn document(outcome: &Outcome, elapsed: Duration) -> Value {
    let texts = |addresses: &[Address]| {
        addresses
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    json!({
        "version": 1,
        "done": texts(&outcome.done),
        "failed": outcome.failed.len(),
        "skipped": outcome.skipped.iter().map(|(address, because)| json!({
            "address": address.to_string(),
            "because": because.to_string(),
        })).collect::<Vec<_>>(),
        "not_begun": texts(&outcome.not_begun),
        "interrupted": outcome.interrupted,
        "seconds": elapsed.as_secs_f64(),
    })
}

/// The first few of many addresses.
fn names(addresses: &[Address]) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<_> = addresses
        .iter()
        .take(SHOWN)
        .map(|each| format!("`{each}`"))
        .collect();
    if addresses.len() > SHOWN {
        names.push(format!("{} more", addresses.len() - SHOWN));
    }
    names.join(", ")
}
