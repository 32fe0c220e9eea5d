//! Connects to hosts by the OpenSSH client, runs and copies; the only folder that quotes shell words.
//! Knows nothing of playbooks, operations or AWS.

pub mod batch;
pub mod command;
pub mod destination;
mod frames;
pub mod host_key;
pub mod kept;
mod pace;
pub mod session;
pub mod streams;
pub mod terminal;
pub mod transport;
pub mod trouble;

pub use batch::{Batch, Outcome};
pub use command::Command;
pub use destination::{Destination, Jump};
pub use host_key::{HostKey, Pins};
pub use kept::Keep;
pub use session::{Output, Session};
pub use streams::Input;
pub use terminal::{capture, exec, interactive};
pub use transport::Transport;
