//! What a stack has now, as a table.

use jiff::Timestamp;

use super::duration::age;
use super::style::{QUIET, STRONG, paint};
use super::table::{Tone, table};
use crate::engine::{Status, StatusRow};

/// The table, with ages as of `now`.
#[must_use]
pub fn status(status: &Status, now: Timestamp, width: usize) -> String {
    let mut text = heading(status, now);
    if status.rows.is_empty() {
        return format!("{text}\nNothing is there.\n");
    }
    let rows = status.rows.iter().map(|row| line(row, now)).collect();
    let columns = ["address", "id", "state", "reached at", "age", ""];
    text.push('\n');
    text.push_str(&table(columns, rows, width));
    text
}

fn heading(status: &Status, now: Timestamp) -> String {
    let stack = paint(STRONG, &status.stack);
    let place = if status.sandbox {
        "on the sandbox".to_owned()
    } else {
        format!("in {}, account {}", status.region, status.account)
    };
    let mut facts = Vec::new();
    if let Some(owner) = &status.owner {
        facts.push(format!("owner {owner}"));
    }
    if let Some(until) = &status.lease_until {
        facts.push(lease(until, now));
    }
    let mut text = format!("Stack {stack} {place}");
    if !facts.is_empty() {
        text.push_str(&paint(QUIET, format!("; {}", facts.join(", "))));
    }
    text + "\n"
}

fn lease(until: &str, now: Timestamp) -> String {
    match until.parse::<Timestamp>() {
        Ok(end) if end > now => format!("lease ends in {}", age(end.as_second() - now.as_second())),
        Ok(end) => format!("lease ended {} ago", age(now.as_second() - end.as_second())),
        Err(_) => format!("lease until {until}"),
    }
}

fn line(row: &StatusRow, now: Timestamp) -> [(String, Tone); 6] {
    let state_tone = match row.state.as_deref() {
        Some("running" | "available" | "active" | "ACTIVE") => Tone::Good,
        Some("stopped" | "stopping" | "pending" | "unreachable") => Tone::Notable,
        _ => Tone::Plain,
    };
    let since = row
        .since
        .as_deref()
        .and_then(|since| since.parse::<Timestamp>().ok());
    let since = since.map_or(String::new(), |since| {
        age(now.as_second() - since.as_second())
    });
    let remark = if row.orphan {
        "not in the playbook"
    } else {
        ""
    };
    [
        (row.address.to_string(), Tone::Plain),
        (row.id.clone(), Tone::Quiet),
        (row.state.clone().unwrap_or_default(), state_tone),
        (row.reach.clone().unwrap_or_default(), Tone::Plain),
        (since, Tone::Plain),
        (remark.to_owned(), Tone::Notable),
    ]
}
