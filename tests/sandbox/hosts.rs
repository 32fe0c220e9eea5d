//! `hosts` and its operations on real sshd and systemd.

mod contact;
mod node;
mod operations;
mod site;
mod slow;
mod sources;
mod workshop;
