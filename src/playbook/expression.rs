//! Evaluates the expressions in a node, and collects what they refer to.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use super::chains;
use super::convert::to_node;
use super::declaration::Reference;
use super::files::Files;
use super::jinja;
use super::place::within;
use super::scope::{Scope, Trace, View};
use super::tokens::{self, Scanned};
use crate::base::node::Entry;
use crate::base::{Error, Errors, Location, Node, Value};

/// The template engine, set up once for a playbook.
pub(super) struct Expressions {
    pub(super) env: minijinja::Environment<'static>,
    pub(super) files: Files,
    /// The free names of what was compiled before: every host has the same texts.
    free: Mutex<FreeNames>,
}

/// Free names by the text they are in, and whether that is an expression.
type FreeNames = HashMap<(bool, String), Arc<HashSet<String>>>;

/// What an evaluation found beside its value.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) references: Vec<Reference>,
    pub(super) errors: Errors,
}

impl Expressions {
    pub(super) fn new(files: Files) -> Self {
        Self {
            env: jinja::environment(files.clone()),
            files,
            free: Mutex::default(),
        }
    }

    /// A copy of `node` with every expression in it evaluated; what reads unknown outputs becomes
    /// [`Value::AfterApply`]. A part that fails becomes that too, beside its error in `findings`,
    /// so that nothing more is said of it.
    pub(super) fn evaluate(
        &self,
        node: &Node,
        scope: &Arc<Scope>,
        findings: &mut Findings,
    ) -> Node {
        let value = match &node.value {
            Value::Text(text) if tokens::is_template(text) => {
                return self.text(node, text, scope, findings);
            }
            // Shared by all who evaluate it.
            _ if is_constant(node) => return node.clone(),
            Value::List(list) => Value::List(
                list.iter()
                    .map(|item| self.evaluate(item, scope, findings))
                    .collect(),
            ),
            Value::Map(map) => Value::Map(
                map.iter()
                    .map(|(key, entry)| {
                        if tokens::is_template(key) {
                            findings.errors.push(key_error(&entry.key_at));
                        }
                        let node = self.evaluate(&entry.node, scope, findings);
                        let key_at = entry.key_at.clone();
                        (key.clone(), Entry { key_at, node })
                    })
                    .collect(),
            ),
            value => value.clone(),
        };
        Node {
            at: node.at.clone(),
            value,
            secret: node.secret,
        }
    }

    /// As [`Expressions::evaluate`], with the errors as the result.
    pub(super) fn value(&self, node: &Node, scope: &Arc<Scope>) -> Result<Node, Errors> {
        let mut findings = Findings::default();
        let node = self.evaluate(node, scope, &mut findings);
        findings.errors.into_result(node)
    }

    fn text(&self, node: &Node, text: &str, scope: &Arc<Scope>, findings: &mut Findings) -> Node {
        let trace = Arc::new(Trace::default());
        let value = self
            .checked(&node.at, text, scope, findings)
            .and_then(|scanned| {
                self.run(&node.at, text, &scanned, scope, &trace)
                    .map_err(|error| findings.errors.push(error))
            })
            .unwrap_or_else(|()| Value::AfterApply(text.trim().to_owned()));
        Node {
            at: node.at.clone(),
            value,
            secret: node.secret || trace.secret.load(Ordering::Relaxed),
        }
    }

    /// Compiles `text` and looks at the names in it; `Err` when something is wrong with them.
    fn checked(
        &self,
        at: &Location,
        text: &str,
        scope: &Arc<Scope>,
        findings: &mut Findings,
    ) -> Result<Scanned, ()> {
        let scanned = tokens::scan(text, &scope.names);
        let place = |range| within(at, text, range);
        if let Some(start) = scanned.too_large {
            let at = place(start..text.len());
            findings.errors.push(jinja::too_large(&at));
            return Err(());
        }
        match self.free_names(&scanned) {
            Ok(free) => {
                let before = findings.errors.0.len();
                chains::check(&scanned, text, &free, scope, &place, findings);
                if findings.errors.0.len() > before {
                    return Err(());
                }
                Ok(scanned)
            }
            Err(error) => {
                findings.errors.push(self.failed(
                    &error,
                    at,
                    text,
                    &scanned,
                    &minijinja::Value::UNDEFINED,
                ));
                Err(())
            }
        }
    }

