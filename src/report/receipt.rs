//! A receipt as text: what was asked, what was answered, and what that proves.

use jiff::Timestamp;

use super::style::{BAD, GOOD, STRONG, paint};
use super::table::{Tone, table};
use super::wrap::{count, wrap};
use crate::engine::{Receipt, Verdict};

/// The whole receipt, ending in its verdict.
#[must_use]
pub fn receipt(receipt: &Receipt, width: usize) -> String {
    let mut text = format!("{}\n", heading(receipt));
    if !receipt.lines.is_empty() {
        let mut previous = None;
        let rows = receipt.lines.iter().map(|line| {
            let repeated = line.address.is_some() && previous == line.address.as_ref();
            previous = line.address.as_ref();
            let address = match &line.address {
                Some(_) if repeated => String::new(),
                Some(address) => address.to_string(),
                None => "(not declared)".to_owned(),
            };
            [
                (address, Tone::Plain),
                (line.noun.clone(), Tone::Plain),
                (line.id.clone(), Tone::Quiet),
                answer(&line.verdict),
            ]
        });
        let rows = rows.collect();
        text.push('\n');
        text.push_str(&table(["asked again", "what", "id", "answer"], rows, width));
    }
    if !receipt.listings.is_empty() {
        let rows = receipt
            .listings
            .iter()
            .map(|listing| {
                [
                    (listing.what.clone(), Tone::Plain),
                    emptiness(&listing.verdict),
                ]
            })
            .collect();
        text.push('\n');
        text.push_str(&table(["listed", "answer"], rows, width));
    }
    let style = if receipt.is_proven() { GOOD } else { BAD };
    let (word, rest) = closing(receipt);
    let sentence = wrap(&format!("{word}: {rest}"), width).join("\n");
    let rest = &sentence[word.len()..];
    format!("{text}\n{}{rest}\n", paint(style.bold(), word))
}

/// `Receipt for stack de3 in eu-west-1, account 123456789012, 2026-11-24T09:12:03Z`.
fn heading(receipt: &Receipt) -> String {
    let stack = paint(STRONG, &receipt.stack);
    let place = if receipt.sandbox {
        "on the sandbox".to_owned()
    } else if receipt.account.is_empty() {
        "outside AWS".to_owned()
    } else {
        format!("in {}, account {}", receipt.region, receipt.account)
    };
    format!("Receipt for stack {stack} {place}, {}", when(receipt))
}

/// When it was made, to the second.
#[must_use]
pub fn when(receipt: &Receipt) -> String {
    let parsed = receipt.when.parse::<Timestamp>();
    let second = parsed.and_then(|time| Timestamp::from_second(time.as_second()));
    second.map_or_else(|_| receipt.when.clone(), |time| time.to_string())
}

/// What the receipt proves, in a word, and why, in a sentence.
#[must_use]
pub fn closing(receipt: &Receipt) -> (&'static str, String) {
    let (asked, listed) = (
        count(receipt.lines.len(), "resource"),
        count(receipt.listings.len(), "listing"),
    );
    if receipt.is_proven() {
        let rest = format!(
            "{asked} asked again, {listed} made; nothing of stack {} is left.",
            receipt.stack
        );
        return ("Proven", rest);
    }
    if receipt.listings.is_empty() {
        return (
            "Not proven",
            "the account was not listed for the rest of the stack.".to_owned(),
        );
    }
    let mut reasons = Vec::new();
    for (word, meaning) in [
        ("UNKNOWN", "could not be answered, which proves nothing"),
        ("present", "still there"),
        ("kept", "kept on purpose"),
        ("pending", "going away later by itself"),
    ] {
        match receipt.count(word) {
            0 => {}
            number => reasons.push(format!("{number} {meaning}")),
        }
    }
    let rest = format!("of {asked} and {listed}, {}.", reasons.join("; "));
    ("Not proven", rest)
}

fn answer(verdict: &Verdict) -> (String, Tone) {
    let text = match verdict.detail() {
        "" => verdict.word().to_owned(),
        detail => format!("{}: {detail}", verdict.word()),
    };
    (text, tone(verdict))
}

fn emptiness(verdict: &Verdict) -> (String, Tone) {
    match verdict {
        Verdict::Absent => ("empty".to_owned(), Tone::Good),
        _ => answer(verdict),
    }
}

fn tone(verdict: &Verdict) -> Tone {
    match verdict {
        Verdict::Absent => Tone::Good,
        Verdict::Kept(_) | Verdict::Pending(_) => Tone::Notable,
        Verdict::Present(_) | Verdict::Unknown(_) => Tone::Bad,
    }
}
