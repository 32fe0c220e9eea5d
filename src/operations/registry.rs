//! One entry per operation: its name, its schema, and how it is read.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::ALL;
use crate::base::deserialize::from_node;
use crate::base::node::Step;
use crate::base::{Node, Result};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// An operation whose type does not matter any more. See [`Operation`] for what each does.
pub trait Planned: Send + Sync {
    /// As [`Operation::label`].
    fn label(&self) -> String;
    /// As [`Operation::check`].
    fn check(&self) -> Vec<(Vec<Step>, String)>;
    /// As [`Operation::probe`].
    ///
    /// # Errors
    /// As there.
    fn probe(&self, target: Target<'_>) -> Result<Vec<Command>>;
    /// As [`Operation::parameters`].
    fn parameters(&self, facts: &[Fact]) -> Vec<String>;
    /// As [`Operation::work`].
    ///
    /// # Errors
    /// As there.
    fn work(&self, target: Target<'_>, facts: &[Fact]) -> Result<Work>;
}

impl<O: Operation> Planned for O {
    fn label(&self) -> String {
        Operation::label(self)
    }

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        Operation::check(self)
    }

    fn probe(&self, target: Target<'_>) -> Result<Vec<Command>> {
        Operation::probe(self, target)
    }

    fn parameters(&self, facts: &[Fact]) -> Vec<String> {
        Operation::parameters(self, facts)
    }

    fn work(&self, target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        Operation::work(self, target, facts)
    }
}

/// One operation of the registry.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its key in `operations:`.
    pub name: &'static str,
    /// Its JSON Schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads its arguments.
    pub read: fn(&Node) -> Result<Box<dyn Planned>>,
}

impl Entry {
    /// The entry of an operation.
    #[must_use]
    pub const fn of<O: Operation>() -> Self {
        Self {
            name: O::NAME,
            schema: O::json_schema,
            read: |node| {
                from_node::<O>(node).map(|operation| Box::new(operation) as Box<dyn Planned>)
            },
        }
    }
}

/// The operation of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    const { &ALL }.iter().find(|entry| entry.name == name)
}

/// Stands for one item of `operations:` in a schema: a mapping with one key.
#[derive(Debug)]
pub struct AnyOperation;

impl JsonSchema for AnyOperation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Operation".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let choices: Vec<_> = ALL
            .iter()
            .map(|entry| {
                let schema = (entry.schema)(generator);
                schemars::json_schema!({
                    "type": "object",
                    "properties": {
                        (entry.name): schema,
                        "for_each": {
                            "description": "One such operation for each item of a list or each entry of a mapping; `each.key` and `each.value` are the item.",
                            "type": ["array", "object", "null"],
                        },
                        "when": {
                            "description": "Only if this is true.",
                            "type": ["boolean", "null"],
                        },
                    },
                    "required": [entry.name],
                    "additionalProperties": false,
                })
            })
            .collect();
        schemars::json_schema!({
            "description": "One thing wanted of the host.",
            "oneOf": choices,
        })
    }
}

/// Stands for one item of `setups:` in a schema.
#[derive(Debug)]
pub struct AnySetup;

impl JsonSchema for AnySetup {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Setup".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "A setup: its name, or its name with values for its variables.",
            "anyOf": [
                { "type": "string" },
                { "type": "object", "minProperties": 1, "maxProperties": 1 },
            ],
        })
    }
}
