//! Random values, made on this machine.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{Error, Result, Secret};

const PLAIN: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SYMBOLS: &[u8] = b"!#$%&()*+,-./:;<=>?@[]^_{|}~";

/// How a random value is made
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// Characters, 8 to 4096
    #[serde(default = "usual")]
    #[schemars(range(min = 8, max = 4096))]
    pub length: usize,
    /// Also punctuation, not only letters and digits
    #[serde(default)]
    pub symbols: bool,
}

fn usual() -> usize {
    32
}

impl Generate {
    /// What is wrong with it.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let fits = (8..=4096).contains(&self.length);
        (!fits).then(|| {
            format!(
                "a random value has 8 to 4096 characters, not {}",
                self.length
            )
        })
    }

    /// What it says, as a tag keeps it.
    #[must_use]
    pub fn words(&self) -> String {
        let symbols = if self.symbols { " with symbols" } else { "" };
        format!("generated {}{symbols}", self.length)
    }

    /// Another one each time.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn value(&self) -> Result<Secret> {
        let symbols = if self.symbols { SYMBOLS } else { b"" };
        let alphabet = [PLAIN, symbols].concat();
        // Bytes beyond the last whole multiple would make the first characters likelier.
        let fair = 256 / alphabet.len() * alphabet.len();
        let mut text = String::with_capacity(self.length);
        let mut bytes = [0; 64];
        while text.len() < self.length {
            getrandom::fill(&mut bytes).map_err(|error| {
                Error::failed(format!("the system has no random numbers: {error}"))
            })?;
            let drawn = bytes.iter().map(|byte| usize::from(*byte));
            let drawn = drawn.filter(|number| *number < fair);
            let drawn = drawn.map(|number| char::from(alphabet[number % alphabet.len()]));
            text.extend(drawn.take(self.length - text.len()));
        }
        Ok(Secret::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_long_as_wanted_and_of_the_wanted_characters() {
        let of = |length, symbols| Generate { length, symbols }.value().unwrap();
        let plain = of(200, false);
        assert_eq!(plain.expose().len(), 200);
        assert!(
            plain
                .expose()
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric())
        );
        let rich = of(400, true);
        assert!(
            rich.expose()
                .bytes()
                .any(|byte| byte.is_ascii_punctuation())
        );
        assert_ne!(plain.expose(), of(200, false).expose());
    }
}
