//! `authorized_keys`: the SSH keys that may log in as a user.

use schemars::JsonSchema;
use serde::Deserialize;

use super::file::State;
use super::line_edit::joined;
use super::names::{self, Problem};
use super::placement::{unified, update};
use crate::base::{Result, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// SSH keys that may log in as a user.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizedKeys {
    /// The user, who must be there by then.
    user: String,
    /// Public keys, one line each: `ssh-ed25519 AAAA… name`.
    keys: Vec<String>,
    /// No other keys than these may log in.
    #[serde(default)]
    exclusive: bool,
    /// `absent` takes these keys away.
    #[serde(default)]
    #[schemars(extend("default" = "present"))]
    state: State,
}

impl AuthorizedKeys {
    fn wanted(&self, old: &str) -> String {
        let keys = || self.keys.iter().map(|key| key.trim());
        let mut lines: Vec<&str> = Vec::new();
        if !self.exclusive {
            lines.extend(old.lines());
        }
        match self.state {
            State::Absent => lines.retain(|line| !keys().any(|key| key == *line)),
            State::Present => {
                for key in keys() {
                    if !lines.contains(&key) {
                        lines.push(key);
                    }
                }
            }
        }
        joined(lines)
    }
}

impl Operation for AuthorizedKeys {
    const NAME: &'static str = "authorized_keys";

    fn label(&self) -> String {
        format!("authorized_keys of {}", self.user)
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(names::field("user", names::account(&self.user)));
        for (index, key) in self.keys.iter().enumerate() {
            let readable = ssh_key::PublicKey::from_openssh(key.trim()).is_ok();
            let problem = (!readable && !has_options(key)).then(|| {
                "this is not a public SSH key: copy the whole line of the `.pub` file".to_owned()
            });
            problems.extend(names::item("keys", index, problem));
        }
        if self.exclusive && self.state == State::Absent {
            let text = "`exclusive` keys cannot be absent".to_owned();
            problems.extend(names::field("exclusive", Some(text)));
        }
        problems
    }

    fn probe(&self, _target: Target<'_>) -> Result<Vec<Command>> {
        Ok(vec![Command::new(["tw_see_authorized_keys", &self.user])])
    }

    fn work(&self, _target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let text = facts.first().map(Fact::text).unwrap_or_default();
        let (home, old) = text.split_once('\n').unwrap_or(("~", ""));
        let new = self.wanted(old);
        if new.trim_end() == old.trim_end() {
            return Ok(Work::default());
        }
        let path = format!("{home}/.ssh/authorized_keys");
        let diff = Shown::Block(unified(&path, !old.is_empty(), old, &new));
        let keys = joined(self.keys.iter().map(|key| key.trim()));
        let note = (self.state == State::Present)
            .then(|| Command::new(["tw_note_keys", &self.user]).reading(keys.clone()));
        let command = match self.state {
            State::Present => {
                Command::new(["tw_authorize", &self.user, &self.exclusive.to_string()])
            }
            State::Absent => Command::new(["tw_unauthorize", &self.user]),
        };
        Ok(Work {
            changes: vec![update(&self.label(), Shown::Absent, diff)],
            commands: note.into_iter().chain([command.reading(keys)]).collect(),
            notifies: Vec::new(),
        })
    }
}

/// A line that begins with options (`from="10.0.0.0/8" ssh-ed25519 …`) is left to sshd to judge.
fn has_options(key: &str) -> bool {
    key.contains(" ssh-") || key.contains(" ecdsa-") || key.contains(" sk-")
}
