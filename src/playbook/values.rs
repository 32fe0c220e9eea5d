//! The value that each variable gets: command line, then files, then environment, then default.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use super::expression::Expressions;
use super::files::read_yaml;
use super::scope::{Given, Scope};
use super::vars::{PREFIX, Variable, env_name};
use super::{convert, yaml};
use crate::base::{Error, Errors, Location, Node, Result, Value, secret, suggestion};

/// Where values come from, beside the defaults.
pub(super) struct Sources<'a> {
    pub(super) typed: &'a [(String, String)],
    pub(super) files: &'a [PathBuf],
    pub(super) env: &'a BTreeMap<String, String>,
}

/// Gives every variable its value: command line, then files, then environment, then default.
/// `scope` is the scope of defaults; it sees the variables before.
pub(super) fn resolve(
    variables: &IndexMap<String, Variable>,
    sources: &Sources<'_>,
    expressions: &Expressions,
    scope: &Scope,
    errors: &mut Errors,
) -> IndexMap<String, Given> {
    let given = gather(variables, sources, errors);
    let mut values: IndexMap<String, Given> = IndexMap::new();
    for (name, variable) in variables {
        let node = match (given.get(name), &variable.default) {
            (Some(node), _) => Some(node.clone()),
            (None, Some(default)) => {
                let scope = Scope {
                    vars: Arc::new(values.clone()),
                    ..scope.clone()
                };
                match expressions.value(default, &Arc::new(scope)) {
                    Ok(node) => Some(node),
                    Err(wrong) => {
                        errors.0.extend(wrong.0);
                        None
                    }
                }
            }
            (None, None) => {
                errors.push(variable.missing(name));
                None
            }
        };
        let node = node.and_then(|node| errors.keep(variable.fit(name, node)));
        let node = node.filter(|node| !node.has_unknown());
        let secret = variable.secret || node.as_ref().is_some_and(Node::has_secret);
        if let (true, Some(node)) = (secret, &node) {
            node.walk(&mut |part| part.as_text().into_iter().for_each(secret::remember));
        }
        let value = node.as_ref().map(convert::to_jinja);
        values.insert(name.clone(), Given { value, secret });
    }
    values
}

fn gather(
    variables: &IndexMap<String, Variable>,
    sources: &Sources<'_>,
    errors: &mut Errors,
) -> BTreeMap<String, Node> {
    let mut given = BTreeMap::new();
    for (name, variable) in variables {
        let plain = name.replace('-', "_");
        for spelled in [plain.to_uppercase(), plain] {
            let spelled = format!("{PREFIX}{spelled}");
            if let Some(text) = sources.env.get(&spelled) {
                add(&mut given, name, variable.read(&spelled, text), errors);
            }
        }
    }
    for path in sources.files {
        match read_yaml(path, None)
            .map_err(Errors::from)
            .and_then(|source| yaml::parse(&source))
        {
            Ok(Node {
                value: Value::Map(map),
                ..
            }) => {
                for (name, entry) in map {
                    match variables.get(&name) {
                        Some(_) => drop(given.insert(name, entry.node)),
                        None => errors.push(undeclared(&name, &entry.key_at, variables)),
                    }
                }
            }
            Ok(Node {
                value: Value::Null, ..
            }) => {}
            Ok(node) => {
                let message = format!(
                    "a vars file is a mapping from names, this is {}",
                    node.type_name()
                );
                errors.push(Error::playbook(message, &node.at).hint("write `name: value` lines"));
            }
            Err(wrong) => errors.0.extend(wrong.0),
        }
    }
    for (name, text) in sources.typed {
        let origin = format!("--var {name}");
        match variables.get(name) {
            Some(variable) if variable.secret => {
                secret::remember(text);
                let message = format!("the secret `{name}` cannot be given on the command line");
                errors.push(
                    Error::playbook(message, &Location::nowhere(&origin))
                        .note("other users of this machine can read it there")
                        .hint(format!("set {}, or use `--vars-file`", env_name(name))),
                );
            }
            Some(variable) => add(&mut given, name, variable.read(&origin, text), errors),
            None => errors.push(undeclared(name, &Location::nowhere(&origin), variables)),
        }
    }
    given
}

fn add(
    given: &mut BTreeMap<String, Node>,
    name: &str,
    node: Result<Node, Errors>,
    errors: &mut Errors,
) {
    match node {
        Ok(node) => drop(given.insert(name.to_owned(), node)),
        Err(wrong) => errors.0.extend(wrong.0),
    }
}

fn undeclared(name: &str, at: &Location, variables: &IndexMap<String, Variable>) -> Error {
    let names: Vec<_> = variables.keys().map(String::as_str).collect();
    let error = Error::playbook(format!("the playbook declares no variable `{name}`"), at);
    if names.is_empty() {
        error.hint(format!(
            "declare it: `vars: {{ {name}: {{ description: … }} }}`"
        ))
    } else {
        error.hint(suggestion::hint(name, &names))
    }
}
