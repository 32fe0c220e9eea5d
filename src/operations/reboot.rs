//! `reboot`: a host that asks for it is started again.

use schemars::JsonSchema;
use serde::Deserialize;

use super::placement::update;
use crate::base::{Result, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// The function that restarts the host once its answer was heard.
const RESTART: &str = "tw_reboot";

/// A restart of the host where something asks for it, such as a new kernel. The apply waits until the
/// host is back, and goes on with the operations after this one. What an operation before this one
/// upgrades in the same apply may ask for it, too: then it comes last.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reboot {
    /// It is needed when this line for the shell succeeds, and no longer once the host has started
    /// again. Plans run it, too: it only looks. Without it, it is needed when the distribution says
    /// so: `/run/reboot-required`, or `needs-restarting -r` of dnf.
    only_if: Option<String>,
}

/// What comes next of the work on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// All of it.
    All,
    /// What is before a restart, which comes later.
    Before,
    /// The restart alone.
    Restart,
}

impl Turn {
    /// The work that comes next, and what it is.
    #[must_use]
    pub fn of(mut works: Vec<Work>) -> (Vec<Work>, Self) {
        let restarts = |command: &Command| command.argv.first().is_some_and(|it| it == RESTART);
        let first = works
            .iter()
            .position(|work| work.commands.iter().any(restarts));
        let Some(first) = first else {
            return (works, Self::All);
        };
        let before = works.iter().take(first);
        if before.clone().any(|work| !work.commands.is_empty()) {
            works.truncate(first);
            (works, Self::Before)
        } else {
            works.truncate(first + 1);
            (works, Self::Restart)
        }
    }
}

impl Operation for Reboot {
    const NAME: &'static str = "reboot";

    fn label(&self) -> String {
        Self::NAME.to_owned()
    }

    fn probe(&self, _target: Target<'_>) -> Result<Vec<Command>> {
        Ok(vec![match &self.only_if {
            Some(line) => Command::new(["sh", "-c", line]),
            None => Command::new(["tw_see_reboot"]),
        }])
    }

    fn work(&self, _target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let Some(fact) = facts.first().filter(|fact| fact.holds()) else {
            return Ok(Work::default());
        };
        let why = fact.text();
        let why = why.lines().next().unwrap_or_default().trim();
        let shown = match (&self.only_if, why) {
            (Some(_), _) | (None, "") => "now, and waited for".to_owned(),
            (None, why) => format!("now, and waited for: {why} asked for it"),
        };
        Ok(Work {
            changes: vec![update(&self.label(), Shown::Absent, Shown::of(shown))],
            commands: vec![Command::new([RESTART])],
            notifies: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(program: Option<&str>) -> Work {
        Work {
            commands: program.into_iter().map(|it| Command::new([it])).collect(),
            ..Work::default()
        }
    }

    #[test]
    fn a_restart_comes_alone_after_what_is_before_it() {
        let turn = |programs: &[Option<&str>]| {
            let (works, turn) = Turn::of(programs.iter().map(|it| work(*it)).collect());
            (works.len(), turn)
        };
        let restart = Some(RESTART);
        assert_eq!(turn(&[Some("a"), None, Some("b")]), (3, Turn::All));
        let before = turn(&[Some("a"), restart, Some("b")]);
        assert_eq!(before, (1, Turn::Before));
        let alone = turn(&[None, restart, Some("b"), restart]);
        assert_eq!(alone, (2, Turn::Restart));
    }
}
