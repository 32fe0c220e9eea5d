//! Text that must never be shown: it prints `•••`, and whatever prints asks [`redact`] first.

use std::fmt;
use std::sync::RwLock;

use serde::Deserialize;
use zeroize::Zeroizing;

/// What stands for a secret wherever it would be shown.
pub const MASK: &str = "•••";

/// Shorter texts are not searched for: they would blank out half of every message.
const SHORTEST_REDACTED: usize = 4;

static KNOWN: RwLock<Vec<Zeroizing<String>>> = RwLock::new(Vec::new());

/// A secret text. `Debug` and `Display` print `•••`; it is wiped from memory when dropped.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A text that is no secret but goes where secrets go: [`redact`] does not look for it.
    #[must_use]
    pub fn unremembered(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        remember(&text);
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Makes [`redact`] blank out `text` from now on, line by line.
pub fn remember(text: &str) {
    let Ok(mut known) = KNOWN.write() else { return };
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| line.len() >= SHORTEST_REDACTED)
    {
        if !known.iter().any(|secret| secret.as_str() == line) {
            known.push(Zeroizing::new(line.to_owned()));
        }
    }
}

/// `text` with every known secret replaced by `•••`.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut shown = text.to_owned();
    if let Ok(known) = KNOWN.read() {
        for secret in known.iter() {
            if shown.contains(secret.as_str()) {
                shown = shown.replace(secret.as_str(), MASK);
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_a_mask_and_is_blanked_out_elsewhere() {
        let secret = Secret::from("hunter2-base-test".to_owned());
        assert_eq!(format!("{secret} {secret:?}"), "••• •••");
        assert_eq!(
            redact("login with hunter2-base-test now"),
            "login with ••• now"
        );
    }
}
