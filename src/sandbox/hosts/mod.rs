//! Instances as real hosts: a container with systemd and sshd for each. Knows no AWS protocol.

mod fleet;
mod seed;
mod worker;

pub(crate) use fleet::{Hosts, LABEL, NODE_IMAGE, Seat};
pub(crate) use worker::{Launch, Work};
