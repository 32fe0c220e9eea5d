//! The user's wish to stop: seen between steps, never in the middle of a call.

use std::sync::Arc;

use tokio::sync::watch;

/// A handle on the wish to stop; clones share it.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    /// Asks the run to finish what is in flight and begin nothing more.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Someone asked to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once someone asks to stop.
    pub async fn requested(&self) {
        // The sender lives in `self`, so the channel cannot close.
        let _ = self.0.subscribe().wait_for(|stop| *stop).await;
    }
}
