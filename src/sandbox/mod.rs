//! The embedded local cloud: an AWS emulator (moto), a front that makes it faithful for the calls
//! in use, a real Linux host for every EC2 instance, a real registry behind ECR, real containers for ECS
//! tasks, and `HAProxy` for load balancers. Knows no playbook and no resource kind.
//!
//! # What is not modelled
//! - Every image but a baked one runs as Debian 12, whatever its name says: no yum, no Ubuntu
//!   packages.
//! - Of the metadata service (169.254.169.254), more than the common keys; version 1, and the limit of hops.
//! - Of Systems Manager's Run Command, other documents than `AWS-RunShellScript`, targets by tag, and
//!   the agent's limit of five commands at a time.
//! - Security groups filter nothing: every port of a host is reachable.
//! - Volumes and their encryption: a host's disk is its container.
//! - `sysctl`, kernel modules and `hostnamectl` in hosts; a host that powers itself off boots
//!   again instead of ending up `stopped`.
//! - Several network interfaces, IPv6, DNS names.
//! - IAM permissions are enforced for the roles of instances and tasks alone, without conditions, boundaries and
//!   bucket policies, and by resource for S3, Kinesis, `DynamoDB`, ECR, SNS, and calls for one secret or parameter; quotas and throttling only by faults that are asked for.
//! - An elastic IP's association gets another id when its instance is stopped or started.
//! - Client tokens of other calls than `RunInstances`.
//! - Of Auto Scaling: scaling policies, health checks, lifecycle hooks, instance refreshes in steps,
//!   and `Terminating`: a member that goes has left its group at once.
//! - ECS tasks run on this machine, those for EC2 as those for Fargate: without volumes, `dependsOn`,
//!   service discovery, metadata endpoint and limits of CPU. The task role's credentials are environment
//!   variables. Without hosts (`--no-hosts`) no container is started: a service has all its tasks at once,
//!   none is listed, and targets are always healthy.
//! - Load balancers answer at addresses of this machine, which are their DNS names, too. A group without a
//!   healthy target gets 503, where AWS would try all of them. Weights, stickiness, slow start, network load
//!   balancers and targets by instance (always healthy) are not there, nor are their network interfaces.
//! - The registry behind ECR is at an address of this machine, the region in what images are called; it takes
//!   any login of the user `AWS` that looks like one. Layers of deleted images stay in it, nothing is scanned,
//!   and nothing expires.
//! - Schedules start tasks, and nothing else; without flexible windows, dates and retries. Services do not
//!   scale by themselves. Alarms are not evaluated, topics send nothing, certificates are issued by
//!   themselves, names are not resolved.
//! - States in between, but for instances, load balancers and Route 53's changes: what is made is
//!   active at once, and what is deleted is gone. Keys and secrets wait for their deletion for ever.
//! - The Tagging API does not lag, forgets what has no tag any more, shows no reports, and writes
//!   no tags of ECR, Kinesis, Elastic Load Balancing, IAM, Route 53 and Scheduler.
//! - Parameters that are secure strings are not encrypted; keys have no grants that bind.

mod amis;
mod client;
mod daemon;
mod emulator;
pub mod exchange;
mod front;
mod hosts;
mod launch;
mod link_local;
mod lock;
mod network;
mod node_image;
mod place;
mod registry;
mod rules;

pub use client::Control;
pub use daemon::{Options, Serving, prepare, serve, start};
pub use front::{Effect, Fault, Health, Recorded};
pub use launch::{Status, down, status, up};
pub use place::{
    ACCESS_KEY_ID, ACCOUNT, DIR_VARIABLE, ExchangePlace, HostNetwork, REGION, Running,
    SECRET_ACCESS_KEY, default_dir, for_apps, locate,
};

/// Receives lines about what is being done.
pub type Say<'a> = dyn Fn(&str) + Send + Sync + 'a;
