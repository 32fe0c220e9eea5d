//! The proof that nothing is left: every resource asked for again, every listing empty.

use serde_json::{Value, json};

use crate::base::secret::redact;
use crate::base::{Address, Result};

/// The answer to "is it gone?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Gone, says its own service.
    Absent,
    /// Still there, with what holds it.
    Present(String),
    /// Left on purpose, and why.
    Kept(String),
    /// Goes away by itself, and when.
    Pending(String),
    /// Could not be answered, and why.
    Unknown(String),
}

impl Verdict {
    /// The word in receipts.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Present(_) => "present",
            Self::Kept(_) => "kept",
            Self::Pending(_) => "pending",
            Self::Unknown(_) => "UNKNOWN",
        }
    }

    /// What holds it, why it was kept, until when, or why it could not be answered.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Absent => "",
            Self::Present(detail)
            | Self::Kept(detail)
            | Self::Pending(detail)
            | Self::Unknown(detail) => detail,
        }
    }
}

/// One resource, or a part of one, that was asked for again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The resource, when it is known which.
    pub address: Option<Address>,
    /// What it is: `instance`, `volume`.
    pub noun: String,
    /// AWS's id.
    pub id: String,
    /// The answer.
    pub verdict: Verdict,
}

/// One listing that must come back empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What was listed: `everything tagged tidewalk:stack`.
    pub what: String,
    /// The answer.
    pub verdict: Verdict,
}

impl Listing {
    /// What a listing says that may have `left` something.
    pub(super) fn new(what: String, left: Result<Vec<String>>) -> Self {
        let verdict = match left {
            Ok(left) if left.is_empty() => Verdict::Absent,
            Ok(left) => Verdict::Present(left.join(", ")),
            Err(error) => Verdict::Unknown(error.message().to_owned()),
        };
        Self { what, verdict }
    }
}

/// The receipt of one destroy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Name of the stack.
    pub stack: String,
    /// AWS account number.
    pub account: String,
    /// AWS region.
    pub region: String,
    /// It is about the local sandbox, not AWS.
    pub sandbox: bool,
    /// When the last question was answered, RFC 3339.
    pub when: String,
    /// Everything known of, one by one.
    pub lines: Vec<Line>,
    /// What was listed.
    pub listings: Vec<Listing>,
}

impl Receipt {
    /// All verdicts, lines first.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        let lines = self.lines.iter().map(|line| &line.verdict);
        lines.chain(self.listings.iter().map(|listing| &listing.verdict))
    }

    /// Everything is absent or goes away by itself, and at least one listing says so.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        let gone = |verdict: &Verdict| matches!(verdict, Verdict::Absent | Verdict::Pending(_));
        !self.listings.is_empty() && self.verdicts().all(gone)
    }

    /// How many verdicts have this word.
    #[must_use]
    pub fn count(&self, word: &str) -> usize {
        self.verdicts()
            .filter(|verdict| verdict.word() == word)
            .count()
    }

    /// The receipt as a document, version 1.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "version": 1,
            "stack": self.stack,
            "account": self.account,
            "region": self.region,
            "sandbox": self.sandbox,
            "when": self.when,
            "proven": self.is_proven(),
            "lines": self.lines.iter().map(|line| json!({
                "address": line.address.as_ref().map(ToString::to_string),
                "noun": line.noun,
                "id": line.id,
                "verdict": line.verdict.word().to_lowercase(),
                "detail": redact(line.verdict.detail()),
            })).collect::<Vec<_>>(),
            "listings": self.listings.iter().map(|listing| json!({
                "what": listing.what,
                "verdict": listing.verdict.word().to_lowercase(),
                "detail": redact(listing.verdict.detail()),
            })).collect::<Vec<_>>(),
        })
    }
}
