//! A host that starts again in the middle of an apply: until it is back, as another start of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::{Error, Result};
use crate::ssh::transport::Reopen;
use crate::ssh::{Input, Transport};

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(500);
/// What is another after each start: the kernel's id of it and, in a container, when the first
/// process began.
const START: &str = "cat /proc/sys/kernel/random/boot_id && cut -d' ' -f22 /proc/1/stat";
/// Ends once all units that belong to the start are up, or cannot be.
const ALL_UP: &str = "timeout 60 systemctl is-system-running --wait";

/// Which start of the host this is.
pub(super) async fn start(session: &dyn Transport) -> Result<Vec<u8>> {
    let told = session.run(START, &Input::default(), &mut |_| {}).await?;
    match told.status {
        Some(0) => Ok(told.stdout),
        _ => Err(Error::failed("the host does not tell when it was started")),
    }
}

/// Waits until the host has started again: another start than `before`.
pub(super) async fn back(
    again: &dyn Reopen,
    host: &str,
    before: &[u8],
    within: Duration,
    doing: &(dyn Fn(&str) + Sync),
) -> Result<Arc<dyn Transport>> {
    doing("waiting until the host has started again");
    let begun = Instant::now();
    let mut last = None;
    while begun.elapsed() < within {
        tokio::time::sleep(PAUSE).await;
        match again.open_anew(Duration::ZERO).await {
            Ok(session) => match start(&*session).await {
                Ok(now) if now != before => {
                    session.run(ALL_UP, &Input::default(), &mut |_| {}).await?;
                    return Ok(session);
                }
                // It is still going down.
                Ok(_) => {}
                Err(error) => last = Some(error),
            },
            Err(error) => last = Some(error),
        }
    }
    let error = Error::failed(format!("{host} is not back after its restart"));
    let error = error.note(format!("waited for {} s", within.as_secs()));
    Err(match last {
        Some(last) => error.note(last.message()),
        None => error,
    })
}
