//! Entries that stand for more than themselves: what they stand for is put beside them, as if it was
//! written there.

use super::document::Document;
use super::load::Section;
use crate::base::node::Entry;
use crate::base::{Error, Errors, Node, Value};

/// What the others have from the entry: made for the same items, tagged and kept alike.
const SHARED: [&str; 4] = ["for_each", "protect", "keep", "tags"];

/// Expands every entry, also those that are made.
pub(super) fn expand(document: &mut Document, sections: &[Section], errors: &mut Errors) {
    let written = document.sections.iter();
    let written = written.flat_map(|(kind, entries)| entries.keys().map(move |name| (kind, name)));
    let mut open: Vec<(String, String)> = written
        .map(|(kind, name)| (kind.clone(), name.clone()))
        .collect();
    open.reverse();
    while let Some((kind, name)) = open.pop() {
        let Some(section) = sections.iter().find(|section| section.name == kind) else {
            continue;
        };
        let Some(entry) = document.sections.get(&kind).and_then(|it| it.get(&name)) else {
            continue;
        };
        let entry = entry.clone();
        let expanded = match (section.expand)(&name, &entry, &document.sections) {
            Ok(Some(expanded)) => expanded,
            Ok(None) => continue,
            Err(wrong) => {
                errors.0.extend(wrong.0);
                continue;
            }
        };
        for (other, its_name, mut spec) in expanded.others {
            share(&entry.node, &mut spec);
            let section = document.sections.entry(other.to_owned()).or_default();
            if let Some(there) = section.get(&its_name) {
                let text = format!("`{other}.{its_name}` is made by `{kind}.{name}`");
                let error = Error::playbook(text, &there.key_at);
                errors.push(error.hint("give this one another name"));
                continue;
            }
            let key_at = entry.key_at.clone();
            section.insert(its_name.clone(), Entry { key_at, node: spec });
            document.made.insert((other.to_owned(), its_name.clone()));
            open.push((other.to_owned(), its_name));
        }
        if let Some(section) = document.sections.get_mut(&kind) {
            let node = expanded.spec;
            section.insert(name, Entry { node, ..entry });
        }
    }
}

fn share(from: &Node, to: &mut Node) {
    let (Some(from), Value::Map(to)) = (from.as_map(), &mut to.value) else {
        return;
    };
    for key in SHARED {
        if let Some(entry) = from.get(key) {
            to.insert(key.to_owned(), entry.clone());
        }
    }
}
