//! The resources that a spec names in typed fields, in `depends_on` and in its templates.

use indexmap::IndexSet;

use super::declaration::{How, Reference};
use super::expression::{Expressions, Findings};
use super::fields::{self, Field};
use super::names::Names;
use super::setups::Evaluated;
use super::types::Types;
use crate::base::{Address, Error, Node, Result, suggestion};

/// Collects what the evaluated `body` names, and checks the templates that it uses.
pub(super) fn collect(
    body: &Evaluated,
    types: &Types,
    expressions: &Expressions,
    findings: &mut Findings,
) {
    fields::walk(
        &body.node,
        &types.schema,
        &types.words,
        &mut |field| match field {
            Field::Name {
                kind,
                attaches,
                node,
            } => {
                let Some(name) = node.as_text() else { return };
                let target = Address::new(kind, name);
                let names = &body.scope_at(&node.at).names;
                let declared = names.declares(&target);
                if let (false, Some(error)) = (declared, lacks_key(&target, node, names)) {
                    findings.errors.push(error);
                    return;
                }
                findings.references.push(Reference {
                    target,
                    at: node.at.clone(),
                    how: How::Typed,
                    declared,
                    attaches,
                });
            }
            Field::Template { node, beside } => {
                let own = beside.and_then(|beside| beside.entry("vars"));
                // No mapping, no way to tell which names it will hold.
                let own = own.map_or_else(|| serde_json::json!({}), Node::to_json);
                expressions.check_template(node, body.scope_at(&node.at), &own, findings);
            }
        },
    );
}

/// The declared addresses that an item of `depends_on` names: of a `for_each` without a key, all.
pub(super) fn addresses(node: &Node, names: &Names) -> Result<Vec<Address>> {
    let Some(text) = node.as_text() else {
        let message = format!("expected an address, found {}", node.type_name());
        return Err(Error::playbook(message, &node.at)
            .hint("write SECTION.NAME, such as `instances.server`"));
    };
    let at = |error: Error| error.at(&node.at);
    let parsed: Address = text.parse().map_err(|error: Error| {
        let wrong = Error::playbook(error.message(), &node.at);
        error
            .hints()
            .iter()
            .fold(wrong, |wrong, hint| wrong.hint(hint.clone()))
    })?;
    if names.declares(&parsed) {
        return Ok(vec![parsed]);
    }
    let (base, key) = parsed.split_key();
    if let (Some(Some(_)), None) = (names.keys(&parsed.kind, base), key) {
        return Ok(names.addresses(&parsed.kind, &[base.to_owned()]));
    }
    if let Some(error) = lacks_key(&parsed, node, names) {
        return Err(at(error));
    }
    let all = names.all();
    let error = Error::playbook(format!("`{text}` is not declared"), &node.at);
    Err(
        match suggestion::nearest(text, all.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`depends_on` names resources of this playbook, as SECTION.NAME"),
        },
    )
}

/// The error of naming what `for_each` makes without one of its keys.
fn lacks_key(target: &Address, node: &Node, names: &Names) -> Option<Error> {
    let (base, key) = target.split_key();
    let Some(keys) = names.keys(&target.kind, base)? else {
        let message = format!("`{}.{base}` has no keys: it has no `for_each`", target.kind);
        return key.map(|_| Error::playbook(message, &node.at).hint(format!("write `{base}`")));
    };
    if names.is_pending(&target.kind, base) {
        return None;
    }
    let message = match key {
        None => {
            format!("`{target}` stands for several resources: `for_each` makes one for each key")
        }
        Some(key) => format!("`{}.{base}` has no key `{key}`", target.kind),
    };
    Some(Error::playbook(message, &node.at).hint(listed(base, keys)))
}

fn listed(base: &str, keys: &IndexSet<String>) -> String {
    let first = keys.iter().take(10).map(|key| format!("`{base}[{key}]`"));
    let mut first: Vec<_> = first.collect();
    if keys.len() > first.len() {
        first.push(format!("{} more", keys.len() - first.len()));
    }
    if first.is_empty() {
        "its `for_each` is empty".to_owned()
    } else {
        format!("name one of {}", first.join(", "))
    }
}
