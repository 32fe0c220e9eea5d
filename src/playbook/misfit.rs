//! Puts what does not fit into words, at its exact place.

use jsonschema::JsonType;

use super::types::{Misfit, What};
use crate::base::node::Step;
use crate::base::{Error, Location, Node, Value, suggestion};

impl Misfit {
    /// The error that tells it. `at` is where the resource is declared.
    pub(super) fn explain(&self, root: &Node, at: &Location) -> Error {
        let node = root.follow(&self.path);
        let holder = match self.path.split_last() {
            None => at.clone(),
            Some((Step::Key(key), above)) => root
                .follow(above)
                .as_map()
                .and_then(|map| map.get(key))
                .map_or_else(|| node.at.clone(), |entry| entry.key_at.clone()),
            Some((Step::Index(_), _)) => node.at.clone(),
        };
        let key_at = |key: &str| {
            let entry = node.as_map().and_then(|map| map.get(key));
            entry.map_or_else(|| node.at.clone(), |entry| entry.key_at.clone())
        };
        match &self.what {
            What::UnknownKey { key, allowed } => {
                let allowed: Vec<_> = allowed.iter().map(String::as_str).collect();
                Error::playbook(format!("unknown key `{key}`"), &key_at(key))
                    .hint(suggestion::hint(key, &allowed))
            }
            What::MissingKey { key, about } => {
                let error = Error::playbook(format!("missing key `{key}`"), &holder);
                match about {
                    Some(about) => error.note(format!("{key}: {about}")),
                    None => error,
                }
            }
            What::Type(wanted) => wrong_type(node, &holder, wanted),
            What::NotAllowed(options) => {
                let options: Vec<_> = options.iter().map(String::as_str).collect();
                let typed = shown(node);
                let error =
                    Error::playbook(format!("{typed} is not allowed here"), place(node, &holder));
                error.hint(suggestion::hint(
                    node.as_text().unwrap_or_default(),
                    &options,
                ))
            }
            What::OneKeyOf(keys) => {
                let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
                Error::playbook("one key must be given here", &holder)
                    .hint(format!("allowed here: {}", keys.join(", ")))
            }
            What::OnlyOneOf { key, other } => Error::playbook(
                format!("`{key}` cannot be given beside `{other}`"),
                &key_at(key),
            )
            .hint("keep one of the two"),
            What::Form { pattern, about } => {
                let error = Error::playbook(
                    format!("{} does not have the form that is wanted here", shown(node)),
                    place(node, &holder),
                );
                match about {
                    Some(about) => error.note(about.clone()),
                    None => error.note(format!("it must match `{pattern}`")),
                }
            }
            What::Other(what) => {
                Error::playbook(format!("{} {what}", shown(node)), place(node, &holder))
            }
        }
    }
}

/// An empty value has no place of its own worth showing.
fn place<'a>(node: &'a Node, holder: &'a Location) -> &'a Location {
    match node.value {
        Value::Null | Value::Map(_) | Value::List(_) => holder,
        _ => &node.at,
    }
}

fn shown(node: &Node) -> String {
    match &node.value {
        _ if node.secret => "a secret".to_owned(),
        Value::Text(text) if text.chars().count() <= 60 && !text.contains('\n') => {
            format!("`{text}`")
        }
        Value::Int(number) => format!("`{number}`"),
        Value::Float(number) => format!("`{}`", written(node, *number)),
        Value::Bool(truth) => format!("`{truth}`"),
        _ => node.type_name().to_owned(),
    }
}

/// A number as the file has it: `22.10` is not `22.1` to who wrote it.
fn written(node: &Node, number: f64) -> String {
    let line = node.at.source.from_line(node.at.line).unwrap_or_default();
    let text = line.chars().skip(node.at.column.saturating_sub(1));
    let text: String = text.take(node.at.length).collect();
    match text.parse::<f64>() {
        Ok(same) if same.to_bits() == number.to_bits() => text,
        _ => number.to_string(),
    }
}

fn wrong_type(node: &Node, holder: &Location, wanted: &[JsonType]) -> Error {
    let mut words: Vec<_> = wanted
        .iter()
        .filter_map(|wanted| match wanted {
            JsonType::Null => None,
            JsonType::String => Some("text"),
            JsonType::Integer => Some("a whole number"),
            JsonType::Number => Some("a number"),
            JsonType::Boolean => Some("`true` or `false`"),
            JsonType::Array => Some("a list"),
            JsonType::Object => Some("a mapping"),
        })
        .collect();
    words.dedup();
    let shown = shown(node);
    let found = match node.type_name() {
        name if name == shown => shown.clone(),
        "true/false" => shown.clone(),
        name => format!("{name} {shown}"),
    };
    let expected = match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "nothing".to_owned(),
    };
    let error = Error::playbook(
        format!("expected {expected}, found {found}"),
        place(node, holder),
    );
    let wants = |one: JsonType| wanted.contains(&one);
    match &node.value {
        _ if node.secret => error,
        Value::Float(_) | Value::Bool(_) if wants(JsonType::String) => error.hint(format!(
            "put it in quotes: `\"{}\"`",
            shown.trim_matches('`')
        )),
        Value::Text(text) => match (text.as_str(), text.parse::<i64>()) {
            ("yes" | "on" | "true", _) if wants(JsonType::Boolean) => error.hint("write `true`"),
            ("no" | "off" | "false", _) if wants(JsonType::Boolean) => error.hint("write `false`"),
            (_, Ok(_)) if wants(JsonType::Integer) || wants(JsonType::Number) => {
                error.hint("leave out the quotes")
            }
            _ if wants(JsonType::Array) => error.hint(format!("write `[{text}]`")),
            _ => error,
        },
        _ => error,
    }
}
