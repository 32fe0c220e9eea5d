//! The graph of a playbook, as DOT or as a document.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::base::Address;

/// Who stands on whom.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Name of the stack.
    pub stack: String,
    /// Every declared resource.
    pub nodes: Vec<Address>,
    /// From a resource to one it needs.
    pub edges: Vec<(Address, Address)>,
}

/// For Graphviz: a cluster for each kind, an arrow from a resource to each it needs.
#[must_use]
pub fn dot(graph: &Graph) -> String {
    let mut kinds: BTreeMap<&str, Vec<&Address>> = BTreeMap::new();
    for node in &graph.nodes {
        kinds.entry(&node.kind).or_default().push(node);
    }
    let mut text = format!(
        "digraph {} {{\n  rankdir=RL\n  node [shape=box, style=rounded, fontname=\"sans-serif\"]\n",
        quoted(&graph.stack)
    );
    for (kind, nodes) in kinds {
        let _ = write!(
            text,
            "  subgraph {} {{\n    label={}\n    color=gray\n",
            quoted(&format!("cluster_{kind}")),
            quoted(kind)
        );
        for node in nodes {
            let (id, label) = (quoted(&node.to_string()), quoted(&node.name));
            let _ = writeln!(text, "    {id} [label={label}]");
        }
        text.push_str("  }\n");
    }
    for (from, to) in &graph.edges {
        let (from, to) = (quoted(&from.to_string()), quoted(&to.to_string()));
        let _ = writeln!(text, "  {from} -> {to}");
    }
    text.push_str("}\n");
    text
}

/// As a document, version 1.
#[must_use]
pub fn document(graph: &Graph) -> Value {
    json!({
        "version": 1,
        "stack": graph.stack,
        "nodes": graph.nodes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "edges": graph.edges.iter().map(|(from, to)| json!({
            "from": from.to_string(),
            "to": to.to_string(),
        })).collect::<Vec<_>>(),
    })
}

/// A DOT string: only quotes and backslashes need care.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
