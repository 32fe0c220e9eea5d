//! One change of a host: what all operations ask for, in one round trip.

use super::round::{Look, Seen};
use super::{Declared, guard, prelude};
use crate::base::secret::redact;
use crate::base::{Error, Location, Result, Shown};
use crate::contract::Work;
use crate::ssh::batch::Run;
use crate::ssh::transport::Reopen;
use crate::ssh::{Batch, Command, Outcome, Transport};

/// Lines of a failed command's output that are shown.
const SHOWN_LINES: usize = 15;

/// A host that is being worked on.
pub struct Place<'a> {
    /// The open connection.
    pub session: &'a dyn Transport,
    /// How a new one is tried.
    pub again: &'a dyn Reopen,
    /// Become root by `sudo`.
    pub sudo: bool,
    /// Name of the stack.
    pub stack: &'a str,
    /// Name of the host in the playbook.
    pub name: &'a str,
}

impl Place<'_> {
    /// A command that is about what is noted for this host.
    pub(super) fn named(&self, function: &str) -> Command {
        Command::new([function, self.stack, self.name])
    }
}

/// Changes everything in one round trip, and looks at the host after that in the same one; `doing` hears
/// which operation is at work. What was seen then; `None` where the look is to be another one, because
/// something was changed after it.
///
/// # Errors
/// The first operation that failed, with what the host said; what came before it stays done, and
/// what asked for a reload got it. And what cut us off, which is taken back.
pub async fn change(
    place: &Place<'_>,
    declared: &[Declared],
    works: Vec<Work>,
    seen: &Seen,
    look: Look,
    doing: &(dyn Fn(&str) + Sync),
) -> Result<Option<Seen>> {
    let name = place.session.host();
    let mut commands = vec![(Run::Step, place.named("tw_begin"))];
    let mut labels = vec![("the notes of what was made".to_owned(), None)];
    let mut asked = Vec::new();
    for (item, work) in declared.iter().zip(works) {
        if work
            .changes
            .iter()
            .any(|change| change.new == Shown::AfterApply)
        {
            return Err(
                Error::failed(format!("`{}` on {name} is still not known", item.label()))
                    .at(&item.node.at),
            );
        }
        for command in work.commands {
            commands.push((Run::Step, command));
            labels.push((item.label(), Some(&item.node.at)));
        }
        asked.extend(work.notifies);
    }
    let pending = seen.pending.iter().map(|(_, unit)| unit.as_str());
    let asked = asked.iter();
    let asked = asked.filter_map(|notify| notify.split_once(':').map(|(_, unit)| unit));
    let mut units: Vec<&str> = Vec::new();
    for unit in asked.chain(pending) {
        if !units.contains(&unit) {
            units.push(unit);
        }
    }
    for unit in units {
        commands.push((Run::Always, Command::new(["tw_notify", unit])));
        labels.push((format!("reload or restart of {unit}"), None));
    }
    commands.push(guard::was_armed());
    let changes = commands.len();
    commands.extend(look.commands());
    let prelude = prelude::of(commands.iter().map(|(_, command)| command));
    let batch = Batch {
        prelude,
        sudo: place.sudo,
        lock: true,
        commands,
    };
    if let Some((label, _)) = labels.get(1) {
        doing(label);
    }
    let mut outcomes = place
        .session
        .batch(&batch, |count| {
            if let Some((label, _)) = labels.get(count) {
                doing(label);
            }
        })
        .await?;
    let looked = outcomes.split_off(changes);
    let armed = outcomes.pop().is_some_and(|last| last.status == Some(0));
    let failure = first_failure(name, &outcomes, &labels);
    let confirms = armed || seen.unconfirmed.is_some();
    if confirms {
        guard::confirm(place, doing).await?;
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok((!confirms).then(|| look.seen(looked))),
    }
}

fn first_failure(
    host: &str,
    outcomes: &[Outcome],
    labels: &[(String, Option<&Location>)],
) -> Option<Error> {
    let mut failure: Option<Error> = None;
    for (outcome, (label, at)) in outcomes.iter().zip(labels) {
        if matches!(outcome.status, None | Some(0)) {
            continue;
        }
        let error = failed(host, label, outcome);
        failure = Some(match (failure, at) {
            (Some(first), _) => first.note(error.message()),
            (None, Some(at)) => error.at(at),
            (None, None) => error,
        });
    }
    failure
}

pub(super) fn failed(host: &str, label: &str, outcome: &Outcome) -> Error {
    let status = outcome.status.unwrap_or_default();
    let mut said = outcome.stderr.clone();
    if said.iter().all(u8::is_ascii_whitespace) {
        said.clone_from(&outcome.stdout);
    }
    let said = redact(&String::from_utf8_lossy(&said));
    let mut lines: Vec<_> = said
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    let last = lines.pop();
    let last = last.map_or_else(|| format!("exit status {status}"), str::to_owned);
    let skip = lines.len().saturating_sub(SHOWN_LINES);
    lines.into_iter().skip(skip).fold(
        Error::failed(format!("{label} on {host}: {last}")),
        |error, line| error.note(format!("the host said: {line}")),
    )
}

/// Runs one of the functions that only note something on the host.
///
/// # Errors
/// When it fails.
pub async fn mark(session: &dyn Transport, sudo: bool, function: &str) -> Result<()> {
    let command = Command::new([function]);
    let batch = Batch {
        prelude: prelude::of([&command].into_iter()),
        sudo,
        lock: true,
        commands: vec![(Run::Step, command)],
    };
    let outcomes = session.batch(&batch, |_| {}).await?;
    let name = session.host();
    match outcomes.first() {
        Some(done) if done.status != Some(0) => Err(failed(name, function, done)),
        _ => Ok(()),
    }
}
