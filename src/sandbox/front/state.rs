//! Instance states as AWS reports them, where the emulator is ahead of the hosts.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An instance's state; codes as in
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Being started.
    Pending,
    /// Started.
    Running,
    /// Being terminated.
    ShuttingDown,
    /// Gone, still listed for a while.
    Terminated,
    /// Being stopped.
    Stopping,
    /// Stopped.
    Stopped,
}

impl State {
    const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::ShuttingDown,
        Self::Terminated,
        Self::Stopping,
        Self::Stopped,
    ];

    /// AWS's name for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }

    /// AWS's number for it.
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }

    /// The state of that name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What the front knows of instances and young resources beyond the emulator; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct States(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    overlay: HashMap<String, State>,
    protected: HashSet<String>,
    created: HashMap<String, Instant>,
}

impl States {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instance is on its way: report this state until [`States::settle`].
    pub(crate) fn set(&self, id: &str, state: State) {
        self.lock().overlay.insert(id.to_owned(), state);
    }

    /// The instance has arrived: the emulator's state is right.
    pub(crate) fn settle(&self, id: &str) {
        self.lock().overlay.remove(id);
    }

    /// The state to report instead of the emulator's.
    pub(crate) fn overlay(&self, id: &str) -> Option<State> {
        self.lock().overlay.get(id).copied()
    }

    /// Turns termination protection on or off.
    pub(crate) fn protect(&self, id: &str, protected: bool) {
        let mut inner = self.lock();
        if protected {
            inner.protected.insert(id.to_owned());
        } else {
            inner.protected.remove(id);
        }
    }

    /// Whether the instance is protected from termination.
    pub(crate) fn is_protected(&self, id: &str) -> bool {
        self.lock().protected.contains(id)
    }

    /// Something was created just now.
    pub(crate) fn created(&self, id: &str) {
        self.lock().created.insert(id.to_owned(), Instant::now());
    }

    /// Whether it was created less than `age` ago.
    pub(crate) fn is_younger(&self, id: &str, age: Duration) -> bool {
        self.lock()
            .created
            .get(id)
            .is_some_and(|born| born.elapsed() < age)
    }
}
