//! Setups: reusable lists of operations in files of their own, with variables of their own.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::expression::{Expressions, Findings};
use super::files::{self, Files};
use super::scope::{Given, Scope};
use super::types::Types;
use super::vars::{self, Variable};
use super::{convert, items, names, yaml};
use crate::base::node::Entry;
use crate::base::{
    Error, Errors, Location, Node, Result, Shared, Source, Value, secret, suggestion,
};

const KEYS: [&str; 3] = ["about", "vars", "operations"];

/// A setup as its file has it.
pub(super) struct SetupFile {
    source: Arc<Source>,
    vars: IndexMap<String, Variable>,
    operations: Node,
}

/// One use of a setup.
#[derive(Clone)]
pub(super) struct Setup {
    name: String,
    at: Location,
    /// Values for its variables, not evaluated.
    given: Shared<IndexMap<String, Entry>>,
    file: Arc<SetupFile>,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Setup").field(&self.name).finish()
    }
}

/// An evaluated spec, and the scope of every setup that went into it.
pub(super) struct Evaluated {
    pub(super) node: Node,
    outer: Arc<Scope>,
    inner: Vec<(Arc<Source>, Arc<Scope>)>,
}

impl Evaluated {
    /// The scope of what is written at a place.
    pub(super) fn scope_at(&self, at: &Location) -> &Arc<Scope> {
        let written = |(source, _): &&(Arc<Source>, _)| Arc::ptr_eq(source, &at.source);
        let inner = self.inner.iter().find(written);
        inner.map_or(&self.outer, |(_, scope)| scope)
    }
}

/// The setups that `setups:` names.
pub(super) fn read(node: &Node, files: &Files, errors: &mut Errors) -> Vec<Setup> {
    let list = match &node.value {
        Value::Null => return Vec::new(),
        Value::List(list) => list.as_slice(),
        _ => {
            let message = format!("`setups` is a list, this is {}", node.type_name());
            errors.push(Error::playbook(message, &node.at).hint("write `setups: [base, redis]`"));
            return Vec::new();
        }
    };
    let mut setups: Vec<Setup> = Vec::new();
    for item in list {
        match read_one(item, files) {
            Ok(setup) => match setups.iter().find(|it| it.name == setup.name) {
                Some(first) => errors.push(
                    Error::playbook(format!("setup `{}` is named twice", setup.name), &setup.at)
                        .note(format!("first at {}", first.at)),
                ),
                None => setups.push(setup),
            },
            Err(wrong) => errors.0.extend(wrong.0),
        }
    }
    setups
}

fn read_one(item: &Node, files: &Files) -> Result<Setup, Errors> {
    let shape = || {
        let message = "expected the name of a setup, or its name with values for its variables";
        Error::playbook(message, &item.at).hint("such as `- redis: { port: 6380 }`")
    };
    let (name, at, given) = match &item.value {
        Value::Text(name) => (name, &item.at, Shared::default()),
        Value::Map(map) if map.len() == 1 => {
            let (name, entry) = map.first().ok_or_else(shape)?;
            let given = match &entry.node.value {
                Value::Map(given) => given.clone(),
                Value::Null => Shared::default(),
                _ => return Err(shape().into()),
            };
            (name, &entry.key_at, given)
        }
        _ => return Err(shape().into()),
    };
    if !names::is_name(name) {
        return Err(shape().into());
    }
    let file = SetupFile::read(name, at, files)?;
    let mut errors = Errors::default();
    for (key, entry) in &given {
        if !file.vars.contains_key(key) {
            let known: Vec<_> = file.vars.keys().map(String::as_str).collect();
            let message = format!("setup `{name}` has no variable `{key}`");
            let error = Error::playbook(message, &entry.key_at);
            errors.push(error.hint(suggestion::hint(key, &known)));
        }
    }
    for (key, variable) in &file.vars {
        if variable.default.is_none() && !given.contains_key(key) {
            let message = format!("setup `{name}` needs a value for `{key}`");
            let error = Error::playbook(message, at);
            let error = match variable.description() {
                Some(about) => error.note(format!("{key}: {about}")),
                None => error,
            };
            errors.push(error.hint(format!("write `- {name}: {{ {key}: … }}`")));
        }
    }
    errors.into_result(Setup {
        name: name.clone(),
        at: at.clone(),
        given,
        file: Arc::new(file),
    })
}

impl SetupFile {
    fn read(name: &str, at: &Location, files: &Files) -> Result<Self, Errors> {
        let found = files.read(&format!("setups/{name}.yml"), at);
        let (path, bytes) = found.map_err(|error| {
            let known = files
                .bundled
                .map_or_else(Vec::new, |bundled| (bundled.setups)());
            let missing = Error::playbook(format!("there is no setup `{name}`"), at);
            let missing = error.notes().iter().fold(missing, Error::note);
            missing.hint(suggestion::hint(name, &known))
        })?;
        Self::parse(&files::text(&path, bytes.to_vec())?)
    }

    fn parse(source: &Arc<Source>) -> Result<Self, Errors> {
        let node = yaml::parse(source)?;
        let start = Location::new(source, 1, 1);
        let Some(map) = node.as_map() else {
            let message = "a setup is a mapping with `about`, `vars` and `operations`";
            return Err(Error::playbook(message, &start).into());
        };
        let mut errors = Errors::default();
        for (key, entry) in map {
            if !KEYS.contains(&key.as_str()) {
                let message = format!("a setup has no key `{key}`");
                let error = Error::playbook(message, &entry.key_at);
                errors.push(error.hint(suggestion::hint(key, &KEYS)));
            }
        }
        let mut declared = IndexMap::new();
        for (name, entry) in node
            .entry("vars")
            .and_then(Node::as_map)
            .into_iter()
            .flatten()
        {
            if let Some(variable) = vars::declare(name, entry, &mut errors) {
                declared.insert(name.clone(), variable);
            }
        }
        let nothing = Node::new(&start, Value::List(Shared::default()));
        errors.into_result(Self {
            source: Arc::clone(source),
            vars: declared,
            operations: node.entry("operations").cloned().unwrap_or(nothing),
        })
    }
}

