//! `group`: a group, there or not.

use schemars::JsonSchema;
use serde::Deserialize;

use super::file::State;
use super::names::{self, Problem};
use super::placement::update;
use crate::base::{Result, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// A group on the host.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    name: String,
    /// Its number.
    gid: Option<u32>,
    /// A new one gets a number from the system's range.
    #[serde(default)]
    system: bool,
    /// `absent` removes the group.
    #[serde(default)]
    #[schemars(extend("default" = "present"))]
    state: State,
}

impl Operation for Group {
    const NAME: &'static str = "group";

    fn label(&self) -> String {
        format!("group {}", self.name)
    }

    fn check(&self) -> Vec<Problem> {
        names::field("name", names::account(&self.name))
            .into_iter()
            .collect()
    }

    fn probe(&self, _target: Target<'_>) -> Result<Vec<Command>> {
        Ok(vec![Command::new(["getent", "group", &self.name])])
    }

    fn work(&self, _target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let entry = facts.first().filter(|fact| fact.holds()).map(Fact::text);
        let seen = entry.and_then(|entry| entry.split(':').nth(2).map(str::to_owned));
        let wanted = self.gid.map(|gid| gid.to_string());
        let gid: Vec<_> = wanted.iter().flat_map(|gid| ["-g", gid.as_str()]).collect();
        let (old, new, command) = match (self.state, seen) {
            (State::Absent, None) => return Ok(Work::default()),
            (State::Absent, Some(seen)) => (
                Shown::of(format!("gid {seen}")),
                Shown::Absent,
                Command::new(["groupdel", &self.name]),
            ),
            (State::Present, None) => (
                Shown::Absent,
                Shown::of(
                    wanted
                        .as_ref()
                        .map_or("new".to_owned(), |gid| format!("gid {gid}")),
                ),
                Command::new(["tw_make", "group", "groupadd"])
                    .args(gid)
                    .args(self.system.then_some("-r"))
                    .arg(&self.name),
            ),
            (State::Present, Some(seen)) => match &wanted {
                Some(wanted) if *wanted != seen => (
                    Shown::of(format!("gid {seen}")),
                    Shown::of(format!("gid {wanted}")),
                    Command::new(["groupmod", "-g", wanted, &self.name]),
                ),
                _ => return Ok(Work::default()),
            },
        };
        Ok(Work {
            changes: vec![update(&self.label(), old, new)],
            commands: vec![command],
            notifies: Vec::new(),
        })
    }
}
