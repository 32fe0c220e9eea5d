//! `hosts` and its operations on real sshd and systemd.

mod contact;
mod guarded;
mod kept;
mod many;
pub(crate) mod node;
mod operations;
mod rolling;
mod site;
mod slow;
mod sources;
mod taken_away;
pub(crate) mod workshop;
