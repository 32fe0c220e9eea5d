//! Lists of operations: each item may have `for_each:` (one operation for each of something) and
//! `when:` (only if that is true).

use std::sync::Arc;

use indexmap::IndexMap;

use super::convert;
use super::expression::{Expressions, Findings};
use super::scope::{Given, Scope};
use crate::base::node::Entry;
use crate::base::{Error, Node, Value};

/// Evaluates a list, with its items made as many as they stand for. An item whose `for_each` is
/// known only after apply becomes that; one whose `when` is keeps it.
pub(super) fn expand(
    list: &Node,
    expressions: &Expressions,
    scope: &Arc<Scope>,
    findings: &mut Findings,
) -> Node {
    let Some(items) = list.as_list() else {
        return expressions.evaluate(list, scope, findings);
    };
    let mut expanded = Vec::new();
    for item in items {
        expand_item(item, expressions, scope, findings, &mut expanded);
    }
    Node {
        value: Value::List(expanded.into()),
        ..list.clone()
    }
}

fn expand_item(
    item: &Node,
    expressions: &Expressions,
    scope: &Arc<Scope>,
    findings: &mut Findings,
    into: &mut Vec<Node>,
) {
    let Some(map) = item.as_map() else {
        into.push(expressions.evaluate(item, scope, findings));
        return;
    };
    let mut rest = map.clone();
    let for_each = rest.shift_remove("for_each");
    let when = rest.shift_remove("when");
    let body = Node {
        value: Value::Map(rest.into()),
        ..item.clone()
    };
    let one = |scope: &Arc<Scope>, findings: &mut Findings| {
        conditional(&body, when.as_ref(), expressions, scope, findings)
    };
    let Some(for_each) = for_each else {
        into.extend(one(scope, findings));
        return;
    };
    let given = expressions.evaluate(&for_each.node, scope, findings);
    let items = items(&given, findings);
    for (key, value) in items.iter().flatten() {
        let value = Given {
            value: (!value.has_unknown()).then(|| convert::to_jinja(value)),
            secret: given.secret || value.has_secret(),
        };
        into.extend(one(&with_each(scope, key, value), findings));
    }
    if items.as_ref().is_none_or(IndexMap::is_empty) {
        // Its names are looked at all the same.
        let (value, secret) = (None, false);
        one(&with_each(scope, "", Given { value, secret }), findings);
    }
    if items.is_none() {
        let text = "for_each: known only after apply".to_owned();
        into.push(Node::new(&for_each.node.at, Value::AfterApply(text)));
    }
}

fn with_each(scope: &Arc<Scope>, key: &str, value: Given) -> Arc<Scope> {
    Arc::new(Scope {
        each: Some((key.to_owned(), value)),
        ..Scope::clone(scope)
    })
}

/// The items of `for_each`, by key; `None` when they are not known.
fn items(given: &Node, findings: &mut Findings) -> Option<IndexMap<String, Node>> {
    match &given.value {
        Value::AfterApply(_) => None,
        Value::Null => Some(IndexMap::new()),
        Value::List(list) => {
            let key = |index: usize, item: &Node| match item.as_text() {
                Some(text) => text.to_owned(),
                None => index.to_string(),
            };
            let items = list.iter().enumerate();
            Some(
                items
                    .map(|(index, item)| (key(index, item), item.clone()))
                    .collect(),
            )
        }
        Value::Map(map) => {
            let items = map.iter();
            Some(
                items
                    .map(|(key, entry)| (key.clone(), entry.node.clone()))
                    .collect(),
            )
        }
        _ => {
            let message = format!(
                "`for_each` takes a list or a mapping, this is {}",
                given.type_name()
            );
            findings.errors.push(Error::playbook(message, &given.at));
            None
        }
    }
}

/// The evaluated operation, unless `when` says that there is none.
fn conditional(
    body: &Node,
    when: Option<&Entry>,
    expressions: &Expressions,
    scope: &Arc<Scope>,
    findings: &mut Findings,
) -> Option<Node> {
    let Some(when) = when else {
        return Some(expressions.evaluate(body, scope, findings));
    };
    let answer = expressions.evaluate(&when.node, scope, findings);
    match answer.value {
        Value::Bool(true) => Some(expressions.evaluate(body, scope, findings)),
        Value::Bool(false) | Value::Null => None,
        Value::AfterApply(_) => {
            let mut node = expressions.evaluate(body, scope, findings);
            if let Value::Map(map) = &mut node.value {
                let key_at = when.key_at.clone();
                map.insert(
                    "when".to_owned(),
                    Entry {
                        key_at,
                        node: answer,
                    },
                );
            }
            Some(node)
        }
        _ => {
            let message = format!(
                "`when` is `true` or `false`, this is {}",
                answer.type_name()
            );
            let error = Error::playbook(message, &answer.at);
            findings.errors.push(
                error.hint("compare it: `{{ vars.name != \"\" }}`, `{{ vars.list | length > 0 }}`"),
            );
            None
        }
    }
}
