//! What an expression sees: variables, environment, the current item, and outputs of resources.
//! Reading what is not known yet, or what is secret, leaves a trace.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, Serde};
use minijinja::{Error, ErrorKind, Value};

use super::names::{Names, keyed};
use crate::base::{Address, Known};

/// A value in an expression's scope.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// `None` when finding it failed: that was said already, so it is as good as not known yet.
    pub(super) value: Option<Value>,
    pub(super) secret: bool,
}

/// A fact of the run: `stack`, `region`, `account`.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    /// Known now.
    Known(String),
    /// Known once the run begins.
    Later,
    /// Not to be used in this place.
    NotHere,
}

/// Everything that one expression may read.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) vars: Arc<IndexMap<String, Given>>,
    pub(super) env: Arc<BTreeMap<String, String>>,
    pub(super) each: Option<(String, Given)>,
    pub(super) stack: Fact,
    pub(super) region: Fact,
    pub(super) account: Fact,
    /// Outputs of resources may be read.
    pub(super) outputs: bool,
    pub(super) names: Arc<Names>,
    pub(super) known: Arc<BTreeMap<Address, Known>>,
    /// Laid over everything else.
    pub(super) extra: Arc<serde_json::Map<String, serde_json::Value>>,
}

/// What went wrong while a resource was read.
#[derive(Debug)]
pub(super) struct Problem {
    /// The dotted name that was read.
    pub(super) path: String,
    pub(super) message: String,
    pub(super) hint: String,
}

/// What an evaluation touched.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) unknown: AtomicBool,
    pub(super) secret: AtomicBool,
    pub(super) problem: Mutex<Option<Problem>>,
}

impl Trace {
    fn report(&self, problem: Problem) {
        if let Ok(mut first) = self.problem.lock() {
            first.get_or_insert(problem);
        }
    }

    /// Stands for a value that is not known yet; using it fails, which the trace explains.
    fn unknown(&self) -> Value {
        self.unknown.store(true, Ordering::Relaxed);
        Value::from(Error::new(
            ErrorKind::InvalidOperation,
            "known only after apply",
        ))
    }
}

/// One part of the scope, as the template engine walks it.
#[derive(Debug)]
pub(super) struct View {
    scope: Arc<Scope>,
    trace: Arc<Trace>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Root,
    Vars,
    Env,
    Each,
    Section(String),
    Group(String, String),
    Resource(Address),
}

impl View {
    /// The whole scope.
    pub(super) fn root(scope: &Arc<Scope>, trace: &Arc<Trace>) -> Value {
        Value::from_object(Self {
            scope: Arc::clone(scope),
            trace: Arc::clone(trace),
            what: What::Root,
        })
    }

    fn part(&self, what: What) -> Value {
        Value::from_object(Self {
            scope: Arc::clone(&self.scope),
            trace: Arc::clone(&self.trace),
            what,
        })
    }

    fn given(&self, given: &Given) -> Value {
        if given.secret {
            self.trace.secret.store(true, Ordering::Relaxed);
        }
        given.value.clone().unwrap_or_else(|| self.trace.unknown())
    }

    fn fact(&self, fact: &Fact) -> Option<Value> {
        match fact {
            Fact::Known(text) => Some(Value::from(text)),
            Fact::Later => Some(self.trace.unknown()),
            Fact::NotHere => None,
        }
    }

    fn root_value(&self, key: &str) -> Option<Value> {
        let scope = &self.scope;
        if key != "vars"
            && let Some(extra) = scope.extra.get(key)
        {
            return Some(Value::from(Serde(extra)));
        }
        match key {
            "vars" => Some(self.part(What::Vars)),
            "env" => Some(self.part(What::Env)),
            "each" => scope.each.as_ref().map(|_| self.part(What::Each)),
            "stack" => self.fact(&scope.stack),
            "region" => self.fact(&scope.region),
            "account" => self.fact(&scope.account),
            section if scope.outputs && scope.names.sections.contains_key(section) => {
                Some(self.part(What::Section(section.to_owned())))
            }
            _ => None,
        }
    }

    fn var(&self, key: &str) -> Option<Value> {
        let over = self.scope.extra.get("vars").and_then(|vars| vars.get(key));
        match over {
            Some(over) => Some(Value::from(Serde(over))),
            None => self.scope.vars.get(key).map(|given| self.given(given)),
        }
    }

