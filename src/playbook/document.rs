//! A playbook and all it includes, merged into settings, maps and sections; nothing evaluated.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::files::read_yaml;
use super::yaml;
use crate::base::node::Entry;
use crate::base::{Error, Errors, Location, Node, Sections, Source, Value, suggestion};

/// Settings that hold one value.
pub(super) const SETTINGS: [&str; 4] = ["stack", "account", "region", "lease"];
/// Settings that hold a mapping.
pub(super) const MAPS: [&str; 4] = ["tags", "limits", "vars", "outputs"];

/// What all the files say together.
#[derive(Default)]
pub(super) struct Document {
    /// The main file's text, for messages about what is missing.
    pub(super) source: Option<Arc<Source>>,
    pub(super) settings: IndexMap<String, Entry>,
    pub(super) maps: IndexMap<String, IndexMap<String, Entry>>,
    pub(super) sections: Sections,
    /// What nobody wrote: it is made by what somebody wrote, as section and name.
    pub(super) made: BTreeSet<(String, String)>,
}

impl Document {
    /// Reads `path` and what it includes. `sections` are the names of all sections there are.
    pub(super) fn read(path: &Path, sections: &[&str]) -> Result<Self, Errors> {
        let mut reading = Reading {
            document: Self::default(),
            sections,
            stack: Vec::new(),
            done: Vec::new(),
            errors: Errors::default(),
        };
        reading.file(path, None);
        reading.errors.into_result(reading.document)
    }

    /// Where to point when something is missing from the whole file.
    pub(super) fn start(&self) -> Location {
        match &self.source {
            Some(source) => Location::new(source, 1, 1),
            None => Location::nowhere("playbook"),
        }
    }

    /// The entries of one of [`MAPS`].
    pub(super) fn map(&self, name: &str) -> impl Iterator<Item = (&String, &Entry)> {
        self.maps.get(name).into_iter().flatten()
    }
}

struct Reading<'a> {
    document: Document,
    sections: &'a [&'a str],
    /// The files being read, each with the place that includes it.
    stack: Vec<(PathBuf, Option<Location>)>,
    done: Vec<PathBuf>,
    errors: Errors,
}

impl Reading<'_> {
    fn file(&mut self, path: &Path, at: Option<&Location>) {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if let Some(first) = self.stack.iter().position(|(open, _)| *open == real) {
            let message = format!("`{}` includes itself", path.display());
            let at = at.cloned().unwrap_or_else(|| self.document.start());
            let mut error = Error::playbook(message, &at);
            for (_, via) in self.stack.iter().skip(first + 1) {
                if let Some(via) = via {
                    error = error.note(format!("by way of {via}"));
                }
            }
            self.errors.push(error);
            return;
        }
        if self.done.contains(&real) {
            return;
        }
        let Some(source) = self.errors.keep(read_yaml(path, at)) else {
            return;
        };
        if self.document.source.is_none() {
            self.document.source = Some(Arc::clone(&source));
        }
        match yaml::parse(&source) {
            Ok(root) => {
                self.stack.push((real.clone(), at.cloned()));
                self.root(path, &source, root);
                self.stack.pop();
                self.done.push(real);
            }
            Err(errors) => self.errors.0.extend(errors.0),
        }
    }

    fn root(&mut self, path: &Path, source: &Arc<Source>, root: Node) {
        let map = match root.value {
            Value::Map(map) => map,
            Value::Null => {
                let start = Location::new(source, 1, 1);
                let error = Error::playbook(format!("`{}` is empty", path.display()), &start);
                self.errors
                    .push(error.hint("a playbook starts with `stack: NAME`"));
                return;
            }
            _ => {
                let message = format!("a playbook is a mapping, this is {}", root.type_name());
                self.errors.push(
                    Error::playbook(message, &root.at)
                        .hint("start with `stack: NAME` and add sections such as `instances:`"),
                );
                return;
            }
        };
        for (key, entry) in map {
            self.key(path, key, entry);
        }
    }

    fn key(&mut self, path: &Path, key: String, entry: Entry) {
        let name = key.as_str();
        if name == "include" {
            self.include(path, &entry.node);
        } else if SETTINGS.contains(&name) {
            let settings = std::mem::take(&mut self.document.settings);
            self.document.settings = self.put(settings, &key, key.clone(), entry);
        } else if MAPS.contains(&name) {
            let map = self.document.maps.shift_remove(name).unwrap_or_default();
            let map = self.merge(map, &key, entry.node);
            self.document.maps.insert(key, map);
        } else if self.sections.contains(&name) {
            let section = self
                .document
                .sections
                .shift_remove(name)
                .unwrap_or_default();
            let section = self.merge(section, &key, entry.node);
            self.document.sections.insert(key, section);
        } else {
            let mut known = vec!["include"];
            known.extend(SETTINGS);
            known.extend(MAPS);
            known.extend(self.sections);
            self.errors.push(
                Error::playbook(format!("unknown key `{key}`"), &entry.key_at)
                    .hint(suggestion::hint(&key, &known)),
            );
        }
    }

    fn merge(
        &mut self,
        mut into: IndexMap<String, Entry>,
        name: &str,
        node: Node,
    ) -> IndexMap<String, Entry> {
        match node.value {
            Value::Map(map) => {
                for (key, entry) in map {
                    into = self.put(into, &format!("{name}.{key}"), key, entry);
                }
            }
            Value::Null => {}
            _ => self.errors.push(Error::playbook(
                format!(
                    "`{name}` is a mapping from names, this is {}",
                    node.type_name()
                ),
                &node.at,
            )),
        }
        into
    }

    fn put(
        &mut self,
        mut into: IndexMap<String, Entry>,
        what: &str,
        key: String,
        entry: Entry,
    ) -> IndexMap<String, Entry> {
        if let Some(first) = into.get(&key) {
            self.errors.push(
                Error::playbook(format!("`{what}` is given twice"), &entry.key_at)
                    .note(format!("first given at {}", first.key_at)),
            );
        } else {
            into.insert(key, entry);
        }
        into
    }

    fn include(&mut self, path: &Path, node: &Node) {
        let single = std::slice::from_ref(node);
        for file in node.as_list().unwrap_or(single) {
            match file.as_text() {
                Some(name) => {
                    let folder = path.parent().unwrap_or(Path::new(""));
                    self.file(&folder.join(name), Some(&file.at));
                }
                None => self.errors.push(
                    Error::playbook(
                        format!("`include` takes file names, this is {}", file.type_name()),
                        &file.at,
                    )
                    .hint("write `include: [network.yml]`"),
                ),
            }
        }
    }
}
