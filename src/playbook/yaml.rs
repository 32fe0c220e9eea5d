//! YAML text to located nodes: one document, no duplicate keys, bounded depth and aliases.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};
use indexmap::IndexMap;

use super::{misread, scalar};
use crate::base::node::Entry;
use crate::base::{Error, Errors, Location, Node, Source, Value};

/// Mappings and lists within each other, at most.
pub(super) const DEEPEST: usize = 100;

/// What aliases may add in all: one for each value, one for each byte of text.
const MOST_ALIASED: usize = 5_000_000;

/// Reads the one YAML document in `source`; nothing but comments is `null`.
pub(super) fn parse(source: &Arc<Source>) -> Result<Node, Errors> {
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    let mut tree = Tree {
        source,
        open: Vec::new(),
        root: None,
        anchors: HashMap::new(),
        aliased: 0,
        documents: 0,
        errors: Errors::default(),
    };
    for event in Parser::new_from_str_with_options(&source.text, options) {
        let step = match event {
            Ok((event, span)) => tree.take(event, &span),
            Err(error) => Err(misread::explain(source, &error)),
        };
        if let Err(error) = step {
            tree.errors.push(error);
            break;
        }
    }
    let empty = Node::new(&Location::new(source, 1, 1), Value::Null);
    tree.errors.into_result(tree.root.unwrap_or(empty))
}

/// A mapping or list that is not finished yet.
struct Open {
    at: Location,
    anchor: usize,
    what: What,
}

enum What {
    List(Vec<Node>),
    Map {
        map: IndexMap<String, Entry>,
        key: Option<(String, Location)>,
        merges: Vec<Node>,
    },
}

struct Tree<'a> {
    source: &'a Arc<Source>,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    documents: usize,
    errors: Errors,
}

impl Tree<'_> {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Error> {
        let at = self.place(span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Error::playbook("a second document starts here", &at)
                        .hint("keep one document in a file and use `include:` for more files"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                if self.wants_key() {
                    if anchor > 0 {
                        let node = Node::new(&at, Value::Text(text.to_string()));
                        self.anchors.insert(anchor, node);
                    }
                    self.key(text.into_owned(), style, at);
                } else {
                    let node = Node::new(&at, value(&text, style, tag.as_deref(), &at)?);
                    self.add(node, anchor)?;
                }
            }
            Event::SequenceStart(_, anchor, tag) => {
                known_tag(tag.as_deref(), "seq", &at)?;
                self.start(at, anchor, What::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                known_tag(tag.as_deref(), "map", &at)?;
                let map = What::Map {
                    map: IndexMap::new(),
                    key: None,
                    merges: Vec::new(),
                };
                self.start(at, anchor, map)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.finish()?,
            Event::Alias(anchor) => {
                if self.wants_key() {
                    return Err(Error::playbook("an alias cannot be a key", &at));
                }
                let node = self.alias(anchor, &at)?;
                self.add(node, 0)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn wants_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                what: What::Map { key: None, .. },
                ..
            })
        )
    }

    fn key(&mut self, text: String, style: ScalarStyle, at: Location) {
        let Some(Open {
            what: What::Map { map, key, .. },
            ..
        }) = self.open.last_mut()
        else {
            return;
        };
        if let Some(first) = map.get(&text) {
            self.errors.push(
                Error::playbook(format!("`{text}` is given twice"), &at)
                    .note(format!("first given at {}", first.key_at)),
            );
        }
        let merge = text == "<<" && style == ScalarStyle::Plain;
        *key = Some((if merge { String::new() } else { text }, at));
    }

    fn start(&mut self, at: Location, anchor: usize, what: What) -> Result<(), Error> {
        if self.open.len() >= DEEPEST {
            return Err(misread::too_deep(&at));
        }
        if self.wants_key() {
            return Err(Error::playbook("a key must be text", &at).hint(
                "put an expression in quotes: `\"{{ … }}\"`; bare braces are a YAML mapping",
            ));
        }
        self.open.push(Open { at, anchor, what });
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        let Some(Open { at, anchor, what }) = self.open.pop() else {
            return Ok(());
        };
        let value = match what {
            What::List(list) => Value::List(list.into()),
            What::Map {
                mut map, merges, ..
            } => {
                for merged in merges {
                    merge(&mut map, merged)?;
                }
                Value::Map(map.into())
            }
        };
        self.add(Node::new(&at, value), anchor)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Error> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.what) {
            None => self.root = Some(node),
            Some(What::List(list)) => list.push(node),
            Some(What::Map { map, key, merges }) => match key.take() {
                Some((key, _)) if key.is_empty() => merges.push(node),
                Some((key, key_at)) => {
                    map.entry(key).or_insert(Entry { key_at, node });
                }
                None => return Err(Error::playbook("a key must be text", &node.at)),
            },
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, at: &Location) -> Result<Node, Error> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(Error::playbook("this alias is part of what it names", at));
        };
        node.walk(&mut |part| self.aliased += 1 + part.as_text().map_or(0, str::len));
        if self.aliased > MOST_ALIASED {
            return Err(Error::playbook("aliases make this file too large", at)
                .hint("use `vars:` and `for_each:` instead of aliases of aliases"));
        }
        Ok(node.clone())
    }

    fn place(&self, span: &Span) -> Location {
        let at = misread::place(self.source, &span.start);
        let length = if span.start.line() == span.end.line() {
            span.len()
        } else {
            let line = self.source.from_line(at.line).unwrap_or_default();
            let line = line.lines().next().unwrap_or_default();
            line.trim_end()
                .chars()
                .count()
                .saturating_sub(at.column - 1)
        };
        at.with_length(length)
    }
}

/// `<<`: what the merged mapping has and `map` has not.
fn merge(map: &mut IndexMap<String, Entry>, merged: Node) -> Result<(), Error> {
    match merged.value {
        Value::Map(entries) => {
            for (key, entry) in entries {
                map.entry(key).or_insert(entry);
            }
            Ok(())
        }
        Value::List(list) => list.into_iter().try_for_each(|node| merge(map, node)),
        _ => Err(Error::playbook(
            format!("`<<` merges mappings, this is {}", merged.type_name()),
            &merged.at,
        )),
    }
}

fn value(text: &str, style: ScalarStyle, tag: Option<&Tag>, at: &Location) -> Result<Value, Error> {
    if let Some(tag) = tag {
        return match tag.core_suffix() {
            Some("str") => Ok(Value::Text(text.to_owned())),
            Some("int" | "float" | "bool" | "null") => Ok(scalar::resolve(text)),
            _ => Err(unknown_tag(tag, at)),
        };
    }
    Ok(match style {
        ScalarStyle::Plain => scalar::resolve(text),
        _ => Value::Text(text.to_owned()),
    })
}

fn known_tag(tag: Option<&Tag>, allowed: &str, at: &Location) -> Result<(), Error> {
    match tag {
        Some(tag) if tag.core_suffix() != Some(allowed) => Err(unknown_tag(tag, at)),
        _ => Ok(()),
    }
}

fn unknown_tag(tag: &Tag, at: &Location) -> Error {
    Error::playbook(
        format!("the YAML tag `{}` is not known", tag.original()),
        at,
    )
    .hint("leave the tag out; put text that starts with `!` in quotes")
}