    fn output(&self, address: &Address, key: &str) -> Value {
        if let Some(lender) = self.scope.names.lender(address, key) {
            return self.output(&lender, key);
        }
        let Some(known) = self.scope.known.get(address) else {
            return self.trace.unknown();
        };
        let Some(outputs) = &known.outputs else {
            return self.trace.unknown();
        };
        if known.unsettled.iter().any(|unsettled| unsettled == key) {
            return self.trace.unknown();
        }
        if let Some(value) = outputs.0.get(key) {
            return Value::from(Serde(value));
        }
        let names: Vec<_> = outputs.0.keys().map(String::as_str).collect();
        let message = format!("`{address}` has no output `{key}`");
        self.trace.report(Problem {
            path: format!("{address}.{key}"),
            message: message.clone(),
            hint: crate::base::suggestion::hint(key, &names),
        });
        Value::from(Error::new(ErrorKind::UndefinedError, message))
    }

    fn keys(&self) -> Vec<Value> {
        let scope = &self.scope;
        let names = &scope.names;
        match &self.what {
            What::Root => Vec::new(),
            What::Vars => {
                let over = scope.extra.get("vars").and_then(|vars| vars.as_object());
                let over = over.into_iter().flat_map(|over| over.keys());
                let own = scope.vars.keys().filter(|key| {
                    scope
                        .extra
                        .get("vars")
                        .is_none_or(|vars| vars.get(key.as_str()).is_none())
                });
                over.chain(own).map(Value::from).collect()
            }
            What::Env => scope.env.keys().map(Value::from).collect(),
            What::Each => vec![Value::from("key"), Value::from("value")],
            What::Section(kind) => {
                let section = names.sections.get(kind);
                section
                    .into_iter()
                    .flat_map(|all| all.keys())
                    .map(Value::from)
                    .collect()
            }
            What::Group(kind, name) if names.is_pending(kind, name) => {
                self.trace.unknown();
                Vec::new()
            }
            What::Group(kind, name) => match names.keys(kind, name) {
                Some(Some(keys)) => keys.iter().map(Value::from).collect(),
                _ => Vec::new(),
            },
            What::Resource(address) => match scope.known.get(address) {
                Some(known) if known.unsettled.is_empty() && known.outputs.is_some() => {
                    let outputs = known.outputs.iter().flat_map(|outputs| outputs.0.keys());
                    outputs.map(Value::from).collect()
                }
                _ => {
                    self.trace.unknown();
                    Vec::new()
                }
            },
        }
    }
}

impl Object for View {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let number;
        let key = if let Some(key) = key.as_str() {
            key
        } else {
            number = key.to_string();
            &number
        };
        match &self.what {
            What::Root => self.root_value(key),
            What::Vars => self.var(key),
            What::Env => self.scope.env.get(key).map(Value::from),
            What::Each => {
                let (name, value) = self.scope.each.as_ref()?;
                match key {
                    "key" => Some(Value::from(name)),
                    "value" => Some(self.given(value)),
                    _ => None,
                }
            }
            What::Section(kind) => match self.scope.names.keys(kind, key)? {
                None => Some(self.part(What::Resource(Address::new(kind, key)))),
                Some(_) => Some(self.part(What::Group(kind.clone(), key.to_owned()))),
            },
            What::Group(kind, name) if self.scope.names.is_pending(kind, name) => {
                Some(self.trace.unknown())
            }
            What::Group(kind, name) => {
                let keys = self.scope.names.keys(kind, name)?.as_ref()?;
                keys.contains(key)
                    .then(|| self.part(What::Resource(keyed(kind, name, key))))
            }
            What::Resource(address) => Some(self.output(address, key)),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.keys())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    /// Only values can be written out; a resource is more than one.
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, what) = match &self.what {
            What::Root => return f.write_str("{…}"),
            What::Vars => ("vars".to_owned(), "all variables"),
            What::Env => ("env".to_owned(), "the whole environment"),
            What::Each => ("each".to_owned(), "a pair of `key` and `value`"),
            What::Section(kind) => (kind.clone(), "a whole section"),
            What::Group(kind, name) => (format!("{kind}.{name}"), "several resources"),
            What::Resource(address) => (address.to_string(), "a resource, not a value"),
        };
        self.trace.report(Problem {
            message: format!("`{path}` is {what}"),
            hint: match &self.what {
                What::Resource(_) => format!(
                    "add the output to use, such as `{path}.id`; a field that names a resource \
                     takes the bare name, without braces"
                ),
                _ => format!("add a name: `{path}.NAME`"),
            },
            path,
        });
        Ok(())
    }
}
