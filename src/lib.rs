//! tidewalk walks a declarative playbook and makes it true, and takes everything down again.

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
pub mod ssh;
