//! Walks a spec beside its JSON Schema and finds the fields with a meaning of their own: names of
//! other resources (`x-kind`, unless they match `x-kind-unless`) and template files (`x-template`).

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value as Json;

use crate::base::{Node, Value};

/// How deep alternatives and definitions may lead without going deeper into the spec.
const MOST_HOPS: usize = 32;

/// A field that the schema marks.
pub(super) enum Field<'a> {
    /// A text that names a resource of `kind`.
    Name {
        kind: &'a str,
        attaches: bool,
        node: &'a Node,
    },
    /// A text that names a template file; `beside` is the mapping that holds it.
    Template {
        node: &'a Node,
        beside: Option<&'a Node>,
    },
}

/// Patterns as the schema writes them, compiled.
pub(super) type Words = HashMap<String, Regex>;

/// Calls `visit` for every marked field; `words` are the schema's own, by [`words`].
pub(super) fn walk<'a>(
    node: &'a Node,
    schema: &'a Json,
    words: &'a Words,
    visit: &mut dyn FnMut(Field<'a>),
) {
    let walk = Walk {
        root: schema,
        words,
    };
    walk.node(node, None, schema, 0, visit);
}

struct Walk<'a> {
    root: &'a Json,
    words: &'a Words,
}

impl<'a> Walk<'a> {
    fn node(
        &self,
        node: &'a Node,
        beside: Option<&'a Node>,
        schema: &'a Json,
        hops: usize,
        visit: &mut dyn FnMut(Field<'a>),
    ) {
        if hops > MOST_HOPS {
            return;
        }
        if let Some(target) = schema.get("$ref").and_then(Json::as_str)
            && let Some(target) = target.strip_prefix('#')
            && let Some(target) = self.root.pointer(target)
        {
            self.node(node, beside, target, hops + 1, visit);
        }
        for alternatives in ["anyOf", "oneOf", "allOf"] {
            let list = schema.get(alternatives).and_then(Json::as_array);
            for alternative in list.into_iter().flatten() {
                self.node(node, beside, alternative, hops + 1, visit);
            }
        }
        match &node.value {
            Value::Text(_) => self.marked(node, beside, schema, visit),
            Value::List(list) => {
                let first = schema.get("prefixItems").and_then(Json::as_array);
                for (index, item) in list.iter().enumerate() {
                    let own = first.and_then(|first| first.get(index));
                    if let Some(schema) = own.or_else(|| schema.get("items")) {
                        self.node(item, beside, schema, 0, visit);
                    }
                }
            }
            Value::Map(map) => {
                let properties = schema.get("properties");
                for (key, entry) in map {
                    let own = properties.and_then(|properties| properties.get(key));
                    if let Some(schema) = own.or_else(|| schema.get("additionalProperties")) {
                        self.node(&entry.node, Some(node), schema, 0, visit);
                    }
                }
            }
            _ => {}
        }
    }

    fn marked(
        &self,
        node: &'a Node,
        beside: Option<&'a Node>,
        schema: &'a Json,
        visit: &mut dyn FnMut(Field<'a>),
    ) {
        let is = |mark: &str| schema.get(mark) == Some(&Json::Bool(true));
        if let Some(kind) = schema.get("x-kind").and_then(Json::as_str)
            && !self.is_word(node, schema)
        {
            visit(Field::Name {
                kind,
                attaches: is("x-attaches"),
                node,
            });
        }
        if is("x-template") {
            visit(Field::Template { node, beside });
        }
    }

    /// The text is a word of the field's own, which the schema tells by a pattern.
    fn is_word(&self, node: &Node, schema: &Json) -> bool {
        let pattern = schema.get("x-kind-unless").and_then(Json::as_str);
        let pattern = pattern.and_then(|pattern| self.words.get(pattern));
        let text = node.as_text().unwrap_or_default();
        pattern.is_some_and(|pattern| pattern.is_match(text))
    }
}

/// The patterns of all fields that take words beside names (`x-kind-unless`), compiled.
///
/// # Errors
/// A pattern that is none: a mistake in this program.
pub(super) fn words(schema: &Json) -> Result<Words, regex::Error> {
    let mut words = Words::new();
    let mut open = vec![schema];
    while let Some(part) = open.pop() {
        match part {
            Json::Object(map) => {
                if let Some(pattern) = map.get("x-kind-unless").and_then(Json::as_str) {
                    words.insert(pattern.to_owned(), Regex::new(pattern)?);
                }
                open.extend(map.values());
            }
            Json::Array(list) => open.extend(list),
            _ => {}
        }
    }
    Ok(words)
}
