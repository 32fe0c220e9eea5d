//! A YAML value that knows where it was written; expressions in it may be evaluated or not yet.

use indexmap::IndexMap;

use super::{Location, Shared, secret};

/// A value and the place it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where the value starts.
    pub at: Location,
    /// The value.
    pub value: Value,
    /// An expression that reads a secret made this value: it is never shown.
    pub secret: bool,
}

/// What a [`Node`] holds. A text may still contain `{{ }}` before evaluation.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(String),
    /// A sequence.
    List(Shared<Vec<Node>>),
    /// A mapping, in the order it was written.
    Map(Shared<IndexMap<String, Entry>>),
    /// An expression whose value is known only after other resources were applied, as written.
    AfterApply(String),
}

/// A mapping's value, with the place of its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where the key was written.
    pub key_at: Location,
    /// The value.
    pub node: Node,
}

/// One step from a node to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a sequence, from 0.
    Index(usize),
}

impl Node {
    /// A value that is no secret.
    #[must_use]
    pub fn new(at: &Location, value: Value) -> Self {
        Self {
            at: at.clone(),
            value,
            secret: false,
        }
    }

    /// The value of `key`, if this is a mapping that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Node> {
        self.as_map()
            .and_then(|map| map.get(key))
            .map(|entry| &entry.node)
    }

    /// The mapping, if this is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&IndexMap<String, Entry>> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The sequence, if this is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The part that `path` leads to, or the deepest one on the way.
    #[must_use]
    pub fn follow(&self, path: &[Step]) -> &Node {
        let mut node = self;
        for step in path {
            let next = match (step, &node.value) {
                (Step::Key(key), Value::Map(map)) => map.get(key).map(|entry| &entry.node),
                (Step::Index(index), Value::List(list)) => list.get(*index),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// Calls `visit` for this node and every node in it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        visit(self);
        match &self.value {
            Value::List(list) => list.iter().for_each(|node| node.walk(visit)),
            Value::Map(map) => map.values().for_each(|entry| entry.node.walk(visit)),
            _ => {}
        }
    }

    /// Some part is known only after other resources were applied.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        let mut found = false;
        self.walk(&mut |node| found |= matches!(node.value, Value::AfterApply(_)));
        found
    }

    /// Some part was made from a secret.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        let mut found = false;
        self.walk(&mut |node| found |= node.secret);
        found
    }

    /// What kind of value this is, in the words of an error message.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true/false",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::AfterApply(_) => "a value known after apply",
        }
    }

    /// As JSON, secrets in the clear: for computing with, never for showing.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.json(false)
    }

    /// As JSON to show: secrets masked, unknown values as `(known after apply)`.
    #[must_use]
    pub fn to_shown_json(&self) -> serde_json::Value {
        self.json(true)
    }

    fn json(&self, shown: bool) -> serde_json::Value {
        if shown && self.secret {
            return secret::MASK.into();
        }
        match &self.value {
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(value) => value.as_str().into(),
            Value::List(list) => list.iter().map(|node| node.json(shown)).collect(),
            Value::Map(map) => {
                let entries = map
                    .iter()
                    .map(|(key, entry)| (key.clone(), entry.node.json(shown)));
                serde_json::Value::Object(entries.collect())
            }
            Value::AfterApply(_) if shown => "(known after apply)".into(),
            Value::Null | Value::AfterApply(_) => serde_json::Value::Null,
        }
    }

    /// A node for a JSON value, every part placed at `at`.
    #[must_use]
    pub fn from_json(at: &Location, json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(value) => Value::Int(value),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(list) => {
                Value::List(list.iter().map(|json| Self::from_json(at, json)).collect())
            }
            Json::Object(map) => Value::Map(
                map.iter()
                    .map(|(key, json)| {
                        (
                            key.clone(),
                            Entry {
                                key_at: at.clone(),
                                node: Self::from_json(at, json),
                            },
                        )
                    })
                    .collect(),
            ),
        };
        Self::new(at, value)
    }
}
