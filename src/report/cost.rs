//! What a playbook costs a month, resource by resource.

use std::fmt::Write as _;

use super::monthly::sentences;
use super::style::{BAD, QUIET, STRONG, paint};
use super::table::{Tone, table};
use super::wrap::{count, wrap};
use crate::base::{Address, Cost};
use crate::engine::Bill;

/// From so many on, what `for_each` made and costs the same takes one line.
const FEWEST: usize = 3;

/// The table, the dearest first, with the sum below it.
#[must_use]
pub fn cost(bill: &Bill, width: usize) -> String {
    let mut text = format!("Stack {} in {}\n", paint(STRONG, &bill.stack), bill.region);
    let mut priced: Vec<_> = bill
        .lines
        .iter()
        .filter(|(_, cost)| !cost.is_free())
        .collect();
    priced.sort_by(|(_, a), (_, b)| b.usd.total_cmp(&a.usd));
    let free = bill.lines.len() - priced.len();
    let total = bill.total();
    if !priced.is_empty() {
        text.push('\n');
        text.push_str(&table(
            ["resource", "USD a month", "made of"],
            rows(&priced, &total),
            width,
        ));
    }
    text.push('\n');
    for line in sentences(&total, "", false, width) {
        text.push_str(&line);
        text.push('\n');
    }
    if free > 0 {
        let costs = if free == 1 { "costs" } else { "cost" };
        let _ = writeln!(text, "{} {costs} nothing.", count(free, "resource"));
    }
    if let Some(limit) = bill.limit {
        text.push_str(&limited(limit, &total, width));
    }
    text
}

fn limited(limit: f64, total: &Cost, width: usize) -> String {
    let (style, words) = if total.usd > limit {
        (BAD, "beyond")
    } else {
        (QUIET, "within")
    };
    let text = format!("That is {words} the limit of the playbook, {limit:.2} USD a month.");
    let lines = wrap(&text, width).into_iter();
    lines.map(|line| paint(style, line) + "\n").collect()
}

fn rows(mut priced: &[&(Address, Cost)], total: &Cost) -> Vec<[(String, Tone); 3]> {
    let width = format!("{:.2}", total.usd).len().max("USD a month".len());
    let mut rows = Vec::new();
    while let Some((address, cost)) = priced.first() {
        let alike = alike(priced);
        let (name, usd) = if alike >= FEWEST {
            let name = format!("{}.{} ({alike})", address.kind, address.split_key().0);
            (name, cost.clone().times(times(alike)))
        } else {
            (address.to_string(), cost.clone())
        };
        let each = alike >= FEWEST;
        priced = &priced[if each { alike } else { 1 }..];
        let shown = if usd.cents() == 0 && !usd.is_known() {
            ("unknown".to_owned(), Tone::Notable)
        } else if usd.cents() == 0 {
            ("by use".to_owned(), Tone::Plain)
        } else if usd.is_known() {
            (format!("{:.2}", usd.usd), Tone::Plain)
        } else {
            (format!("≥ {:.2}", usd.usd), Tone::Notable)
        };
        let shown = (format!("{:>width$}", shown.0), shown.1);
        rows.push([
            (name, Tone::Plain),
            shown,
            (made_of(cost, each), Tone::Quiet),
        ]);
    }
    rows
}

/// How many at the start came of one `for_each` and cost the same.
fn alike(priced: &[&(Address, Cost)]) -> usize {
    let Some((address, cost)) = priced.first() else {
        return 0;
    };
    let (name, key) = address.split_key();
    if key.is_none() {
        return 1;
    }
    let same = |(other, price): &(Address, Cost)| {
        other.kind == address.kind && other.split_key().0 == name && price == cost
    };
    priced.iter().take_while(|line| same(line)).count()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a playbook has far fewer resources"
)]
fn times(count: usize) -> f64 {
    count as f64
}

/// `ec2/t3a.small 14.89, ebs/gp3 2.64; by use: traffic; unknown: detailed monitoring`
fn made_of(cost: &Cost, each: bool) -> String {
    let items = cost.items.iter();
    let items: Vec<_> = items
        .map(|(item, usd)| format!("{item} {usd:.2}"))
        .collect();
    let mut parts = Vec::new();
    if !items.is_empty() {
        let each = if each { "each " } else { "" };
        parts.push(format!("{each}{}", items.join(", ")));
    }
    for (what, list) in [("by use", &cost.by_use), ("unknown", &cost.unknown)] {
        if !list.is_empty() {
            parts.push(format!("{what}: {}", list.join(", ")));
        }
    }
    parts.join("; ")
}
