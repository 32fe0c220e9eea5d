//! `file`: a file with given content, or none.

use schemars::JsonSchema;
use serde::Deserialize;

use super::mode::Mode;
use super::names::Problem;
use super::placement::{self, Placement, update};
use super::seen_file;
use crate::base::{Error, Node, Result, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// A file on the host, as given or absent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Absolute path on the host. Links are followed.
    path: String,
    /// The content itself.
    content: Option<String>,
    /// A file to copy: relative to the playbook's folder or its `files/`.
    source: Option<String>,
    /// `absent` removes the file.
    #[serde(default)]
    #[schemars(extend("default" = "present"))]
    state: State,
    /// Write it only where nothing is there yet: what is there stays as it is, whatever it holds.
    #[serde(default)]
    if_missing: bool,
    /// Owner's name; root for a new file when not given.
    owner: Option<String>,
    /// Group's name; root for a new file when not given.
    group: Option<String>,
    /// Octal mode in quotes. When not given: "0600" if a secret is in it, "0644" for a new file.
    mode: Option<Mode>,
    /// Command that must succeed before the file is replaced; `%s` stands for the new file. Without
    /// `%s` it runs right after the file was replaced, and the old one is put back if it fails.
    /// The files of sudo, sshd and fstab have one, and a `.json` file is JSON, where none is given.
    validate: Option<String>,
    /// Unit to reload, once, after all operations, when this changes something.
    reload: Option<String>,
    /// Unit to restart, once, after all operations, when this changes something.
    restart: Option<String>,
}

/// Whether something is to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there, as described.
    #[default]
    Present,
    /// It is not there.
    Absent,
}

impl File {
    fn placement(&self, target: Target<'_>) -> Result<Placement<'_>> {
        let (content, node) = match (&self.content, target.node.entry("source")) {
            (Some(text), _) => (text.as_str().into(), target.node.entry("content")),
            (None, Some(source)) => (target.render.file(source)?, Some(source)),
            (None, None) => ("".into(), None),
        };
        let secret = node.is_some_and(Node::has_secret);
        Ok(Placement {
            label: self.label(),
            path: &self.path,
            content: Some(content),
            secret,
            owner: self.owner.as_deref(),
            group: self.group.as_deref(),
            mode: placement::mode(self.mode, secret),
            validate: self.validate.as_deref(),
            notifies: placement::notifies(self.reload.as_ref(), self.restart.as_ref()),
        })
    }
}

impl Operation for File {
    const NAME: &'static str = "file";

    fn label(&self) -> String {
        format!("file {}", self.path)
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems = placement::check(
            &self.path,
            self.owner.as_ref(),
            self.group.as_ref(),
            self.reload.as_ref(),
            self.restart.as_ref(),
        );
        let given = self.content.is_some() || self.source.is_some();
        let text = match (self.state, &self.content, &self.source) {
            (State::Present, Some(_), Some(_)) => "give `content` or `source`, not both",
            (State::Present, None, None) => "give `content`, `source` or `state: absent`",
            (State::Absent, ..) if given => "an absent file has no content",
            (State::Absent, ..) if self.if_missing => "`if_missing` belongs to a file with content",
            _ => return problems,
        };
        problems.push((Vec::new(), text.to_owned()));
        problems
    }

    fn probe(&self, target: Target<'_>) -> Result<Vec<Command>> {
        Ok(vec![match self.state {
            State::Present if self.if_missing => Command::new(["test", "-e", &self.path]),
            State::Present => self.placement(target)?.probe(),
            State::Absent => seen_file::probe(&self.path, Some(b"")),
        }])
    }

    fn work(&self, target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        if self.if_missing && facts.first().is_some_and(Fact::holds) {
            return Ok(Work::default());
        }
        if self.state == State::Present {
            let fact = facts.first().filter(|_| !self.if_missing);
            return self.placement(target)?.work(fact);
        }
        let seen = facts.first().map(seen_file::read).transpose()?.flatten();
        let Some(seen) = seen else {
            return Ok(Work::default());
        };
        if seen.is_directory {
            return Err(
                Error::failed(format!("`{}` on the host is a directory", self.path))
                    .hint("remove it with the operation `directory`"),
            );
        }
        let notifies = placement::notifies(self.reload.as_ref(), self.restart.as_ref());
        Ok(Work {
            changes: vec![update(
                &self.label(),
                Shown::of(format!("{} bytes", seen.size)),
                Shown::Absent,
            )],
            commands: vec![Command::new(["tw_remove", &self.path]).args(notifies.clone())],
            notifies,
        })
    }
}
