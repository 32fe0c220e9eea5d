//! Images of the playbook's own in the containers of a task, by their bare names.

use crate::base::node::Entry;
use crate::base::{Node, Sections, Value};

/// The spec with every image that `images` declares by what it is called in its repository; nothing
/// if it names none.
pub(super) fn named(spec: &Node, sections: &Sections) -> Option<Node> {
    let declared = sections.get("images")?;
    let mut spec = spec.clone();
    let mut found = false;
    let containers = map(map_of(&mut spec, "containers")?)?;
    for container in containers.values_mut() {
        let Some(image) = map_of(&mut container.node, "image") else {
            continue;
        };
        let Some(name) = image.as_text().filter(|it| declared.contains_key(*it)) else {
            continue;
        };
        image.value = Value::Text(format!("{{{{ images['{name}'].uri }}}}"));
        found = true;
    }
    found.then_some(spec)
}

fn map(node: &mut Node) -> Option<&mut indexmap::IndexMap<String, Entry>> {
    match &mut node.value {
        Value::Map(map) => Some(map),
        _ => None,
    }
}

fn map_of<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    Some(&mut map(node)?.get_mut(key)?.node)
}
