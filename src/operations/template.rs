//! `template`: a file rendered with the playbook's variables.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::mode::Mode;
use super::names::Problem;
use super::placement::{self, Placement};
use crate::base::node::Value;
use crate::base::{Error, Node, Result};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// A file on the host, rendered from a template.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The template: relative to the playbook's folder or its `templates/`.
    #[schemars(extend("x-template" = true))]
    #[expect(dead_code, reason = "read as a node, with its place")]
    source: String,
    /// Absolute path on the host. Links are followed.
    path: String,
    /// Values for this template only, laid over the playbook's own.
    #[serde(default)]
    #[expect(dead_code, reason = "read as a node")]
    vars: Map<String, Json>,
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

impl Template {
    fn placement(&self, target: Target<'_>) -> Result<Placement<'_>> {
        let rendered = render(target)?;
        let content = match &rendered.value {
            Value::AfterApply(_) => None,
            Value::Text(text) => Some(text.as_str().into()),
            _ => return Err(Error::playbook("the template did not give text", target.at)),
        };
        Ok(Placement {
            label: self.label(),
            path: &self.path,
            content,
            secret: rendered.has_secret(),
            owner: self.owner.as_deref(),
            group: self.group.as_deref(),
            mode: placement::mode(self.mode, rendered.has_secret()),
            validate: self.validate.as_deref(),
            notifies: placement::notifies(self.reload.as_ref(), self.restart.as_ref()),
        })
    }
}

/// The rendered text; secret if a secret went in by `vars`, too.
fn render(target: Target<'_>) -> Result<Node> {
    let Some(source) = target.node.entry("source") else {
        return Err(Error::playbook("missing `source`", target.at));
    };
    let vars = target.node.entry("vars");
    let extra = vars.map_or(Json::Object(Map::new()), Node::to_json);
    let mut rendered = target.render.template(source, &extra)?;
    rendered.secret |= vars.is_some_and(Node::has_secret);
    Ok(rendered)
}

impl Operation for Template {
    const NAME: &'static str = "template";

    fn label(&self) -> String {
        format!("template {}", self.path)
    }

    fn check(&self) -> Vec<Problem> {
        placement::check(
            &self.path,
            self.owner.as_ref(),
            self.group.as_ref(),
            self.reload.as_ref(),
            self.restart.as_ref(),
        )
    }

    fn probe(&self, target: Target<'_>) -> Result<Vec<Command>> {
        Ok(vec![self.placement(target)?.probe()])
    }

    fn work(&self, target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        self.placement(target)?.work(facts.first())
    }
}
