//! The kinds of the playbook, one per file.

pub mod hosts;
