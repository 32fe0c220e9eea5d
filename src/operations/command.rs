//! `command`: a command that runs until what it is for is there.

use schemars::JsonSchema;
use serde::Deserialize;

use super::names::{self, Problem};
use super::placement::update;
use crate::base::{Error, Node, Result, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh;

/// A command. One of `creates`, `unless` and `only_if` tells whether it is still needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// What it is for, in a few words; plans show this in place of the command.
    about: Option<String>,
    /// The program and its arguments, one word per item.
    argv: Option<Vec<String>>,
    /// Lines for the shell instead; the first that fails ends it.
    shell: Option<String>,
    /// It is not needed when this path is there.
    creates: Option<String>,
    /// It is not needed when this line for the shell succeeds. Plans run it, too: it only looks.
    unless: Option<String>,
    /// It is needed only when this line for the shell succeeds. Plans run it, too: it only looks.
    only_if: Option<String>,
    /// Lines for the shell that take it back. The host runs them by itself unless a new connection works
    /// within a minute, so give it for what can cut tidewalk off (a firewall, the network); and
    /// `destroy` runs them on a host that stays.
    undo: Option<String>,
    /// The user that it runs as; root when not given.
    user: Option<String>,
    /// The directory that it runs in.
    folder: Option<String>,
}

impl Command {
    fn shown(&self) -> String {
        match (&self.argv, &self.shell) {
            _ if self.about.is_some() => self.about.clone().unwrap_or_default(),
            (Some(argv), _) => argv.join(" "),
            (None, Some(shell)) => shell.trim_end().to_owned(),
            (None, None) => String::new(),
        }
    }

    /// The command, as the user and in the folder that are wanted.
    fn wrapped(&self, inner: Vec<String>) -> ssh::Command {
        let mut words: Vec<String> = Vec::new();
        if let Some(user) = &self.user {
            words.extend(["runuser", "-u", user, "--"].map(str::to_owned));
        }
        if let Some(folder) = &self.folder {
            words.extend(["env", "-C", folder, "--"].map(str::to_owned));
        }
        ssh::Command::new(words.into_iter().chain(inner))
    }

    fn shell_line(&self, line: &str) -> ssh::Command {
        self.wrapped(vec!["sh".to_owned(), "-c".to_owned(), line.to_owned()])
    }
}

impl Operation for Command {
    const NAME: &'static str = "command";

    fn label(&self) -> String {
        let shown = self.shown();
        let first = shown.lines().next().unwrap_or_default();
        let short: String = first.chars().take(60).collect();
        format!("command {short}")
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems: Vec<_> = [
            names::field("creates", self.creates.as_deref().and_then(names::path)),
            names::field("folder", self.folder.as_deref().and_then(names::path)),
            names::field("user", self.user.as_deref().and_then(names::account)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let mut problem = |text: &str| problems.push((Vec::new(), text.to_owned()));
        match (&self.argv, &self.shell) {
            (Some(argv), None) if argv.is_empty() => problem("`argv` is empty"),
            (Some(_), None) | (None, Some(_)) => {}
            _ => problem("give either `argv` or `shell`"),
        }
        if self.creates.is_none() && self.unless.is_none() && self.only_if.is_none() {
            problem(
                "give `creates`, `unless` or `only_if`: without one the command would run each time",
            );
        }
        problems
    }

    fn probe(&self, _target: Target<'_>) -> Result<Vec<ssh::Command>> {
        let creates = self
            .creates
            .as_ref()
            .map(|path| ssh::Command::new(["test", "-e", path]));
        let unless = self.unless.as_ref().map(|line| self.shell_line(line));
        let only_if = self.only_if.as_ref().map(|line| self.shell_line(line));
        Ok([creates, unless, only_if].into_iter().flatten().collect())
    }

    fn work(&self, target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let mut facts = facts.iter();
        let mut holds = |given: bool| given.then(|| facts.next().is_some_and(Fact::holds));
        let creates = holds(self.creates.is_some());
        let unless = holds(self.unless.is_some());
        let only_if = holds(self.only_if.is_some());
        if creates == Some(true) || unless == Some(true) || only_if == Some(false) {
            return Ok(Work::default());
        }
        let secret = |key: &str| target.node.entry(key).is_some_and(Node::has_secret);
        if secret("argv") {
            return Err(Error::playbook(
                "a secret in `argv` could be seen by every user of the host",
                target.at,
            )
            .hint("use `shell`, which is passed out of sight"));
        }
        let command = match (&self.argv, &self.shell) {
            (Some(argv), _) => self.wrapped(argv.clone()),
            (None, shell) => {
                let lines = shell.as_deref().unwrap_or_default();
                // Read whole before it runs, and its commands do not read the lines after them.
                let script = format!("{{\n{lines}\n}} </dev/null\n");
                self.wrapped(vec!["sh".to_owned(), "-es".to_owned()])
                    .reading(script)
            }
        };
        let shown = match self.shown() {
            _ if secret("shell") => Shown::Hidden,
            text if text.contains('\n') => Shown::Block(text),
            text => Shown::of(text),
        };
        let hidden = secret("shell") || secret("about");
        let note = (!hidden || self.undo.is_some()).then(|| {
            let label = if hidden { "(hidden)" } else { &self.shown() };
            let label = label.lines().next().unwrap_or_default();
            let undo = self.undo.clone().unwrap_or_default();
            ssh::Command::new(["tw_note_command", label]).reading(undo)
        });
        let undo = self.undo.as_ref().map(|lines| {
            let script = format!("# {}\n{lines}\n", self.label());
            ssh::Command::new(["tw_on_undo"]).reading(script)
        });
        Ok(Work {
            changes: vec![update(&self.label(), Shown::Absent, shown)],
            commands: note.into_iter().chain(undo).chain([command]).collect(),
            notifies: Vec::new(),
        })
    }
}
