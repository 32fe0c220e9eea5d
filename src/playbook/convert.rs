//! Between located nodes and the template engine's values.

use minijinja::Value as Jinja;
use minijinja::value::{Serde, ValueKind};

use super::scope::View;
use crate::base::node::Entry;
use crate::base::{Location, Node, Value};

/// A node's value for the template engine.
pub(super) fn to_jinja(node: &Node) -> Jinja {
    Jinja::from(Serde(node.to_json()))
}

/// The result of an expression, every part placed at `at`.
///
/// # Errors
/// Why it cannot be a value of a playbook.
pub(super) fn to_node(at: &Location, value: &Jinja) -> Result<Node, String> {
    if value.downcast_object_ref::<View>().is_some() {
        // Writing it out leaves a trace that says what to do instead.
        return Err(value.to_string());
    }
    let value = match value.kind() {
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => match value.as_i64() {
            Some(whole) if value.is_integer() => Value::Int(whole),
            _ => match f64::try_from(value.clone()) {
                Ok(number) if number.is_finite() => Value::Float(number),
                _ => return Err("this is not a number that can be used".to_owned()),
            },
        },
        ValueKind::String => Value::Text(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| error.to_string())?;
            let items = items.map(|item| to_node(at, &item));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let keys = value.try_iter().map_err(|error| error.to_string())?;
            let entries = keys.map(|key| {
                let item = value.get_item(&key).map_err(|error| error.to_string())?;
                let entry = Entry {
                    key_at: at.clone(),
                    node: to_node(at, &item)?,
                };
                Ok::<_, String>((key.to_string(), entry))
            });
            Value::Map(entries.collect::<Result<_, _>>()?)
        }
        ValueKind::Undefined => return Err("a part of this is not defined".to_owned()),
        _ => return Err(format!("this is no value of a playbook: {}", value.kind())),
    };
    Ok(Node::new(at, value))
}
