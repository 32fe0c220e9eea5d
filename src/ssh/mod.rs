//! Connects to hosts by the OpenSSH client, runs and copies; the only folder that quotes shell words.
//! Knows nothing of playbooks, operations or AWS.

pub mod batch;
pub mod command;
pub mod destination;
pub mod host_key;
pub mod session;
pub mod terminal;
pub mod trouble;

pub use batch::{Batch, Outcome};
pub use command::Command;
pub use destination::{Destination, Jump};
pub use host_key::{HostKey, Pins};
pub use session::Session;
pub use terminal::{capture, exec, interactive};
