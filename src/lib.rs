//! tidewalk walks a declarative playbook and makes it true: AWS resources and what is on the
//! hosts, in one plan, with one graph. Then it takes everything down again and proves it.
//!
//! # Bird's-eye view
//! ```text
//! playbook.yml ─ playbook ─▶ located values, references
//!                               │
//!                 engine ◀──────┘      graph → discover → diff → plan → approval → apply → checks
//!                    │  ▲                        ▲                                 │
//!          contract  │  │ Found, Diff            └── report shows, cli asks        │
//!                    ▼  │                                                          ▼
//!                resources ── aws ──▶ the account        operations ── ssh ──▶ the hosts
//! ```
//! Nothing is kept on this machine that the truth depends on: who owns a resource is written in
//! its tags, what is wanted stands in the playbook, and the plan is the difference.
//!
//! # Folders, and what each may know
//! | folder | what it is | may use |
//! |---|---|---|
//! | [`base`] | plain values: address, diff, location, error, suggestion, secret | nothing |
//! | [`playbook`] | YAML text to located values; variables; expressions; schema | base |
//! | [`aws`] | SDK configuration, clients, ownership tags, waits, the record of calls | base |
//! | [`ssh`] | connects, runs, copies; the only place that quotes shell words | base |
//! | [`docker`] | talks to the Docker Engine API | base |
//! | [`stream`] | the records of a Kinesis stream, and programs that work on them | base, aws |
//! | [`scaffold`] | what a folder with an app is, and the files that deploy it | base |
//! | [`contract`] | the traits of kinds and operations, nothing else | base, aws, ssh, docker |
//! | [`engine`] | graph, plan, apply, destroy, receipt, journal; never a kind | base, contract, playbook |
//! | [`operations`] | one host operation per file | base, contract, ssh |
//! | [`resources`] | one kind per file | base, contract, aws, ssh, docker, operations |
//! | [`sandbox`] | the embedded local cloud | base, aws, docker, ssh |
//! | [`report`] | text, JSON and HTML; the only printer | base, engine, playbook |
//! | [`cli`] | one command per file; introduces everyone to each other | all |
//!
//! `tests/fast/layers.rs` fails on a `use` that this table does not allow.
//!
//! # Invariants
//! 1. No state file: ownership is written on the resources. Deletion without proof of ownership
//!    does not happen.
//! 2. Everything that will change is in the plan before it changes; what is not known yet is shown
//!    as that.
//! 3. A saved plan is applied only if the world still gives that plan.
//! 4. Every step is safe to repeat; a run that was killed converges when it is run again.
//! 5. Discovery makes one listing per kind in use, not one call per resource.
//! 6. A listing that failed is UNKNOWN, never "empty".
//! 7. No SDK type leaves a file of [`resources`]; no kind's name stands in [`engine`].
//! 8. A secret never reaches a plan, a log, a report, an error or a process's arguments.
//! 9. An error says where it is, what holds it and what to do next.
//!
//! # To add
//! - a kind: a file in [`resources`], a line in its registry, a folder of cases;
//! - an operation: a file in [`operations`], a line in its registry, a folder of cases;
//! - a command: a file in [`cli`], a line in [`cli::program`].

pub mod aws;
pub mod base;
pub mod cli;
pub mod contract;
pub mod docker;
pub mod engine;
pub mod operations;
pub mod playbook;
pub mod report;
pub mod resources;
pub mod sandbox;
pub mod scaffold;
pub mod ssh;
pub mod stream;
