//! The front door for R: finds out what a folder is (an API, a Shiny app, a scheduled script, an
//! image of its own) and which packages it needs, and writes the Dockerfile and the playbook that
//! deploy it. It only reads the folder: it writes nothing itself, runs nothing, and knows no kind.

pub mod app;
mod arguments;
mod code;
mod description;
mod folder;
mod found;
mod image;
mod install;
mod launch;
mod lexer;
mod libraries;
mod look;
mod markdown;
mod name;
mod packages;
mod renv;
mod schedule;
mod serving;
pub mod signs;
mod variables;
mod write;

pub use app::{App, Evidence, Form, Origin, Package, Place, Variable};
pub use look::look;
pub use schedule::expression;
pub use signs::{SIGNS, Sign, table};
pub use write::{NewFile, Options, write};
