//! What was put on a host, as the host itself has noted it, and taking it away again. `manifest.sh`
//! is the host's side.

use super::change::{Place, failed};
use super::{guard, prelude};
use crate::base::{Error, Result};
use crate::ssh::batch::Run;
use crate::ssh::{Batch, Command};

/// What is noted for a stack's host, the oldest first: `file /etc/motd`, `package nginx`.
///
/// # Errors
/// When the connection fails.
pub async fn made(place: &Place<'_>) -> Result<Vec<String>> {
    let seen = run(place, Run::Probe, vec![place.named("tw_see_made")]).await?;
    Ok(seen.into_iter().next().unwrap_or_default())
}

/// Takes it all away, the newest first; tells what had to be left, and why.
///
/// # Errors
/// When something failed: it stays noted. And when it cut us off, and was taken back.
pub async fn undo(place: &Place<'_>, doing: &(dyn Fn(&str) + Sync)) -> Result<Vec<String>> {
    doing("taking away what was put there");
    let commands = vec![place.named("tw_undo"), Command::new(["tw_see_armed"])];
    let batch = Batch {
        prelude: prelude::of(commands.iter()),
        sudo: place.sudo,
        lock: true,
        commands: commands.into_iter().map(|it| (Run::Always, it)).collect(),
    };
    let outcomes = place.session.batch(&batch, |_| {}).await?;
    let armed = outcomes.get(1).is_some_and(|it| it.status == Some(0));
    if armed {
        guard::confirm(place, doing).await?;
    }
    let done = outcomes.into_iter().next().unwrap_or_default();
    let lines = lines(&done.stdout);
    let left: Vec<String> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("left "))
        .map(str::to_owned)
        .collect();
    if done.status == Some(0) {
        return Ok(left);
    }
    let name = place.session.host();
    let error = if left.is_empty() {
        failed(name, "taking away what was put there", &done)
    } else {
        Error::failed(format!(
            "not everything could be taken away from {name}; it stays noted there"
        ))
    };
    Err(left.into_iter().fold(error, Error::note))
}

async fn run(place: &Place<'_>, run: Run, commands: Vec<Command>) -> Result<Vec<Vec<String>>> {
    let batch = Batch {
        prelude: prelude::of(commands.iter()),
        sudo: place.sudo,
        lock: false,
        commands: commands.into_iter().map(|it| (run, it)).collect(),
    };
    let outcomes = place.session.batch(&batch, |_| {}).await?;
    Ok(outcomes.iter().map(|it| lines(&it.stdout)).collect())
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::to_owned).collect()
}
