//! `hosts` and its operations on real sshd and systemd.

mod contact;
pub(crate) mod node;
mod operations;
mod site;
mod slow;
mod sources;
pub(crate) mod workshop;