/// What a setup says of itself.
#[derive(Debug)]
pub struct Described {
    /// What it is about.
    pub about: String,
    /// Its variables.
    pub vars: Vec<DescribedVar>,
}

/// A variable of a setup.
#[derive(Debug)]
pub struct DescribedVar {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its value when none is given; `None` when one must be given.
    pub default: Option<serde_json::Value>,
    /// It is never shown.
    pub secret: bool,
}

/// Reads what the setup in a file says of itself.
///
/// # Errors
/// When it is no setup.
pub fn describe(path: &Path, bytes: &[u8]) -> Result<Described, Errors> {
    let source = files::text(path, bytes.to_vec())?;
    let about = yaml::parse(&source)?;
    let about = about.entry("about").and_then(Node::as_text);
    let file = SetupFile::parse(&source)?;
    let vars = file.vars.iter().map(|(name, variable)| DescribedVar {
        name: name.clone(),
        description: variable.description().unwrap_or_default().to_owned(),
        default: variable.default.as_ref().map(Node::to_json),
        secret: variable.secret,
    });
    Ok(Described {
        about: about.unwrap_or_default().to_owned(),
        vars: vars.collect(),
    })
}

impl Setup {
    /// Whether something was written in its file.
    pub(super) fn wrote(&self, at: &Location) -> bool {
        Arc::ptr_eq(&self.file.source, &at.source)
    }

    /// What its operations see: its own variables, with the values given in `outer`.
    pub(super) fn scope(
        &self,
        expressions: &Expressions,
        outer: &Arc<Scope>,
        findings: &mut Findings,
    ) -> Arc<Scope> {
        let mut names = names::Names::clone(&outer.names);
        let declared = self.file.vars.iter();
        names.vars = declared
            .map(|(name, variable)| (name.clone(), variable.secret))
            .collect();
        let mut scope = Scope {
            names: Arc::new(names),
            vars: Arc::default(),
            ..Scope::clone(outer)
        };
        let mut values: IndexMap<String, Given> = IndexMap::new();
        for (name, variable) in &self.file.vars {
            let node = match (self.given.get(name), &variable.default) {
                (Some(entry), _) => Some(expressions.evaluate(&entry.node, outer, findings)),
                (None, Some(default)) => {
                    scope.vars = Arc::new(values.clone());
                    Some(expressions.evaluate(default, &Arc::new(scope.clone()), findings))
                }
                (None, None) => None,
            };
            let node = node.and_then(|node| findings.errors.keep(variable.fit(name, node)));
            let secret = variable.secret || node.as_ref().is_some_and(Node::has_secret);
            if let (true, Some(node)) = (secret, &node) {
                node.walk(&mut |part| part.as_text().into_iter().for_each(secret::remember));
            }
            let known = node.filter(|node| !node.has_unknown());
            let value = known.as_ref().map(convert::to_jinja);
            values.insert(name.clone(), Given { value, secret });
        }
        scope.vars = Arc::new(values);
        Arc::new(scope)
    }
}

/// Whether specs of this schema take setups and operations.
pub(super) fn are_taken(schema: &serde_json::Value) -> bool {
    schema.pointer("/properties/setups/x-setups") == Some(&serde_json::Value::Bool(true))
}

/// Evaluates a spec: the operations of its setups, each in a scope of its own, and then its own.
pub(super) fn evaluate(
    expressions: &Expressions,
    types: &Types,
    body: &Node,
    setups: &[Setup],
    scope: &Arc<Scope>,
    findings: &mut Findings,
) -> Evaluated {
    let mut body = body.clone();
    let mut operations = None;
    if are_taken(&types.schema)
        && let Value::Map(map) = &mut body.value
    {
        operations = map.shift_remove(OPERATIONS);
    }
    let mut node = expressions.evaluate(&body, scope, findings);
    let mut inner = Vec::new();
    let mut lists = Vec::new();
    for setup in setups {
        let own = setup.scope(expressions, scope, findings);
        let list = items::expand(&setup.file.operations, expressions, &own, findings);
        inner.push((Arc::clone(&setup.file.source), own));
        lists.push((setup.at.clone(), list));
    }
    if let Some(entry) = operations {
        let list = items::expand(&entry.node, expressions, scope, findings);
        lists.push((entry.key_at, list));
    }
    if let Value::Map(map) = &mut node.value
        && let Some(entry) = joined(lists)
    {
        map.insert(OPERATIONS.to_owned(), entry);
    }
    Evaluated {
        node,
        outer: Arc::clone(scope),
        inner,
    }
}

const OPERATIONS: &str = "operations";

/// The lists one after the other; what is no list stays, for the schema to refuse.
fn joined(lists: Vec<(Location, Node)>) -> Option<Entry> {
    let mut lists = lists.into_iter();
    let (key_at, mut node) = lists.next()?;
    for (_, next) in lists {
        match (&mut node.value, next.value) {
            (_, Value::Null) => {}
            (Value::List(all), Value::List(more)) => all.extend(more),
            (all, value) => {
                *all = value;
                node.at = next.at;
            }
        }
    }
    Some(Entry { key_at, node })
}
