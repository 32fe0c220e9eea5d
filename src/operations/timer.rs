//! `timer`: a command on a schedule, as a systemd timer with its service.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;

use super::file::State;
use super::mode::Mode;
use super::names::{self, Problem};
use super::placement::{Placement, update};
use super::seen_file;
use super::service;
use super::unit::{daemon_reload, unit_path};
use crate::base::{Node, Result, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// A command that systemd runs on a schedule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timer {
    /// Name of the timer and its service, without suffix.
    name: String,
    /// When, as systemd writes it: `daily`, `Mon..Fri 07:30`, `*:0/15` (systemd.time(7)).
    schedule: String,
    /// The command, one word per item; the first is an absolute path.
    command: Vec<String>,
    /// The user that it runs as; root when not given.
    user: Option<String>,
    /// Run at once at boot if a time was missed while the host was off.
    #[serde(default)]
    persistent: bool,
    /// Spread the start over so many seconds.
    randomized_delay_seconds: Option<u32>,
    /// `absent` removes the timer and its service.
    #[serde(default)]
    #[schemars(extend("default" = "present"))]
    state: State,
}

/// A word of `ExecStart=` (systemd.service(5), command lines).
fn quoted(word: &str) -> String {
    let mut text = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '%' | '$' => text.extend([c, c]),
            '\n' => text.push_str("\\n"),
            _ => text.push(c),
        }
    }
    text.push('"');
    text
}

impl Timer {
    fn timer_unit(&self) -> String {
        format!("{}.timer", self.name)
    }

    fn service_text(&self) -> String {
        let words: Vec<_> = self.command.iter().map(|word| quoted(word)).collect();
        let mut text = format!(
            "[Unit]\nDescription={} (on a schedule)\n\n[Service]\nType=oneshot\nExecStart={}\n",
            self.name,
            words.join(" ")
        );
        if let Some(user) = &self.user {
            let _ = writeln!(text, "User={user}");
        }
        text
    }

    fn timer_text(&self) -> String {
        let mut text = format!(
            "[Unit]\nDescription={} on schedule\n\n[Timer]\nOnCalendar={}\nPersistent={}\n",
            self.name, self.schedule, self.persistent
        );
        if let Some(seconds) = self.randomized_delay_seconds {
            let _ = writeln!(text, "RandomizedDelaySec={seconds}");
        }
        text + "\n[Install]\nWantedBy=timers.target\n"
    }

    fn paths(&self) -> [String; 2] {
        [
            unit_path(&format!("{}.service", self.name)),
            unit_path(&self.timer_unit()),
        ]
    }

    fn files<'a>(
        &self,
        [service, timer]: &'a [String; 2],
        target: Target<'_>,
    ) -> [Placement<'a>; 2] {
        let secret = target.node.entry("command").is_some_and(Node::has_secret);
        let file = |what, path, text: String| Placement {
            label: format!("timer {} {what}", self.name),
            path,
            content: Some(text.into()),
            secret,
            owner: Some("root"),
            group: Some("root"),
            mode: Some(if secret { Mode::PRIVATE } else { Mode::USUAL }),
            validate: Some("tw_verify_unit %s"),
            ..Placement::default()
        };
        let mut timer = file("schedule", timer, self.timer_text());
        // The timer names its service, which is not where the staged file is.
        timer.validate = None;
        [file("command", service, self.service_text()), timer]
    }

    fn removal(&self, paths: &[String; 2], facts: &[Fact]) -> Result<Work> {
        let mut work = Work::default();
        for (path, fact) in paths.iter().zip(facts) {
            if seen_file::read(fact)?.is_some() {
                work.commands.push(Command::new(["tw_remove", path]));
            }
        }
        if !work.commands.is_empty() {
            let unit = self.timer_unit();
            // 5: the unit is not loaded.
            let stop = [
                "tw_accept",
                "1,5",
                "systemctl",
                "disable",
                "--now",
                "--",
                &unit,
            ];
            work.commands.insert(0, Command::new(stop));
            work.commands.push(daemon_reload());
            let old = Shown::of("present");
            work.changes.push(update(&self.label(), old, Shown::Absent));
        }
        Ok(work)
    }
}

impl Operation for Timer {
    const NAME: &'static str = "timer";

    fn label(&self) -> String {
        format!("timer {}", self.name)
    }

    fn check(&self) -> Vec<Problem> {
        let absolute = self
            .command
            .first()
            .is_some_and(|word| word.starts_with('/'));
        let command = (!absolute).then(|| "the command begins with an absolute path".to_owned());
        let one_line = |text: &str| {
            (text.trim().is_empty() || text.contains('\n'))
                .then(|| "expected one line, such as `daily` or `Mon..Fri 07:30`".to_owned())
        };
        [
            names::field("name", names::unit(&self.name, true)),
            names::field("command", command),
            names::field("schedule", one_line(&self.schedule)),
            names::field("user", self.user.as_deref().and_then(names::account)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn probe(&self, target: Target<'_>) -> Result<Vec<Command>> {
        let paths = self.paths();
        let mut commands: Vec<_> = match self.state {
            State::Present => self
                .files(&paths, target)
                .iter()
                .map(Placement::probe)
                .collect(),
            State::Absent => paths
                .iter()
                .map(|path| seen_file::probe(path, Some(b"")))
                .collect(),
        };
        commands.push(service::probe(&self.timer_unit()));
        Ok(commands)
    }

    fn work(&self, target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let paths = self.paths();
        if self.state == State::Absent {
            return self.removal(&paths, facts);
        }
        let mut work = Work::default();
        for (index, file) in self.files(&paths, target).iter().enumerate() {
            let of_file = file.work(facts.get(index))?;
            work.changes.extend(of_file.changes);
            work.commands.extend(of_file.commands);
        }
        let written = !work.commands.is_empty();
        let text = facts.get(2).map(Fact::text).unwrap_or_default();
        let seen = service::Unit::read(&text);
        let unit = self.timer_unit();
        if written {
            let verify = Command::new(["tw_verify_schedule", &self.schedule]);
            work.commands.insert(0, verify);
            work.commands.push(daemon_reload());
        }
        if !(seen.is_running() && seen.is_enabled()) {
            let (old, new) = (Shown::of("not waiting"), Shown::of("waiting"));
            work.changes.push(update(&self.label(), old, new));
        }
        if !work.changes.is_empty() {
            work.commands
                .push(Command::new(["tw_service", "enable", &unit]));
            // Restarting a timer makes it wait anew, and does not run its command.
            work.commands
                .push(Command::new(["tw_service", "restart", &unit]));
        }
        Ok(work)
    }
}
