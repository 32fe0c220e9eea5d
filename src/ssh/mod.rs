//! Connects to hosts by the OpenSSH client, runs and copies; the only folder that quotes shell words.

pub mod command;

pub use command::Command;
