//! One look at a host: what all operations ask, in one round trip, and what is to be done then.

use std::collections::HashMap;

use super::file::File;
use super::line::Line;
use super::placement::update;
use super::template::Template;
use super::{Declared, prelude, seen_file};
use crate::base::{Blob, Diff, Error, FieldChange, Node, Result, Shown};
use crate::contract::{Fact, Operation as _, Target, Work};
use crate::ssh::batch::Run;
use crate::ssh::{Batch, Command, Outcome, Transport};

/// A host as one look found it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// `ID VERSION_ID` of /etc/os-release: `debian 12`.
    pub os: String,
    /// Units that an interrupted run left to reload or restart: verb and unit.
    pub pending: Vec<(String, String)>,
    /// What an interrupted run changed and did not confirm, though it can cut us off.
    pub unconfirmed: Option<String>,
    /// The host was changed, and nobody saw that it answers as it should.
    pub unproven: bool,
    /// Facts per operation; `None` for one that is known only after apply.
    pub facts: Vec<Option<Vec<Fact>>>,
}

/// What a look asks, and where the answers stand.
pub struct Look {
    commands: Vec<Command>,
    /// So many answers only serve the others.
    bulk: usize,
    /// Places of an operation's answers.
    places: Vec<Option<Vec<usize>>>,
}

impl Look {
    /// What these operations ask.
    ///
    /// # Errors
    /// When an operation names a file that is not there.
    pub fn of(host: Target<'_>, declared: &[Declared]) -> Result<Self> {
        let mut commands = vec![
            Command::new(["tw_see_os"]),
            Command::new(["tw_see_pending"]),
            Command::new(["tw_see_guard"]),
        ];
        let mut asked = Asked::default();
        let mut places = Vec::new();
        for item in declared {
            let probes = match &item.operation {
                Some(operation) => Some(operation.probe(item.target(host))?),
                None => None,
            };
            let ask = |probe| asked.once(probe, &mut commands);
            places.push(probes.map(|probes| probes.into_iter().map(ask).collect::<Vec<_>>()));
        }
        let mut all = in_bulk(&commands);
        let bulk = all.len();
        all.append(&mut commands);
        Ok(Self {
            commands: all,
            bulk,
            places,
        })
    }

    /// The questions, for a batch.
    pub fn commands(&self) -> impl Iterator<Item = (Run, Command)> {
        let commands = self.commands.iter().cloned();
        commands.map(|command| (Run::Probe, command))
    }

    /// The answers to them.
    #[must_use]
    pub fn seen(self, outcomes: impl IntoIterator<Item = Outcome>) -> Seen {
        let facts = outcomes.into_iter().skip(self.bulk).map(|outcome| Fact {
            status: outcome.status.unwrap_or(1),
            stdout: outcome.stdout,
        });
        let facts: Vec<_> = facts.collect();
        let fact = |place: usize| facts.get(place).cloned().unwrap_or_default();
        let (os, pending, guard) = (fact(0), fact(1), fact(2));
        Seen {
            os: os_name(&os.text()),
            unproven: pending.text().lines().any(|line| line == "unproven"),
            pending: pending
                .text()
                .lines()
                .filter_map(|line| line.split_once(' '))
                .map(|(verb, unit)| (verb.to_owned(), unit.to_owned()))
                .collect(),
            unconfirmed: guard
                .holds()
                .then(|| guard.text().lines().collect::<Vec<_>>().join(", ")),
            facts: self
                .places
                .into_iter()
                .map(|places| places.map(|places| places.into_iter().map(fact).collect()))
                .collect(),
        }
    }
}

/// Looks at everything in one round trip.
///
/// # Errors
/// When the connection fails, or an operation names a file that is not there.
pub async fn look(
    session: &dyn Transport,
    sudo: bool,
    host: Target<'_>,
    declared: &[Declared],
) -> Result<Seen> {
    let look = Look::of(host, declared)?;
    let batch = Batch {
        prelude: prelude::of(look.commands.iter()),
        sudo,
        lock: false,
        commands: look.commands().collect(),
    };
    let outcomes = session.batch(&batch, |_| {}).await?;
    Ok(look.seen(outcomes))
}

/// Where each question stands among the commands: one that is asked again has one answer.
#[derive(Default)]
struct Asked(HashMap<Vec<String>, usize>);

impl Asked {
    fn once(&mut self, probe: Command, commands: &mut Vec<Command>) -> usize {
        if probe.stdin.is_some() {
            commands.push(probe);
            return commands.len() - 1;
        }
        *self.0.entry(probe.argv.clone()).or_insert_with(|| {
            commands.push(probe);
            commands.len() - 1
        })
    }
}

/// What files and units are asked for, asked at once: starting a program takes longer than looking.
fn in_bulk(commands: &[Command]) -> Vec<Command> {
    let subjects = |program: &str| {
        let of_program = commands
            .iter()
            .filter(|command| command.argv.first().is_some_and(|word| word == program));
        let subjects = of_program.filter_map(|command| command.argv.get(1).cloned());
        subjects.collect::<Vec<_>>()
    };
    [
        ("tw_look_files", subjects("tw_see_file")),
        ("tw_look_units", subjects("tw_see_unit")),
    ]
    .into_iter()
    .filter(|(_, subjects)| !subjects.is_empty())
    .map(|(program, subjects)| Command::new([program]).args(subjects))
    .collect()
}

fn os_name(release: &str) -> String {
    let value = |key: &str| {
        release
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .unwrap_or_default()
            .trim_matches('"')
    };
    format!("{} {}", value("ID"), value("VERSION_ID"))
        .trim()
        .to_owned()
}

