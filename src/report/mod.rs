//! Plans, progress, errors, receipts as text, JSON or HTML; the only folder that prints.
//! Knows no kind, no AWS, no host: it shows what the engine hands over.
//!
//! Text is made with colours and stripped on the way out where they are not wanted. Everything
//! printed is searched for secrets first. Data (what a command was asked for) goes to stdout,
//! the rest to stderr.
//!
//! # JSON lines
//! With `--json`, stdout carries one object a line, each with `"v": 1` and an `"event"`:
//!
//! | event | further members |
//! |---|---|
//! | `discovered` | `kind`, `count`, `seconds` |
//! | `started` | `address`, `action` |
//! | `doing` | `address`, `what` |
//! | `done` | `address`, `action`, `id`, `seconds` |
//! | `failed`, `check_failed` | `address`, `error` |
//! | `skipped` | `address`, `because` |
//! | `check_passed` | `address`, `seconds` |
//! | `note` | `text` |
//! | `error` | `kind`, `message`, `code`, `address`, `at` (`file`, `line`, `column`), `notes`, `hints` |
//! | `plan`, `outcome`, `receipt`, `status`, `graph`, `check`, `exec` | the document, under the event's own name; the last line |
//!
//! Actions are `nothing`, `create`, `update`, `replace`, `delete`, `keep`, `read`. Members may be
//! added within version 1; none is removed or changes its meaning.

pub mod duration;
pub mod error;
pub mod exec;
pub mod field;
pub mod graph;
pub mod html;
pub mod json;
pub mod outcome;
pub mod output;
pub mod plan;
pub mod progress;
pub mod receipt;
pub mod status;
pub mod style;
pub mod table;
pub mod wrap;

pub use output::Output;
pub use plan::Purpose;
