//! A way to a host's shell, whatever carries it: all that batches know of connections.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::session::Output;
use super::{Input, Session};
use crate::base::Result;

/// Receives a program's standard output as it comes, where the transport can tell so early.
pub type Heard<'a> = &'a mut (dyn FnMut(&[u8]) + Send);

/// Carries lines to a host's shell and brings back what they print.
#[async_trait]
pub trait Transport: Send + Sync {
    /// What messages call the host: `hosts.server`.
    fn host(&self) -> &str;

    /// Who it is that runs there, where that is known.
    fn login(&self) -> Option<&str>;

    /// What it carries goes only as fast as the host reads it, where that tells how far it is.
    fn is_paced(&self) -> bool {
        false
    }

    /// The way still stands.
    async fn is_alive(&self) -> bool;

    /// Runs a line for the host's shell, which reads `stdin`.
    ///
    /// # Errors
    /// When the way fails; not when the program does.
    async fn run(&self, line: &str, stdin: &Input, heard: Heard<'_>) -> Result<Output>;
}

/// Opens another way to a host to which one is open.
#[async_trait]
pub trait Reopen: Send + Sync {
    /// A new one, which shares nothing with the other; so long is waited for a host that is starting.
    ///
    /// # Errors
    /// What keeps the host from being reached.
    async fn open_anew(&self, booting: Duration) -> Result<Arc<dyn Transport>>;
}

#[async_trait]
impl Transport for Session {
    fn host(&self) -> &str {
        &self.destination().name
    }

    fn login(&self) -> Option<&str> {
        self.destination().user.as_deref()
    }

    fn is_paced(&self) -> bool {
        true
    }

    async fn is_alive(&self) -> bool {
        Self::is_alive(self).await
    }

    async fn run(&self, line: &str, stdin: &Input, heard: Heard<'_>) -> Result<Output> {
        Self::run(self, line, stdin, heard).await
    }
}
