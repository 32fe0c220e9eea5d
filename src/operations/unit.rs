//! `unit`: a systemd unit of ours, whole or as a drop-in.

use schemars::JsonSchema;
use serde::Deserialize;

use super::file::State;
use super::mode::Mode;
use super::names::{self, Problem};
use super::placement::{self, Placement, update};
use super::seen_file;
use super::service;
use crate::base::{Node, Result, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// A systemd unit file under /etc/systemd/system; systemd is told of it at once. What runs already
/// goes on as it was started, unless `restart` names it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The unit's whole name, such as `app.service`.
    name: String,
    /// The content itself.
    content: Option<String>,
    /// A file to copy: relative to the playbook's folder or its `files/`.
    source: Option<String>,
    /// Name of a drop-in, such as `limits.conf`: then the content only adds to the unit.
    drop_in: Option<String>,
    /// Let `systemd-analyze verify` judge it before it is used.
    #[serde(default = "yes")]
    verify: bool,
    /// `absent` removes the file; a whole unit is stopped and disabled first.
    #[serde(default)]
    #[schemars(extend("default" = "present"))]
    state: State,
    /// Unit to reload, once, after all operations, when this changes something.
    reload: Option<String>,
    /// Unit to restart, once, after all operations, when this changes something.
    restart: Option<String>,
}

fn yes() -> bool {
    true
}

/// The path of a unit file of ours.
#[must_use]
pub(super) fn unit_path(name: &str) -> String {
    format!("/etc/systemd/system/{name}")
}

/// Makes systemd read its files again.
#[must_use]
pub(super) fn daemon_reload() -> Command {
    Command::new(["systemctl", "daemon-reload"])
}

impl Unit {
    fn path(&self) -> String {
        match &self.drop_in {
            None => unit_path(&self.name),
            Some(drop_in) => format!("{}.d/{drop_in}", unit_path(&self.name)),
        }
    }

    fn placement<'a>(
        &self,
        path: &'a str,
        validate: Option<&'a str>,
        target: Target<'_>,
    ) -> Result<Placement<'a>> {
        let (content, node) = match (&self.content, target.node.entry("source")) {
            (Some(text), _) => (text.as_str().into(), target.node.entry("content")),
            (None, Some(source)) => (target.render.file(source)?, Some(source)),
            (None, None) => ("".into(), None),
        };
        let secret = node.is_some_and(Node::has_secret);
        Ok(Placement {
            label: self.label(),
            path,
            content: Some(content),
            secret,
            owner: Some("root"),
            group: Some("root"),
            mode: Some(if secret { Mode::PRIVATE } else { Mode::USUAL }),
            validate,
            notifies: placement::notifies(self.reload.as_ref(), self.restart.as_ref()),
        })
    }

    fn validate(&self) -> Option<String> {
        self.verify.then(|| match self.drop_in {
            None => "tw_verify_unit %s".to_owned(),
            Some(_) => format!("tw_verify_unit {}", self.name),
        })
    }
}

impl Operation for Unit {
    const NAME: &'static str = "unit";

    fn label(&self) -> String {
        match &self.drop_in {
            None => format!("unit {}", self.name),
            Some(drop_in) => format!("unit {} {drop_in}", self.name),
        }
    }

    fn check(&self) -> Vec<Problem> {
        let unit = |name: &String| names::unit(name, true);
        let drop_in = self.drop_in.as_ref().and_then(|name| {
            let plain = name.strip_suffix(".conf").is_some()
                && !name.contains('/')
                && !name.starts_with('.');
            (!plain).then(|| format!("`{name}` is not a drop-in's name: it ends with `.conf`"))
        });
        let mut problems: Vec<_> = [
            names::field("name", names::unit(&self.name, false)),
            names::field("drop_in", drop_in),
            names::field("reload", self.reload.as_ref().and_then(unit)),
            names::field("restart", self.restart.as_ref().and_then(unit)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let text = match (self.state, &self.content, &self.source) {
            (State::Present, Some(_), Some(_)) => "give `content` or `source`, not both",
            (State::Present, None, None) => "give `content`, `source` or `state: absent`",
            _ => return problems,
        };
        problems.push((Vec::new(), text.to_owned()));
        problems
    }

    fn probe(&self, target: Target<'_>) -> Result<Vec<Command>> {
        let path = self.path();
        let file = match self.state {
            State::Present => self.placement(&path, None, target)?.probe(),
            State::Absent => seen_file::probe(&path, Some(b"")),
        };
        Ok(vec![file, service::probe(&self.name)])
    }

    fn work(&self, target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let path = self.path();
        let mut work = match self.state {
            State::Present => {
                let validate = self.validate();
                self.placement(&path, validate.as_deref(), target)?
                    .work(facts.first())?
            }
            State::Absent => self.removal(&path, facts)?,
        };
        let stale = facts
            .get(1)
            .is_some_and(|fact| fact.text().contains("NeedDaemonReload=yes"));
        if work.changes.is_empty() && stale {
            let label = format!("{} in systemd", self.label());
            let (old, new) = (Shown::of("an older version"), Shown::of("read again"));
            work.changes.push(update(&label, old, new));
            work.commands.push(daemon_reload());
        } else if !work.commands.is_empty() {
            work.commands.push(daemon_reload());
        }
        Ok(work)
    }
}

impl Unit {
    fn removal(&self, path: &str, facts: &[Fact]) -> Result<Work> {
        let Some(seen) = facts.first().map(seen_file::read).transpose()?.flatten() else {
            return Ok(Work::default());
        };
        let notifies = placement::notifies(self.reload.as_ref(), self.restart.as_ref());
        let mut commands = Vec::new();
        if self.drop_in.is_none() {
            // 5: the unit is not loaded.
            let stop = [
                "tw_accept",
                "1,5",
                "systemctl",
                "disable",
                "--now",
                "--",
                &self.name,
            ];
            commands.push(Command::new(stop));
        }
        commands.push(Command::new(["tw_remove", path]).args(notifies.clone()));
        let old = Shown::of(format!("{} bytes", seen.size));
        Ok(Work {
            changes: vec![update(&self.label(), old, Shown::Absent)],
            commands,
            notifies,
        })
    }
}
