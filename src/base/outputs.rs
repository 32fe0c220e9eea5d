//! What a resource tells the others once it exists: `instances.server.public_ip`.

use serde_json::{Map, Value};

/// An output that every resource of a kind has: its name, and what it is.
pub type OutputMeaning = (&'static str, &'static str);

/// Named values of one live resource, readable in expressions as `SECTION.NAME.OUTPUT`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs(pub Map<String, Value>);

impl Outputs {
    /// Adds a value; `null` stands for one that the resource has not (no public address).
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// A value that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }
}
