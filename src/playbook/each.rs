//! `for_each`: the items that one declaration stands for.

use std::sync::Arc;

use indexmap::IndexMap;

use super::declaration::Each;
use super::expression::Expressions;
use super::names::is_name;
use super::scope::Scope;
use super::settings;
use crate::base::{Error, Errors, Node, Result, Value};

/// The most resources that one `for_each` makes.
const MOST: usize = 100_000;

/// Evaluates `for_each` in a scope that has no outputs; `None` when it is wrong.
pub(super) fn expand(
    node: &Node,
    expressions: &Expressions,
    scope: &Arc<Scope>,
    errors: &mut Errors,
) -> Option<Vec<Each>> {
    let node = settings::visible(expressions.value(node, scope), "for_each", errors)?;
    let before = errors.0.len();
    let mut items: IndexMap<String, Each> = IndexMap::new();
    match &node.value {
        Value::List(list) => {
            for item in list {
                let key = match &item.value {
                    Value::Text(text) => text.clone(),
                    Value::Int(number) => number.to_string(),
                    _ => {
                        errors.push(
                            Error::playbook(
                                format!("`for_each` takes texts, this is {}", item.type_name()),
                                &item.at,
                            )
                            .hint("use a mapping from keys to values instead: `for_each: { a: { … } }`"),
                        );
                        continue;
                    }
                };
                add(&mut items, key, item.clone(), item, errors);
            }
        }
        Value::Map(map) => {
            for (key, entry) in map {
                let at = Node::new(&entry.key_at, Value::Null);
                add(&mut items, key.clone(), entry.node.clone(), &at, errors);
            }
        }
        _ => errors.push(
            Error::playbook(
                format!(
                    "`for_each` takes a list of texts or a mapping, this is {}",
                    node.type_name()
                ),
                &node.at,
            )
            .hint("write `for_each: [a, b]`"),
        ),
    }
    if items.len() > MOST {
        let message = format!(
            "`for_each` makes {} resources, {MOST} is the most",
            items.len()
        );
        errors.push(Error::playbook(message, &node.at));
    }
    (errors.0.len() == before).then(|| items.into_values().collect())
}

/// Reads `serial`: how many of `items` at once, as a number or as a share of them.
///
/// # Errors
/// When it is neither, or there is no `for_each` that it could be about.
pub(super) fn at_once(node: &Node, items: Option<usize>) -> Result<usize> {
    let hint = "write `serial: 1` for one after the other, or a share such as `serial: 25%`";
    let share = |text: &str| text.strip_suffix('%')?.trim().parse().ok();
    let size = match &node.value {
        Value::Int(number) => usize::try_from(*number).ok(),
        Value::Text(text) => share(text)
            .filter(|share| *share <= 100)
            .map(|share: usize| (items.unwrap_or(1) * share).div_ceil(100)),
        _ => None,
    };
    match (size.filter(|size| *size > 0), items) {
        (None, Some(0)) if size.is_some() => Ok(1),
        (None, _) => Err(Error::playbook(
            "`serial` is how many at once: a number from 1, or a share in percent",
            &node.at,
        )
        .hint(hint)),
        (Some(_), None) => {
            Err(Error::playbook("`serial` belongs to `for_each`", &node.at).hint(hint))
        }
        (Some(size), Some(_)) => Ok(size),
    }
}

fn add(
    items: &mut IndexMap<String, Each>,
    key: String,
    value: Node,
    named: &Node,
    errors: &mut Errors,
) {
    if !is_name(&key) {
        errors.push(
            Error::playbook(format!("`{key}` cannot be a key of `for_each`"), &named.at)
                .hint("use letters, digits, `_`, `-` and `.`"),
        );
    } else if let Some(first) = items.get(&key) {
        errors.push(
            Error::playbook(format!("`{key}` is given twice"), &named.at)
                .note(format!("first given at {}", first.value.at)),
        );
    } else {
        items.insert(key.clone(), Each { key, value });
    }
}
