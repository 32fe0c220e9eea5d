//! `service`: a systemd unit running, enabled, masked, or not.

use schemars::JsonSchema;
use serde::Deserialize;

use super::names::{self, Problem};
use super::placement::update;
use crate::base::{Result, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// The state of a systemd unit. What is not given stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The unit; a name without suffix is a service.
    name: String,
    /// It runs now.
    running: Option<bool>,
    /// It is started at boot.
    enabled: Option<bool>,
    /// It cannot be started at all.
    masked: Option<bool>,
}

/// What `systemctl show` tells.
#[derive(Debug, Default)]
pub(super) struct Unit<'a> {
    active: &'a str,
    sub: &'a str,
    file: &'a str,
}

/// The command that looks at a unit.
#[must_use]
pub(super) fn probe(unit: &str) -> Command {
    Command::new(["tw_see_unit", unit])
}

impl<'a> Unit<'a> {
    pub(super) fn read(text: &'a str) -> Self {
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .unwrap_or_default()
        };
        Self {
            active: value("ActiveState"),
            sub: value("SubState"),
            file: value("UnitFileState"),
        }
    }

    /// A unit that ends and is started again and again does not run.
    pub(super) fn is_running(&self) -> bool {
        ["active", "activating", "reloading"].contains(&self.active) && self.sub != "auto-restart"
    }

    /// Units that cannot be enabled (`static`) are started by others: good enough.
    pub(super) fn is_enabled(&self) -> bool {
        !["disabled", "masked", "masked-runtime", "bad", ""].contains(&self.file)
    }

    fn is_masked(&self) -> bool {
        self.file.starts_with("masked")
    }
}

impl Operation for Service {
    const NAME: &'static str = "service";

    fn label(&self) -> String {
        format!("service {}", self.name)
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems: Vec<_> = names::field("name", names::unit(&self.name, true))
            .into_iter()
            .collect();
        if self.masked == Some(true) && (self.running == Some(true) || self.enabled == Some(true)) {
            let text = "a masked unit can neither run nor be enabled".to_owned();
            problems.extend(names::field("masked", Some(text)));
        }
        if (self.running, self.enabled, self.masked) == (None, None, None) {
            let text = "give `running`, `enabled` or `masked`".to_owned();
            problems.push((Vec::new(), text));
        }
        problems
    }

    fn probe(&self, _target: Target<'_>) -> Result<Vec<Command>> {
        Ok(vec![probe(&names::whole_unit(&self.name))])
    }

    fn work(&self, _target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let text = facts.first().map(Fact::text).unwrap_or_default();
        let seen = Unit::read(&text);
        let unit = names::whole_unit(&self.name);
        let mut work = Work::default();
        let mut step = |field: &str, old: &str, new: &str, verb: &str| {
            let label = format!("{}{field}", self.label());
            work.changes
                .push(update(&label, Shown::of(old), Shown::of(new)));
            work.commands
                .push(Command::new(["tw_service", verb, &unit]));
        };
        if self.masked == Some(false) && seen.is_masked() {
            step(" masked", "masked", "not masked", "unmask");
        }
        if self.enabled == Some(true) && !seen.is_enabled() {
            step(" enabled", seen.file, "enabled", "enable");
        }
        if self.enabled == Some(false) && seen.is_enabled() {
            step(" enabled", seen.file, "disabled", "disable");
        }
        if self.running == Some(true) && !seen.is_running() {
            step("", seen.active, "running", "start");
        }
        if self.running == Some(false) && seen.is_running() {
            step("", seen.active, "stopped", "stop");
        }
        if self.masked == Some(true) && !seen.is_masked() {
            step(" masked", seen.file, "masked", "mask");
        }
        Ok(work)
    }
}