/// What is to be done, operation by operation. Pure. Without a look, as on a host that has nothing.
///
/// # Errors
/// When a fact cannot be understood, with the operation's place.
pub fn plan(host: Target<'_>, declared: &[Declared], seen: Option<&Seen>) -> Result<Vec<Work>> {
    let nothing = vec![Fact::nothing(); 4];
    let mut edited = Edited::default();
    let mut works: Vec<Work> = Vec::new();
    for (index, item) in declared.iter().enumerate() {
        let facts = match seen {
            None => Some(&nothing),
            Some(seen) => seen.facts.get(index).and_then(Option::as_ref),
        };
        let edited_facts = edited.facts(item);
        let facts = edited_facts.as_ref().or(facts);
        let mut work = match (&item.operation, facts) {
            (Some(operation), Some(facts)) => {
                let work = operation.work(item.target(host), facts);
                work.map_err(|error| error.context(item.label()).at(&item.node.at))?
            }
            _ => Work {
                changes: vec![update(&item.label(), Shown::Absent, Shown::AfterApply)],
                ..Work::default()
            },
        };
        edited.note(item, &work);
        if edited_facts.is_some() {
            join(&mut works, &mut work);
        }
        works.push(work);
    }
    Ok(works)
}

/// An edit of the file that the last command writes is part of that: nobody finds it half edited.
fn join(before: &mut [Work], work: &mut Work) {
    let last = before.iter_mut().rev().find(|it| !it.commands.is_empty());
    let (Some(last), [edit]) = (last, work.commands.as_slice()) else {
        return;
    };
    let Some(write) = last.commands.last_mut() else {
        return;
    };
    // What has to be validated is validated by itself, so that an error names the line.
    let (Some(_), Some(notifies)) = (unvalidated(write), unvalidated(edit)) else {
        return;
    };
    if write.argv.get(1) != edit.argv.get(1) {
        return;
    }
    write.stdin.clone_from(&edit.stdin);
    for notify in notifies {
        if !write.argv.contains(notify) {
            write.argv.push(notify.clone());
        }
    }
    work.commands.clear();
}

/// Whom a command notifies that writes a file without validating it.
fn unvalidated(command: &Command) -> Option<&[String]> {
    let validate = match command.argv.first()?.as_str() {
        "tw_put" => 5,
        "tw_put_if" => 6,
        _ => return None,
    };
    let valid = command.argv.get(validate)?.is_empty();
    command.argv.get(validate + 1..).filter(|_| valid)
}

/// Files that operations before have written, or edited the lines of: the next ones go on from
/// there, so that one round trip changes them all.
#[derive(Default)]
struct Edited(HashMap<String, Blob>);

impl Edited {
    fn path<'a>(item: &'a Declared, names: &[&str]) -> Option<&'a str> {
        let path = item.node.entry("path").and_then(Node::as_text);
        path.filter(|_| names.contains(&item.name.as_str()))
    }

    /// What is in the file by then, for an operation that edits it again.
    fn facts(&self, item: &Declared) -> Option<Vec<Fact>> {
        let content = self.0.get(Self::path(item, &[Line::NAME])?)?;
        Some(vec![seen_file::fact(content)])
    }

    fn note(&mut self, item: &Declared, work: &Work) {
        let path = Self::path(item, &[Line::NAME, File::NAME, Template::NAME]);
        let content = work.commands.iter().find_map(|it| it.stdin.as_ref());
        if let (Some(path), Some(content)) = (path, content) {
            self.0.insert(path.to_owned(), content.clone());
        }
    }
}

/// All that differs, to be shown.
#[must_use]
pub fn diff(works: &[Work], seen: Option<&Seen>) -> Diff {
    let mut diff = Diff::default();
    for work in works {
        diff.changes.extend(work.changes.iter().cloned());
    }
    for (verb, unit) in seen.iter().flat_map(|seen| &seen.pending) {
        diff.changes.push(pending_change(verb, unit));
    }
    if let Some(what) = seen.and_then(|seen| seen.unconfirmed.as_ref()) {
        let old = Shown::of("made by an interrupted run, taken back within a minute");
        diff.changes.push(update(
            &format!("change of {what}"),
            old,
            Shown::of("kept if a new connection works"),
        ));
    }
    diff
}

fn pending_change(verb: &str, unit: &str) -> FieldChange {
    let old = Shown::of("left over by an interrupted run");
    update(
        &format!("{verb} {unit}"),
        old,
        Shown::of(format!("{verb}ed")),
    )
}

/// Anything that still differs after the last pass is an error that names the operation.
///
/// # Errors
/// That one.
pub fn left_over(target: Target<'_>, declared: &[Declared], seen: &Seen) -> Result<()> {
    let works = plan(target, declared, Some(seen))?;
    let diff = diff(&works, Some(seen));
    let Some(change) = diff.changes.first() else {
        return Ok(());
    };
    let item = declared
        .iter()
        .zip(&works)
        .find(|(_, work)| !work.changes.is_empty())
        .map(|(item, _)| item);
    let label = item.map_or_else(|| change.field.clone(), Declared::label);
    let mut error = Error::failed(format!(
        "{label} on {} was applied, but is still not as wanted",
        target.address
    ))
    .hint("does another operation, a package or a service set it back?");
    for change in &diff.changes {
        let (old, new) = match (&change.old, &change.new) {
            (old, Shown::Block(_)) => (old.to_string(), "other content".to_owned()),
            (old, new) => (old.to_string(), new.to_string()),
        };
        error = error.note(format!("{}: is {old}, wanted {new}", change.field));
    }
    Err(match item {
        Some(item) => error.at(&item.node.at),
        None => error,
    })
}
