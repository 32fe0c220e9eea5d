//! Events and errors as JSON objects, one a line; the schema is in [`super`].

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::base::secret::redact;
use crate::base::{Error, ErrorKind};
use crate::engine::Event;

/// What the lines are, for readers of the documentation.
pub const DOCUMENTATION: &str = include_str!("events.md");

/// Version of the event lines.
const VERSION: u8 = 1;

/// A document as the last line of a command.
#[must_use]
pub fn document(name: &str, document: Value) -> Value {
    let mut line = Map::new();
    line.insert("v".to_owned(), VERSION.into());
    line.insert("event".to_owned(), name.into());
    line.insert(name.to_owned(), document);
    Value::Object(line)
}

/// An event as a line.
#[must_use]
pub fn event(event: &Event) -> Value {
    match event {
        Event::Discovered {
            kind,
            count,
            elapsed,
        } => json!({
            "v": VERSION, "event": "discovered",
            "kind": kind, "count": count, "seconds": seconds(*elapsed),
        }),
        Event::Started { address, action } => json!({
            "v": VERSION, "event": "started",
            "address": address.to_string(), "action": action.word(),
        }),
        Event::Doing { address, what } => json!({
            "v": VERSION, "event": "doing",
            "address": address.to_string(), "what": what,
        }),
        Event::Done {
            address,
            action,
            id,
            elapsed,
        } => json!({
            "v": VERSION, "event": "done",
            "address": address.to_string(), "action": action.word(), "id": id,
            "seconds": seconds(*elapsed),
        }),
        Event::Failed { address, error } => json!({
            "v": VERSION, "event": "failed",
            "address": address.to_string(), "error": error,
        }),
        Event::Skipped { address, because } => json!({
            "v": VERSION, "event": "skipped",
            "address": address.to_string(), "because": because.to_string(),
        }),
        Event::CheckPassed { address, elapsed } => json!({
            "v": VERSION, "event": "check_passed",
            "address": address.to_string(), "seconds": seconds(*elapsed),
        }),
        Event::CheckFailed { address, error } => json!({
            "v": VERSION, "event": "check_failed",
            "address": address.to_string(), "error": error,
        }),
        Event::Note(text) => json!({ "v": VERSION, "event": "note", "text": text }),
    }
}

/// An error as a line.
#[must_use]
pub fn error(error: &Error) -> Value {
    json!({
        "v": VERSION,
        "event": "error",
        "kind": kind(error.kind()),
        "message": error.message(),
        "code": error.service_code(),
        "address": error.address().map(ToString::to_string),
        "at": error.location().map(|at| json!({
            "file": at.source.path.to_string_lossy(),
            "line": at.line,
            "column": at.column,
        })),
        "notes": error.notes(),
        "hints": error.hints(),
    })
}

fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Playbook => "playbook",
        ErrorKind::Usage => "usage",
        ErrorKind::Failed => "failed",
        ErrorKind::Unknown => "unknown",
        ErrorKind::Kept => "kept",
        ErrorKind::Interrupted => "interrupted",
    }
}

/// Every text in the value without the secrets in it.
#[must_use]
pub fn redacted(value: Value) -> Value {
    match value {
        Value::String(text) => redact(&text).into(),
        Value::Array(list) => list.into_iter().map(redacted).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (redact(&key), redacted(value)))
            .collect(),
        other => other,
    }
}

/// Milliseconds are enough.
fn seconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1000.0).round() / 1000.0
}
