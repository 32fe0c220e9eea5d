//! The front: one endpoint for all services. It adds what AWS does and the emulator does not,
//! translates addresses, injects faults, drives hosts and records every call.

mod addresses;
mod call;
mod cloud;
mod commands;
mod control;
mod cut;
mod ec2;
mod effects;
mod faults;
mod fleets;
mod forward;
mod iam_names;
mod identity;
mod managed;
mod memory;
mod metadata;
mod operation;
mod protocol;
mod record;
mod registry;
mod reply;
mod rights;
mod run_command;
mod s3;
mod server;
mod sessions;
mod signature;
mod stale;
mod state;
mod tokens;
mod view;
mod xml;

pub(crate) use addresses::Addresses;
pub(crate) use call::Call;
pub(crate) use cloud::Cloud;
pub use control::Health;
pub use faults::{Effect, Fault};
pub use record::Recorded;
pub(crate) use server::{Doors, Front, Problems, serve};
pub(crate) use state::{State, States};