    /// Names that `scanned` uses and does not define itself.
    pub(super) fn free_names(
        &self,
        scanned: &Scanned,
    ) -> Result<Arc<HashSet<String>>, minijinja::Error> {
        let key = (scanned.whole.is_some(), scanned.text.clone());
        let known = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(free) = known().get(&key) {
            return Ok(Arc::clone(free));
        }
        let mut free = match &scanned.whole {
            Some(inside) => self
                .env
                .compile_expression(&scanned.text[inside.clone()])?
                .undeclared_variables(false),
            None => self
                .env
                .template_from_str(&scanned.text)?
                .undeclared_variables(false),
        };
        for (name, _) in self.env.globals() {
            free.remove(name);
        }
        let free = Arc::new(free);
        known().insert(key, Arc::clone(&free));
        Ok(free)
    }

    fn run(
        &self,
        at: &Location,
        text: &str,
        scanned: &Scanned,
        scope: &Arc<Scope>,
        trace: &Arc<Trace>,
    ) -> Result<Value, Error> {
        let context = View::root(scope, trace);
        let result = match &scanned.whole {
            Some(inside) => self
                .env
                .compile_expression(&scanned.text[inside.clone()])
                .and_then(|expression| expression.eval(context.clone()))
                .and_then(|value| {
                    if value.is_undefined() {
                        Err(minijinja::ErrorKind::UndefinedError.into())
                    } else {
                        Ok(value)
                    }
                })
                .map(|value| to_node(at, &value)),
            None => self
                .env
                .template_from_str(&scanned.text)
                .and_then(|template| template.render(context.clone()))
                .map(|text| Ok(Node::new(at, Value::Text(text)))),
        };
        if let Some(problem) = trace.problem.lock().ok().and_then(|mut first| first.take()) {
            let range = chains::find(scanned, &problem.path).unwrap_or(0..text.len());
            let at = within(at, text, range);
            return Err(Error::playbook(problem.message, &at).hint(problem.hint));
        }
        if trace.unknown.load(Ordering::Relaxed) {
            return Ok(Value::AfterApply(text.trim().to_owned()));
        }
        match result {
            Ok(Ok(node)) => Ok(node.value),
            Ok(Err(cause)) => Err(Error::playbook(cause, at)),
            Err(error) => Err(self.failed(&error, at, text, scanned, &context)),
        }
    }

    fn failed(
        &self,
        error: &minijinja::Error,
        at: &Location,
        text: &str,
        scanned: &Scanned,
        context: &minijinja::Value,
    ) -> Error {
        let shift = scanned.whole.as_ref().map_or(0, |inside| inside.start);
        let range = error.range().map(|range| {
            let start = scanned.written(range.start + shift);
            start..scanned.written(range.end + shift).max(start)
        });
        // The result itself has no place: it is what the first name leads to.
        let undefined = error.kind() == minijinja::ErrorKind::UndefinedError;
        let first = scanned.chains.first().filter(|_| undefined);
        let range = range.or_else(|| first.map(|chain| chain.range.clone()));
        match range {
            Some(range) if range.end <= text.len() => {
                let subject = chains::subject(scanned, text, &range, context);
                jinja::explain(error, &self.env, subject).at(&within(at, text, range))
            }
            _ => jinja::explain(error, &self.env, None).at(at),
        }
    }
}

fn key_error(at: &Location) -> Error {
    Error::playbook("an expression cannot be a key", at)
        .hint("write the key out; `for_each:` makes several resources from one")
}

/// No expression is in it.
fn is_constant(node: &Node) -> bool {
    match &node.value {
        Value::Text(text) => !tokens::is_template(text),
        Value::List(list) => list.iter().all(is_constant),
        Value::Map(map) => map
            .iter()
            .all(|(key, entry)| !tokens::is_template(key) && is_constant(&entry.node)),
        _ => true,
    }
}
