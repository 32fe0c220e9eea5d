//! One declared resource in the middle of a run: its spec evaluated with what is known now.

use crate::base::{Blob, Error, Errors, Node, Result, World};
use crate::contract::{Render, Target};
use crate::playbook::{Declaration, Facts, Playbook};

/// A declaration with its evaluated spec, from which targets are made.
pub(super) struct Scope<'a> {
    playbook: &'a Playbook,
    declaration: &'a Declaration,
    facts: &'a Facts,
    /// What expressions may read: outputs that are going to change are unknown.
    world: World,
    /// What kinds look at: everything as it is now.
    present: World,
    node: Node,
    tags: crate::contract::Tags,
}

impl<'a> Scope<'a> {
    /// Evaluates the declaration with `world`.
    ///
    /// # Errors
    /// A playbook error, when an expression cannot be evaluated.
    pub(super) fn new(
        playbook: &'a Playbook,
        declaration: &'a Declaration,
        facts: &'a Facts,
        world: World,
    ) -> Result<Self, Errors> {
        let node = playbook.evaluate(declaration, &world, facts)?;
        Ok(Self {
            playbook,
            declaration,
            facts,
            present: world.at_present(),
            world,
            node,
            tags: crate::contract::Tags::default(),
        })
    }

    /// The same with the tags that the resource should carry.
    #[must_use]
    pub(super) fn with_tags(mut self, tags: crate::contract::Tags) -> Self {
        self.tags = tags;
        self
    }

    /// The evaluated spec.
    #[must_use]
    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// What a kind is given.
    #[must_use]
    pub(super) fn target(&self) -> Target<'_> {
        Target {
            address: &self.declaration.address,
            at: &self.declaration.at,
            node: &self.node,
            world: &self.present,
            tags: &self.tags,
            render: self,
        }
    }
}

impl Render for Scope<'_> {
    fn template(&self, source: &Node, extra: &serde_json::Value) -> Result<Node> {
        self.playbook
            .render_template(self.declaration, &self.world, self.facts, source, extra)
    }

    fn file(&self, source: &Node) -> Result<Blob, Error> {
        self.playbook.file(source)
    }
}
