//! Secret values that come from outside of the playbook, and how a change of one is noticed without
//! keeping it anywhere.

use std::io::{IsTerminal, Read, stdin};
use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::base::{Diff, Effect, Error, FieldChange, Node, Result, ResultExt, Secret, Shown, hex};
use crate::contract::Target;

/// Rounds of hashing: guesses at a weak value cost so much more.
const ROUNDS: usize = 10_000;

static STDIN: Mutex<Option<Secret>> = Mutex::new(None);

/// Where a value comes from; a last line break is left out
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ValueFrom {
    /// The environment variable of this name.
    Env(String),
    /// A file: relative to the playbook's folder, its `templates/` or `files/`.
    File(String),
    /// `true`: standard input, read once for all that want it.
    Stdin(bool),
}

impl ValueFrom {
    /// The value.
    ///
    /// # Errors
    /// A playbook error, when there is none there.
    pub fn read(&self, target: Target<'_>) -> Result<Secret> {
        let node = target.node.entry("value_from").unwrap_or(target.node);
        self.read_at(target, node)
    }

    /// The value of a source that is written at `node`.
    ///
    /// # Errors
    /// A playbook error, when there is none there.
    pub fn read_at(&self, target: Target<'_>, node: &Node) -> Result<Secret> {
        let missing = |text: String| Error::playbook(text, &node.at);
        let text = match self {
            Self::Env(name) => std::env::var(name)
                .map_err(|_| missing(format!("the environment variable `{name}` is not set")))?,
            Self::File(name) => {
                let path = node.entry("file").unwrap_or(node);
                let bytes = target.render.file(path)?.to_vec();
                let text = String::from_utf8(bytes);
                text.map_err(|_| missing(format!("the file `{name}` is no text")))?
            }
            Self::Stdin(_) => return standard_input().map_err(|error| error.at(&node.at)),
        };
        without_break(text).ok_or_else(|| missing("the value is empty".to_owned()))
    }

    /// What is wrong with it and can be told offline.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        (*self == Self::Stdin(false)).then_some("write `stdin: true`, or another source")
    }
}

fn standard_input() -> Result<Secret> {
    let mut read = STDIN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = &*read {
        return Ok(known.clone());
    }
    if stdin().is_terminal() {
        let error = Error::usage("a value comes from standard input, which is a terminal");
        return Err(error.hint("pipe it in: `pass show db | tidewalk apply … --yes`"));
    }
    let mut text = String::new();
    let done = stdin().lock().read_to_string(&mut text);
    done.context("reading standard input")?;
    let missing = || Error::usage("standard input is empty");
    let value = without_break(text).ok_or_else(missing)?;
    *read = Some(value.clone());
    Ok(value)
}

/// A value as it was written down: without one last line break; `None` when nothing else is there.
#[must_use]
pub fn without_break(mut text: String) -> Option<Secret> {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    (!text.is_empty()).then(|| Secret::from(text))
}

/// A salted hash of a value, as a tag keeps it: `SALT:HASH`.
///
/// # Errors
/// When the system has no random numbers.
pub fn fingerprint(value: &Secret) -> Result<String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| Error::failed(format!("the system has no random numbers: {error}")))?;
    Ok(salted(value, &hex(&salt)))
}

/// The fingerprint is of this value.
#[must_use]
pub fn is_of(fingerprint: &str, value: &Secret) -> bool {
    let salt = fingerprint.split(':').next().unwrap_or_default();
    salted(value, salt) == fingerprint
}

fn salted(value: &Secret, salt: &str) -> String {
    let mut hash = Sha256::digest(format!("{salt}\n{}", value.expose()));
    for _ in 1..ROUNDS {
        hash = Sha256::digest(hash);
    }
    format!("{salt}:{}", hex(&hash))
}

/// Adds that a hidden value changes.
#[must_use]
pub fn hidden_change(mut diff: Diff, field: &str) -> Diff {
    diff.changes.push(FieldChange {
        field: field.to_owned(),
        old: Shown::Hidden,
        new: Shown::Hidden,
        effect: Effect::Update,
    });
    diff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_its_value_from_others() {
        let value = |text: &str| Secret::from(text.to_owned());
        let first = fingerprint(&value("value-from-test")).unwrap();
        assert!(is_of(&first, &value("value-from-test")));
        assert!(!is_of(&first, &value("value-from-tesu")));
        assert_ne!(first, fingerprint(&value("value-from-test")).unwrap());
        assert!(first.len() < 200, "it fits a tag");
    }

    #[test]
    fn one_line_break_is_left_out() {
        let value = without_break("a\n\r\n".to_owned()).unwrap();
        assert_eq!(value.expose(), "a\n");
        assert!(without_break("\n".to_owned()).is_none());
    }
}
