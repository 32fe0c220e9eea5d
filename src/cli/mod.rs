//! The command line: one file per command, and the wiring that introduces everyone to each other.
//!
//! | file | what it is |
//! |---|---|
//! | `program` | the list of commands, and the way from arguments to an exit code |
//! | `flags` | options that several commands share |
//! | `session` | playbook, account, kinds and engine put together for one run |
//! | `hosts` | where the hosts of a run are, and programs on them |
//! | `services` | which service is meant, and where it is |
//! | `approval`, `interrupt`, `saved`, `exit` | the question before a change, Ctrl-C, saved plans, exit codes |
//! | `reference` | `docs/cli.md`, made from the commands themselves |
//! | the rest | a command each: its arguments, whose comments are its help, and its `run` |

pub mod approval;
pub mod bundled;
pub mod exit;
pub mod flags;
pub mod hosts;
pub mod interrupt;
pub mod program;
pub mod reference;
pub mod saved;
pub mod services;
pub mod session;

pub mod apply;
pub mod check;
pub mod completions;
pub mod configure;
pub mod connections;
pub mod cost;
pub mod destroy;
pub mod exec;
pub mod graph;
pub mod logs;
pub mod new;
pub mod plan;
pub mod rollback;
pub mod sandbox;
pub mod schema;
pub mod secret;
pub mod ssh;
pub mod status;
pub mod stream;
pub mod users;
