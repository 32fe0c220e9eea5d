//! The connections that this run has open, for kinds that do something on a host themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::contract::Context;
use crate::ssh::Transport;

/// Connections by the host's name in the playbook, and whether root is by `sudo` there.
#[derive(Default)]
struct Open(Mutex<HashMap<String, Connection>>);

type Connection = (Arc<dyn Transport>, bool);

/// Keeps the connection to a host for others.
pub(super) fn remember(cx: &Context, host: &str, session: &Arc<dyn Transport>, sudo: bool) {
    let open = cx.aws.shared::<Open>();
    let mut open = open.0.lock().unwrap_or_else(PoisonError::into_inner);
    open.insert(host.to_owned(), (Arc::clone(session), sudo));
}

/// The connection to a host, where this run has one, and whether root is by `sudo` there.
#[must_use]
pub fn connection(cx: &Context, host: &str) -> Option<Connection> {
    let open = cx.aws.shared::<Open>();
    let open = open.0.lock().unwrap_or_else(PoisonError::into_inner);
    open.get(host).cloned()
}
