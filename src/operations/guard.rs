//! Changes that can cut us off are kept only when a new connection works: the host takes them back
//! by itself otherwise. `guard.sh` is the host's side.

use std::time::{Duration, Instant};

use super::change::Place;
use super::prelude;
use crate::base::{Error, Result};
use crate::ssh::batch::Run;
use crate::ssh::transport::Reopen;
use crate::ssh::{Batch, Command, Outcome, Transport};

/// A new connection that does not work after this never will: sshd may be restarting.
const ANEW: Duration = Duration::from_secs(15);
/// The old connection may hang: the host takes the change back by itself then.
const BY_THE_OLD_ONE: Duration = Duration::from_secs(20);
/// The host waits 45 seconds, and needs some for its services.
const BY_ITSELF: Duration = Duration::from_secs(90);

/// The last command of a change: did it touch what can cut us off?
pub(super) fn was_armed() -> (Run, Command) {
    (Run::Probe, Command::new(["tw_see_armed"]))
}

/// Keeps what was changed if a new connection works, and sees that it is taken back if not.
///
/// # Errors
/// When it was taken back, or when the host cannot be reached any more: what, and why.
pub(super) async fn confirm(place: &Place<'_>, doing: &(dyn Fn(&str) + Sync)) -> Result<()> {
    let Place { again, sudo, .. } = *place;
    let host = place.session.host();
    doing("seeing whether a new connection works");
    let why = match ask_anew(again, sudo, "tw_confirm", ANEW).await {
        Ok(Outcome {
            status: Some(0), ..
        }) => return Ok(()),
        Ok(late) => {
            let why = Error::failed("no new connection worked within a minute");
            return Err(taken_back(host, &told(&late), &why));
        }
        Err(why) => why,
    };
    doing("a new connection does not work: what was changed is taken back");
    let by_the_old_one = ask(place.session, sudo, "tw_take_back");
    if let Ok(Ok(done)) = tokio::time::timeout(BY_THE_OLD_ONE, by_the_old_one).await {
        return Err(taken_back(host, &told(&done), &why));
    }
    let start = Instant::now();
    while start.elapsed() < BY_ITSELF {
        tokio::time::sleep(Duration::from_secs(2)).await;
        if let Ok(done) = ask_anew(again, sudo, "tw_take_back", Duration::ZERO).await {
            return Err(taken_back(host, &told(&done), &why));
        }
    }
    Err(why
        .note("the change that was just made may have cut us off")
        .note("the host takes it back by itself within a minute, but still does not let us in")
        .hint("look at its console"))
}

async fn ask(session: &dyn Transport, sudo: bool, question: &str) -> Result<Outcome> {
    let command = Command::new([question]);
    let batch = Batch {
        prelude: prelude::of([&command].into_iter()),
        sudo,
        lock: true,
        commands: vec![(Run::Probe, command)],
    };
    let mut outcomes = session.batch(&batch, |_| {}).await?;
    Ok(outcomes.pop().unwrap_or_default())
}

async fn ask_anew(
    again: &dyn Reopen,
    sudo: bool,
    question: &str,
    booting: Duration,
) -> Result<Outcome> {
    let session = again.open_anew(booting).await?;
    ask(&*session, sudo, question).await
}

fn told(outcome: &Outcome) -> String {
    let text = String::from_utf8_lossy(&outcome.stdout);
    text.lines().collect::<Vec<_>>().join(", ")
}

fn taken_back(host: &str, what: &str, why: &Error) -> Error {
    let text = format!(
        "a change cut us off from {host}, and was taken back ({what}): {}",
        why.message()
    );
    let error = Error::failed(text).hint("mend it in the playbook: the host is as it was before");
    why.notes()
        .iter()
        .fold(error, |error, note| error.note(note.as_str()))
}
