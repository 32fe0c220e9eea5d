//! Template files: found, compiled, checked before the run, and rendered.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value as Json;

use super::expression::{Expressions, Findings};
use super::scope::{Scope, Trace, View};
use super::tokens::{self, Scanned};
use super::{chains, files, jinja};
use crate::base::{Error, Location, Node, Result, Source, Value, secret};

/// How deep templates may include each other.
const DEEPEST: usize = 16;

/// What the engine calls a template that was given as text.
const UNNAMED: &str = "<string>";

struct Template {
    source: Arc<Source>,
    scanned: Scanned,
}

impl Template {
    fn read(expressions: &Expressions, name: &str, at: &Location, scope: &Scope) -> Result<Self> {
        let (path, bytes) = expressions.files.read(name, at)?;
        let source = files::text(&path, bytes.to_vec())?;
        let mut scanned = tokens::scan(&source.text, &scope.names);
        scanned.whole = None;
        let template = Self { source, scanned };
        match template.scanned.too_large {
            Some(start) => Err(jinja::too_large(&template.place(start, start + 1))),
            None => Ok(template),
        }
    }

    fn place(&self, start: usize, end: usize) -> Location {
        let before = self.source.text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let part = self.source.text.get(start..end).unwrap_or_default();
        let length = part.lines().next().unwrap_or_default().chars().count();
        Location::new(&self.source, line, column).with_length(length)
    }

    fn failed(
        &self,
        error: &minijinja::Error,
        expressions: &Expressions,
        context: &minijinja::Value,
    ) -> Error {
        let own = error
            .name()
            .is_none_or(|name| name == UNNAMED || Path::new(name) == self.source.path);
        let written = |range: Range<usize>| {
            self.scanned.written(range.start)..self.scanned.written(range.end)
        };
        let range = error.range().filter(|_| own).map(written);
        let subject = range.as_ref();
        let subject = subject
            .and_then(|range| chains::subject(&self.scanned, &self.source.text, range, context))
            .map(str::to_owned);
        let ours = jinja::explain(error, &expressions.env, subject.as_deref());
        if !own {
            let name = error.name().unwrap_or_default();
            let line = error.line().unwrap_or_default();
            return ours.note(format!("in the included template {name}:{line}"));
        }
        ours.at(&match range {
            Some(range) => self.place(range.start, range.end),
            None => Location::new(&self.source, error.line().unwrap_or(1), 1),
        })
    }
}

impl Expressions {
    /// Reads the template that `source` names and looks for mistakes and references in it.
    /// `extra` holds the names that its user lays over the scope (the `vars` beside the name),
    /// `null` when they are not known.
    pub(super) fn check_template(
        &self,
        source: &Node,
        scope: &Scope,
        extra: &Json,
        findings: &mut Findings,
    ) {
        let mut scope = scope.clone();
        if let Json::Object(extra) = extra {
            scope.extra = Arc::new(extra.clone());
        }
        if let Some(name) = source.as_text() {
            let all_known = extra.is_object();
            let mut seen = HashSet::new();
            self.check_file(name, &source.at, &scope, all_known, &mut seen, findings);
        }
    }

    fn check_file(
        &self,
        name: &str,
        at: &Location,
        scope: &Scope,
        all_known: bool,
        seen: &mut HashSet<String>,
        findings: &mut Findings,
    ) {
        if seen.len() > DEEPEST || !seen.insert(name.to_owned()) {
            return;
        }
        let Some(template) = findings.errors.keep(Template::read(self, name, at, scope)) else {
            return;
        };
        let free = match self.free_names(&template.scanned) {
            Ok(free) => free,
            Err(error) => {
                findings
                    .errors
                    .push(template.failed(&error, self, &minijinja::Value::UNDEFINED));
                return;
            }
        };
        // Templates that belong together see each other's names.
        let alone = all_known && seen.len() == 1 && template.scanned.includes.is_empty();
        let ours = ["vars", "env", "each", "stack", "region", "account"];
        let free = free.iter().filter(|name| {
            alone
                || ours.contains(&name.as_str())
                || scope.names.sections.contains_key(name.as_str())
        });
        let free = free.cloned();
        let place = |range: Range<usize>| template.place(range.start, range.end);
        let (scanned, written) = (&template.scanned, &template.source.text);
        chains::check(scanned, written, &free.collect(), scope, &place, findings);
        for included in &template.scanned.includes {
            self.check_file(included, at, scope, false, seen, findings);
        }
    }

    /// Renders the template that `source` names.
    pub(super) fn render(&self, source: &Node, scope: &Scope, extra: &Json) -> Result<Node> {
        let mut scope = scope.clone();
        if let Json::Object(extra) = extra {
            scope.extra = Arc::new(extra.clone());
        }
        let Some(name) = source.as_text() else {
            let message = format!("a template is a file name, this is {}", source.type_name());
            return Err(Error::playbook(message, &source.at));
        };
        let template = Template::read(self, name, &source.at, &scope)?;
        let mut env = self.env.clone();
        let (finder, names) = (self.files.clone(), Arc::clone(&scope.names));
        let at = source.at.clone();
        env.set_loader(move |name| {
            let Ok((path, bytes)) = finder.read(name, &at) else {
                return Ok(None);
            };
            let source = files::text(&path, bytes.to_vec()).map_err(|error| {
                let message = error.to_string();
                minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message)
            })?;
            let scanned = tokens::scan(&source.text, &names);
            match scanned.too_large {
                None => Ok(Some(scanned.text)),
                Some(_) => Err(minijinja::Error::new(
                    minijinja::ErrorKind::InvalidOperation,
                    "this expression is too long or too deep",
                )),
            }
        });
        let trace = Arc::new(Trace::default());
        let scope = Arc::new(scope);
        let file = template.source.path.to_string_lossy();
        let context = View::root(&scope, &trace);
        let result = env
            .template_from_named_str(&file, &template.scanned.text)
            .and_then(|compiled| compiled.render(context.clone()));
        if let Some(problem) = trace.problem.lock().ok().and_then(|mut first| first.take()) {
            let range = chains::find(&template.scanned, &problem.path);
            let at = match range {
                Some(range) => template.place(range.start, range.end),
                None => source.at.clone(),
            };
            return Err(Error::playbook(problem.message, &at).hint(problem.hint));
        }
        let value = if trace.unknown.load(Ordering::Relaxed) {
            Value::AfterApply(format!("template {name}"))
        } else {
            Value::Text(result.map_err(|error| template.failed(&error, self, &context))?)
        };
        let mut node = Node::new(&source.at, value);
        let reads_secret = trace.secret.load(Ordering::Relaxed);
        node.secret = reads_secret
            || node
                .as_text()
                .is_some_and(|text| secret::redact(text) != *text);
        Ok(node)
    }

    /// What the template `source` names, and all it includes, refer to.
    pub(super) fn template_references(
        &self,
        source: &Node,
        scope: &Scope,
        extra: &Json,
    ) -> Findings {
        let mut findings = Findings::default();
        self.check_template(source, scope, extra, &mut findings);
        findings
    }
}
