//! Sets the stage for one resource: a spec from YAML, its tags, a world around it, files.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use tidewalk::aws::Tags;
use tidewalk::aws::tags::{Ownership, wanted};
use tidewalk::base::{Address, Blob, Error, Location, Node, Result, Source, World};
use tidewalk::contract::{Render, Target};

/// All that a [`Target`] refers to.
pub(crate) struct Stage {
    pub(crate) address: Address,
    pub(crate) at: Location,
    pub(crate) node: Node,
    pub(crate) world: World,
    pub(crate) tags: Tags,
    pub(crate) files: Files,
}

/// Files that the spec may name; others are read from the disk.
pub(crate) struct Files(pub(crate) BTreeMap<String, String>);

impl Render for Files {
    fn template(&self, source: &Node, _extra: &Json) -> Result<Node> {
        Err(Error::playbook("no templates on this stage", &source.at))
    }

    fn file(&self, source: &Node) -> Result<Blob> {
        let path = source.as_text().unwrap_or_default();
        match self.0.get(path) {
            Some(content) => Ok(content.as_str().into()),
            None => std::fs::read(path)
                .map(Into::into)
                .map_err(|cause| Error::playbook(format!("`{path}`: {cause}"), &source.at)),
        }
    }
}

impl Stage {
    pub(crate) fn new(
        stack: &str,
        address: &Address,
        spec: &Json,
        user: &BTreeMap<String, String>,
    ) -> Self {
        let at = Location::new(&Source::new("stage.yml", ""), 1, 1);
        let ownership = Ownership {
            stack,
            address,
            spec: Some("spec-hash"),
            lease_until: None,
            protect: false,
            keep: false,
        };
        Self {
            address: address.clone(),
            node: Node::from_json(&at, spec),
            at,
            world: World::default(),
            tags: wanted(&ownership, user),
            files: Files(BTreeMap::new()),
        }
    }

    pub(crate) fn target(&self) -> Target<'_> {
        Target {
            address: &self.address,
            at: &self.at,
            node: &self.node,
            world: &self.world,
            tags: &self.tags,
            render: &self.files,
        }
    }
}
