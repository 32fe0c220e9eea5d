//! Plans, progress, errors, receipts as text, JSON or HTML; the only folder that prints.
//! Knows no kind, no AWS, no host: it shows what the engine hands over.
//!
//! Text is made with colours and stripped on the way out where they are not wanted. Everything
//! printed is searched for secrets first. Data (what a command was asked for) goes to stdout,
//! the rest to stderr.
//!
//! # JSON lines
#![doc = include_str!("events.md")]

pub mod alike;
pub mod connections;
pub mod cost;
pub mod duration;
pub mod error;
pub mod exec;
pub mod field;
pub mod graph;
pub mod html;
pub mod json;
pub mod logs;
pub mod monthly;
pub mod outcome;
pub mod output;
pub mod plan;
pub mod progress;
pub mod receipt;
pub mod reference;
pub mod status;
pub mod stream;
pub mod style;
pub mod table;
pub mod users;
pub mod wrap;

pub use output::Output;
pub use plan::Purpose;
