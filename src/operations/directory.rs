//! `directory`: a directory with given owner and mode, or none.

use schemars::JsonSchema;
use serde::Deserialize;

use super::file::State;
use super::mode::Mode;
use super::names::Problem;
use super::placement::{self, attribute_changes, update};
use super::seen_file;
use crate::base::{Error, Result, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// A directory on the host; its parents are made as needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Absolute path on the host.
    path: String,
    /// Owner's name; root for a new one when not given.
    owner: Option<String>,
    /// Group's name; root for a new one when not given.
    group: Option<String>,
    /// Octal mode in quotes; "0755" for a new one when not given.
    mode: Option<Mode>,
    /// `absent` removes the directory if it is empty.
    #[serde(default)]
    #[schemars(extend("default" = "present"))]
    state: State,
    /// With `state: absent`: removes everything in it, too.
    #[serde(default)]
    recursive: bool,
}

impl Operation for Directory {
    const NAME: &'static str = "directory";

    fn label(&self) -> String {
        format!("directory {}", self.path)
    }

    fn check(&self) -> Vec<Problem> {
        let (owner, group) = (self.owner.as_ref(), self.group.as_ref());
        let mut problems = placement::check(&self.path, owner, group, None, None);
        if self.recursive && self.state == State::Present {
            problems.push((
                Vec::new(),
                "`recursive` belongs to `state: absent`".to_owned(),
            ));
        }
        if self.state == State::Absent && self.path.matches('/').count() < 2 {
            problems.push((Vec::new(), format!("`{}` will not be removed", self.path)));
        }
        problems
    }

    fn probe(&self, _target: Target<'_>) -> Result<Vec<Command>> {
        Ok(vec![seen_file::probe(&self.path, Some(b""))])
    }

    fn work(&self, _target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let seen = facts.first().map(seen_file::read).transpose()?.flatten();
        if seen.as_ref().is_some_and(|seen| !seen.is_directory) {
            return Err(Error::failed(format!(
                "`{}` on the host is not a directory",
                self.path
            )));
        }
        let mut work = Work::default();
        let wanted = (self.mode, self.owner.as_deref(), self.group.as_deref());
        match (self.state, &seen) {
            (State::Absent, None) => return Ok(work),
            (State::Absent, Some(_)) => {
                let how = if self.recursive {
                    "removed with its content"
                } else {
                    ""
                };
                let change = update(&self.label(), Shown::of("directory"), Shown::of(how));
                work.changes.push(change);
                let program: &[&str] = if self.recursive {
                    &["rm", "-rf"]
                } else {
                    &["rmdir"]
                };
                let words = program.iter().copied().chain(["--", &self.path]);
                work.commands.push(Command::new(words));
                return Ok(work);
            }
            (State::Present, None) => {
                let mode = Shown::of(self.mode.map_or("0755".to_owned(), |mode| mode.to_string()));
                work.changes
                    .push(update(&self.label(), Shown::Absent, mode));
            }
            (State::Present, Some(seen)) => {
                attribute_changes(&self.label(), seen, wanted, &mut work.changes);
            }
        }
        if !work.changes.is_empty() {
            let or_dash = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
            work.commands.push(Command::new([
                "tw_directory".to_owned(),
                self.path.clone(),
                self.mode
                    .map_or_else(|| "-".to_owned(), |mode| mode.to_string()),
                or_dash(&self.owner),
                or_dash(&self.group),
            ]));
        }
        Ok(work)
    }
}
