//! `line`: one line in a text file, there or not.

use regex_lite::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::file::State;
use super::line_edit::Edit;
use super::names::{self, Problem};
use super::placement::{self, Placement, unified, update};
use super::seen_file;
use crate::base::{Error, Node, Result, ResultExt, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// One line of a text file on the host.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the playbook's word")]
pub struct Line {
    /// Absolute path on the host. A file that is not there is made.
    path: String,
    /// The whole line.
    line: String,
    /// Lines that it replaces (a regular expression): the first match becomes the line, others go.
    /// With `state: absent`, the lines to remove.
    regexp: Option<String>,
    /// A new line goes after the last line that matches this; else to the end.
    after: Option<String>,
    /// `absent` removes the line.
    #[serde(default)]
    #[schemars(extend("default" = "present"))]
    state: State,
    /// Command that must succeed before the file is replaced; `%s` stands for the new file. Without
    /// `%s` it runs right after the file was replaced, and the old one is put back if it fails.
    /// The files of sudo, sshd and fstab have one, and a `.json` file is JSON, where none is given.
    validate: Option<String>,
    /// Unit to reload, once, after all operations, when this changes something.
    reload: Option<String>,
    /// Unit to restart, once, after all operations, when this changes something.
    restart: Option<String>,
}

fn pattern(text: Option<&String>) -> Result<Option<Regex>> {
    text.map(|text| Regex::new(text).context(format!("`{text}`")))
        .transpose()
}

impl Line {
    fn edited(&self, old: &str) -> Result<String> {
        let (regexp, after) = (
            pattern(self.regexp.as_ref())?,
            pattern(self.after.as_ref())?,
        );
        let edit = Edit {
            line: &self.line,
            regexp: regexp.as_ref(),
            after: after.as_ref(),
        };
        Ok(match self.state {
            State::Present => edit.ensure(old),
            State::Absent => edit.remove(old),
        })
    }
}

impl Operation for Line {
    const NAME: &'static str = "line";

    fn label(&self) -> String {
        format!("line in {}", self.path)
    }

    fn check(&self) -> Vec<Problem> {
        let (reload, restart) = (self.reload.as_ref(), self.restart.as_ref());
        let mut problems = placement::check(&self.path, None, None, reload, restart);
        let broken =
            |text: Option<&String>| pattern(text).err().map(|error| error.message().to_owned());
        problems.extend(names::field("regexp", broken(self.regexp.as_ref())));
        problems.extend(names::field("after", broken(self.after.as_ref())));
        if self.line.contains('\n') {
            let text = "one line only: use `file` for more".to_owned();
            problems.extend(names::field("line", Some(text)));
        }
        if let (State::Present, Ok(Some(regexp))) = (self.state, pattern(self.regexp.as_ref()))
            && !regexp.is_match(&self.line)
        {
            let text = "`regexp` does not match `line`: the next run would add the line again";
            problems.extend(names::field("regexp", Some(text.to_owned())));
        }
        problems
    }

    fn probe(&self, _target: Target<'_>) -> Result<Vec<Command>> {
        Ok(vec![seen_file::probe(&self.path, None)])
    }

    fn work(&self, target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let seen = facts.first().map(seen_file::read).transpose()?.flatten();
        let (old, base) = match &seen {
            None => (Some(String::new()), "absent"),
            Some(seen) => {
                let content = seen.content.clone();
                let text = content.and_then(|content| String::from_utf8(content).ok());
                (text, seen.hash.as_str())
            }
        };
        let Some(old) = old else {
            return Err(Error::failed(format!(
                "`{}` on the host is not a text file of at most 256 KiB",
                self.path
            )));
        };
        let new = self.edited(&old)?;
        if new == old || (seen.is_none() && self.state == State::Absent) {
            return Ok(Work::default());
        }
        let shown = if target.node.entry("line").is_some_and(Node::has_secret) {
            Shown::Hidden
        } else {
            Shown::Block(unified(&self.path, seen.is_some(), &old, &new))
        };
        let notifies = placement::notifies(self.reload.as_ref(), self.restart.as_ref());
        let placement = Placement {
            path: &self.path,
            validate: self.validate.as_deref(),
            ..Placement::default()
        };
        // The file may come with a package earlier in the list: then the base is another, nothing
        // is written, and the second look makes the line from what is there.
        let command = Command::new(["tw_put_if", &self.path, base])
            .args(placement.attributes())
            .args(notifies.clone())
            .reading(new);
        Ok(Work {
            changes: vec![update(&self.label(), Shown::Absent, shown)],
            commands: vec![command],
            notifies,
        })
    }
}
