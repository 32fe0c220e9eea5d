//! Ctrl-C: once to stop after the calls in flight, twice to stop at once.

use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;
use crate::base::{Result, ResultExt};
use crate::engine::{Event, Observer as _, Stop};
use crate::report::Output;

/// From now on Ctrl-C (and SIGTERM) asks the run to stop instead of ending the process.
///
/// # Errors
/// When signals cannot be received.
pub fn watch(stop: &Stop, out: &Output) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("watching for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("watching for SIGTERM")?;
    let (stop, out) = (stop.clone(), out.clone());
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => out.take_back_echo(),
                _ = terminate.recv() => {}
            }
            if stop.is_requested() {
                out.event(&Event::Note(
                    "stopped at once; the next run finds what was begun".to_owned(),
                ));
                out.end();
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            stop.request();
            out.event(&Event::Note(
                "stopping once the calls in flight are finished; Ctrl-C again stops at once"
                    .to_owned(),
            ));
        }
    });
    Ok(())
}
