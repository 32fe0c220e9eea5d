//! stub
#![allow(missing_docs, clippy::all, clippy::pedantic, unused)]
use crate::base::*;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::path::PathBuf;
pub struct Facts {
    pub region: String,
    pub account: String,
}
pub struct Reference {
    pub target: Address,
    pub at: Location,
    pub declared: bool,
    pub attaches: bool,
}
pub struct Declaration {
    pub address: Address,
    pub at: Location,
    pub body: Node,
    pub protect: bool,
    pub keep: bool,
    pub tags: BTreeMap<String, String>,
    pub references: Vec<Reference>,
}
pub struct Playbook {
    pub path: PathBuf,
    pub folder: PathBuf,
    pub stack: String,
    pub limits: BTreeMap<String, (u64, Location)>,
    pub declarations: IndexMap<Address, Declaration>,
}
impl Playbook {
    pub fn evaluate(&self, d: &Declaration, w: &World, f: &Facts) -> Result<Node> {
        Ok(d.body.clone())
    }
    pub fn evaluate_outputs(&self, w: &World, f: &Facts) -> Result<IndexMap<String, Node>> {
        Ok(IndexMap::new())
    }
    pub fn render_template(
        &self,
        d: &Declaration,
        s: &Node,
        extra: &serde_json::Value,
        w: &World,
        f: &Facts,
    ) -> Result<Node> {
        Ok(s.clone())
    }
    pub fn file(&self, s: &Node) -> Result<Vec<u8>> {
        Ok(vec![])
    }
}
