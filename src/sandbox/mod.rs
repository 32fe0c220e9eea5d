//! The embedded local cloud: an AWS emulator (moto), a front that makes it faithful for the calls
//! in use, and a real Linux host for every EC2 instance. Knows no playbook and no resource kind.
//!
//! # What is not modelled
//! - Every image but a baked one runs as Debian 12, whatever its name says: no yum, no Ubuntu
//!   packages.
//! - The metadata service (169.254.169.254) and instance roles' credentials.
//! - Security groups filter nothing: every port of a host is reachable.
//! - Volumes and their encryption: a host's disk is its container.
//! - `sysctl`, kernel modules and `hostnamectl` in hosts; a host that powers itself off boots
//!   again instead of ending up `stopped`.
//! - Several network interfaces, IPv6, DNS names.
//! - Hosts for the instances of Auto Scaling groups.
//! - IAM permissions are not enforced; quotas and throttling only by faults that are asked for.
//! - An elastic IP's association gets another id when its instance is stopped or started.
//! - Client tokens of services other than EC2.
//! - The Tagging API beyond what moto answers.

mod amis;
mod client;
mod daemon;
mod emulator;
mod front;
mod hosts;
mod launch;
mod lock;
mod network;
mod node_image;
mod place;
mod rules;

pub use client::Control;
pub use daemon::{Serving, prepare, serve, start};
pub use front::{Effect, Fault, Health, Recorded};
pub use launch::{Status, down, status, up};
pub use place::{
    ACCESS_KEY_ID, ACCOUNT, DIR_VARIABLE, HostNetwork, REGION, Running, SECRET_ACCESS_KEY,
    default_dir, locate,
};

/// Receives lines about what is being done.
pub type Say<'a> = dyn Fn(&str) + Send + Sync + 'a;
