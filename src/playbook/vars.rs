//! Variables as the playbook declares them, and what fits them.

use super::yaml;
use crate::base::node::Entry;
use crate::base::{Error, Errors, Location, Node, Result, Source, Value, suggestion};

/// The prefix of environment variables that give variables a value.
pub(super) const PREFIX: &str = "TIDEWALK_VAR_";

const KEYS: [&str; 4] = ["description", "default", "secret", "type"];
const TYPES: [&str; 5] = ["text", "number", "bool", "list", "map"];

/// A variable as the playbook declares it.
pub(super) struct Variable {
    pub(super) at: Location,
    description: Option<String>,
    pub(super) default: Option<Node>,
    pub(super) secret: bool,
    kind: Option<String>,
}

/// Reads one entry of `vars:`; a plain value is short for a default.
pub(super) fn declare(name: &str, entry: &Entry, errors: &mut Errors) -> Option<Variable> {
    let identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if !identifier {
        errors.push(
            Error::playbook(format!("`{name}` cannot name a variable"), &entry.key_at)
                .hint("use letters, digits, `_` and `-`, and start with a letter"),
        );
        return None;
    }
    let mut variable = Variable {
        at: entry.key_at.clone(),
        description: None,
        default: None,
        secret: false,
        kind: None,
    };
    match &entry.node.value {
        Value::Null => {}
        Value::Map(map) => {
            for (key, entry) in map {
                errors.keep(variable.set(name, key, entry));
            }
        }
        _ => variable.default = Some(entry.node.clone()),
    }
    if let (true, Some(default)) = (variable.secret, &variable.default) {
        let from_env = default.as_text().is_some_and(|text| text.contains("env."));
        if !from_env {
            errors.push(
                Error::playbook(
                    format!("the secret `{name}` cannot have a default"),
                    &default.at,
                )
                .hint(format!(
                    "take it out of the file and set {}",
                    env_name(name)
                )),
            );
        }
    }
    Some(variable)
}

impl Variable {
    fn set(&mut self, name: &str, key: &str, entry: &Entry) -> Result<()> {
        let node = &entry.node;
        match key {
            "description" => self.description = node.as_text().map(str::to_owned),
            "default" => self.default = Some(node.clone()),
            "secret" => {
                let Value::Bool(secret) = node.value else {
                    let message = format!(
                        "`secret` is `true` or `false`, this is {}",
                        node.type_name()
                    );
                    return Err(Error::playbook(message, &node.at));
                };
                self.secret = secret;
            }
            "type" => match node.as_text() {
                Some(kind) if TYPES.contains(&kind) => self.kind = Some(kind.to_owned()),
                _ => {
                    let typed = node.as_text().unwrap_or_default();
                    return Err(Error::playbook("this is no type of a variable", &node.at)
                        .hint(suggestion::hint(typed, &TYPES)));
                }
            },
            _ => {
                let unknown = Error::playbook(
                    format!("unknown key `{key}` in the variable `{name}`"),
                    &entry.key_at,
                );
                return Err(match suggestion::nearest(key, KEYS) {
                    Some(near) => unknown.hint(format!("did you mean `{near}`?")),
                    None => unknown.hint("a mapping as the value goes under `default:`"),
                });
            }
        }
        Ok(())
    }

    /// What it is for.
    pub(super) fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    fn wants(&self) -> Option<&str> {
        match (&self.kind, &self.default) {
            (Some(kind), _) => Some(kind),
            (None, _) if self.secret => Some("text"),
            (None, Some(default)) if default.as_text().is_some_and(super::tokens::is_template) => {
                None
            }
            (None, Some(default)) => kind_of(default),
            (None, None) => None,
        }
    }

    /// `node` if it is of the type that the variable has.
    pub(super) fn fit(&self, name: &str, node: Node) -> Result<Node> {
        let (Some(wanted), Some(given)) = (self.wants(), kind_of(&node)) else {
            return Ok(node);
        };
        match (&node.value, wanted) {
            _ if wanted == given => Ok(node),
            (Value::Int(number), "text") => Ok(Node {
                value: Value::Text(number.to_string()),
                ..node
            }),
            _ => {
                let message = format!(
                    "the variable `{name}` is {}, this is {}",
                    in_words(wanted),
                    node.type_name()
                );
                Err(Error::playbook(message, &node.at).note(format!("declared at {}", self.at)))
            }
        }
    }

    /// Text from the command line or the environment, read as YAML unless text is wanted.
    pub(super) fn read(&self, origin: &str, text: &str) -> Result<Node, Errors> {
        let source = Source::new(origin, text);
        let nowhere = Location::nowhere(origin);
        let as_text = || Node::new(&nowhere, Value::Text(text.to_owned()));
        if self.wants() == Some("text") {
            return Ok(as_text());
        }
        let mut node = match yaml::parse(&source) {
            Ok(node) => node,
            Err(_) if self.wants().is_none() => return Ok(as_text()),
            Err(errors) => return Err(errors),
        };
        unplace(&mut node, &nowhere);
        // `1.10` is a version more often than a number.
        let kept = match (&node.value, self.wants()) {
            (Value::Float(number), None) => number.to_string() == text,
            (Value::Null | Value::Map(_), None) => text.starts_with(['{', '~']) || text == "null",
            _ => true,
        };
        Ok(if kept { node } else { as_text() })
    }

    pub(super) fn missing(&self, name: &str) -> Error {
        let error = Error::playbook(format!("the variable `{name}` has no value"), &self.at);
        let error = match &self.description {
            Some(description) => error.note(format!("{name}: {description}")),
            None => error,
        };
        error.hint(if self.secret {
            format!(
                "set {}, or put it in a file for `--vars-file`",
                env_name(name)
            )
        } else {
            format!(
                "give it with `--var {name}=VALUE`, `--vars-file` or {}",
                env_name(name)
            )
        })
    }
}

/// The environment variable that gives `name` its value; it may be in upper case, too.
pub(super) fn env_name(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('-', "_"))
}

fn unplace(node: &mut Node, nowhere: &Location) {
    node.at = nowhere.clone();
    match &mut node.value {
        Value::List(list) => list.iter_mut().for_each(|item| unplace(item, nowhere)),
        Value::Map(map) => map.values_mut().for_each(|entry| {
            entry.key_at = nowhere.clone();
            unplace(&mut entry.node, nowhere);
        }),
        _ => {}
    }
}

fn kind_of(node: &Node) -> Option<&'static str> {
    match &node.value {
        Value::Text(_) => Some("text"),
        Value::Int(_) | Value::Float(_) => Some("number"),
        Value::Bool(_) => Some("bool"),
        Value::List(_) => Some("list"),
        Value::Map(_) => Some("map"),
        Value::Null | Value::AfterApply(_) => None,
    }
}

fn in_words(kind: &str) -> &'static str {
    match kind {
        "text" => "text",
        "number" => "a number",
        "bool" => "`true` or `false`",
        "list" => "a list",
        _ => "a mapping",
    }
}
