//! Makes an approved plan true, as wide as the graph allows.

use std::collections::BTreeSet;
use std::time::Instant;

use super::journal::{Entry, Journal, Mark};
use super::planning::Prepared;
use super::run::{Engine, Shared};
use super::walk::{Turn, walk};
use super::{Action, Event, Outcome, Step};
use crate::base::{Address, Diff, Effect, Error, Errors, FieldChange, Result, World};
use crate::contract::{Found, Kind, Patience, Stage, Target};
use crate::playbook::{Declaration, Playbook};

/// What the tasks of one apply share.
struct Progressing<'a> {
    playbook: &'a Playbook,
    prepared: &'a Prepared,
    journal: &'a Journal,
    world: Shared<World>,
    changed: Shared<BTreeSet<Address>>,
    /// Replaced by new ones: to go once everything else is as it should be.
    deposed: Shared<Vec<(Address, Found)>>,
    outcome: Shared<Outcome>,
}

impl Engine {
    /// Applies what was planned. Failures skip what depends on them and nothing else; all of them
    /// are in the outcome.
    ///
    /// # Errors
    /// When the run cannot begin: no playbook, or another run at work.
    pub async fn apply(&self, prepared: &Prepared) -> Result<Outcome> {
        let journal = self.journal()?;
        let run = Progressing {
            playbook: self.playbook()?,
            prepared,
            journal: &journal,
            world: Shared::new(World::default()),
            changed: Shared::default(),
            deposed: Shared::default(),
            outcome: Shared::default(),
        };
        for (address, outputs) in &prepared.survey.external {
            run.world
                .with(|world| world.know(address.clone(), outputs.clone()));
        }
        let run_ref = &run;
        let task = |address: Address| async move {
            let result = self.apply_one(run_ref, &address).await;
            match result {
                Ok(()) => true,
                Err(errors) => {
                    for error in errors.0 {
                        self.failed(&run_ref.outcome, &address, error);
                    }
                    false
                }
            }
        };
        let turns = walk(&prepared.graph, self.width(), &self.stop, task).await;
        run.outcome.with(|outcome| {
            for (address, turn) in turns {
                match turn {
                    Turn::Done | Turn::Failed => {}
                    Turn::Skipped(because) => {
                        self.observer.event(&Event::Skipped {
                            address: address.clone(),
                            because: because.clone(),
                        });
                        outcome.skipped.push((address, because));
                    }
                    Turn::Stopped => outcome.not_begun.push(address),
                }
            }
            outcome.interrupted = self.stop.is_requested();
        });
        self.delete_orphans(&run).await;
        let world = run.world.with(|world| world.clone());
        let mut outcome = run.outcome.into_inner();
        if outcome.failed.is_empty() && !outcome.interrupted {
            self.perform_checks(run.playbook, &world, &mut outcome)
                .await;
        }
        outcome.outputs = self.outputs(run.playbook, &world, &mut outcome.failed);
        Ok(outcome)
    }

    async fn apply_one(&self, run: &Progressing<'_>, address: &Address) -> Result<(), Errors> {
        let Some(declaration) = run.playbook.declarations.get(address) else {
            return Err(Error::failed("it is not declared").into());
        };
        let mut steps = run.prepared.plan.steps.iter();
        let step = steps.find(|step| step.address == *address);
        let planned = step.map_or(Action::Nothing, |step| step.action);
        if let Some(error) = step.and_then(|step| step.unread.clone()) {
            return Err(error.into());
        }
        let kind = self.kind(&address.kind)?;
        let owned = run.prepared.survey.owned.get(address);
        let scope = self.scope(run.playbook, declaration, &run.world, owned)?;
        let stale = run
            .prepared
            .graph
            .needs(address)
            .any(|needed| run.was_changed(needed));
        let observed = match kind.stage() {
            Stage::Upon if stale => {
                let target = scope.target();
                kind.observe(&self.cx, target, Patience::JustStarted)
                    .await?
            }
            _ => run.prepared.observed.get(address).cloned(),
        };
        let live = observed.as_ref().or(owned);
        if !stale && planned == Action::Nothing {
            if let Some(live) = live {
                run.know(address, live);
            }
            return Ok(());
        }
        let diff = kind.diff(scope.target(), live)?;
        let action = Action::of(live.is_some(), &diff);
        if let Some(what) = unshown(step, action, &diff) {
            return Err(
                Error::failed(format!("{what}, which the plan did not show"))
                    .hint("plan again, and look at what it says")
                    .into(),
            );
        }
        match live {
            Some(live) if action == Action::Nothing => run.know(address, live),
            _ => {
                let found = self
                    .change(run, kind.as_ref(), scope.target(), action, live)
                    .await?;
                run.know(address, &found);
            }
        }
        Ok(())
    }

    /// Intent to disk, the change itself, and what came of it to disk.
    async fn change(
        &self,
        run: &Progressing<'_>,
        kind: &dyn Kind,
        target: Target<'_>,
        action: Action,
        live: Option<&Found>,
    ) -> Result<Found> {
        let started = Instant::now();
        let address = target.address;
        if action == Action::Replace {
            // The old one stays while a new one cannot be made.
            kind.ready(&self.cx, target).await?;
        }
        self.observer.event(&Event::Started {
            address: address.clone(),
            action,
        });
        let write = |entry: &Entry| match kind.stage() {
            Stage::Upon => run.journal.note(entry),
            Stage::Account | Stage::Check => run.journal.append(entry),
        };
        let mut entry = self.entry(address, action, Mark::Intent);
        entry.id = live.map(|live| live.id.clone());
        write(&entry)?;
        let result = match (action, live) {
            (Action::Replace, Some(old)) if kind.creates_first() => {
                let deposed = address.deposed(&old.id);
                if let Err(error) = kind.depose(&self.cx, old, &deposed).await {
                    Err(error.context("letting go of the old one"))
                } else {
                    run.deposed.with(|all| all.push((deposed, old.clone())));
                    kind.apply(&self.cx, target, None).await
                }
            }
            (Action::Replace, Some(old)) => kind.replace(&self.cx, target, old).await,
            _ => kind.apply(&self.cx, target, live).await,
        };
        entry.time = jiff::Timestamp::now();
        if let Ok(found) = &result {
            entry.mark = Mark::Done;
            entry.id = Some(found.id.clone());
            run.changed.with(|changed| changed.insert(address.clone()));
            run.outcome
                .with(|outcome| outcome.done.push(address.clone()));
        } else {
            entry.mark = Mark::Failed;
            run.outcome
                .with(|outcome| outcome.unfinished.push(address.clone()));
        }
        write(&entry)?;
        let found = result?;
        self.observer.event(&Event::Done {
            address: address.clone(),
            action,
            id: found.id.clone(),
            elapsed: started.elapsed(),
        });
        Ok(found)
    }

    /// Deletes what the playbook no longer has, once everything else is as it should be.
    async fn delete_orphans(&self, run: &Progressing<'_>) {
        let steps = run.prepared.plan.steps.iter();
        let orphans: Vec<_> = steps.filter(|step| step.action == Action::Delete).collect();
        let deposed = run.deposed.with(std::mem::take);
        let clean = run
            .outcome
            .with(|outcome| outcome.failed.is_empty() && !outcome.interrupted);
        if !clean {
            let left = orphans.iter().map(|step| &step.address);
            let left = left
                .chain(deposed.iter().map(|(address, _)| address))
                .cloned();
            run.outcome.with(|outcome| outcome.not_begun.extend(left));
            return;
        }
        let found: Vec<_> = orphans
            .iter()
            .filter_map(|step| run.prepared.survey.owned.get_key_value(&step.address))
            .chain(deposed.iter().map(|(address, found)| (address, found)))
            .collect();
        self.delete_all(run.journal, &found, &run.outcome).await;
    }

    pub(super) fn failed(&self, outcome: &Shared<Outcome>, address: &Address, error: Error) {
        let at = self
            .playbook
            .as_ref()
            .and_then(|playbook| playbook.declarations.get(address));
        let error = error.of(address);
        let error = match at {
            Some(Declaration { at, .. }) => error.at(at),
            None => error,
        };
        self.observer.event(&Event::Failed {
            address: address.clone(),
            error: error.message().to_owned(),
        });
        outcome.with(|outcome| outcome.failed.push(error));
    }

    async fn perform_checks(&self, playbook: &Playbook, world: &World, outcome: &mut Outcome) {
        let addresses = match self.checks(playbook) {
            Ok(addresses) => addresses,
            Err(errors) => return outcome.failed.extend(errors.0),
        };
        let shared = Shared::new(world.clone());
        let performed = addresses.iter().map(|address| {
            let shared = &shared;
            async move {
                let started = Instant::now();
                self.observer.event(&Event::Started {
                    address: address.clone(),
                    action: Action::Nothing,
                });
                let result = self.perform(playbook, address, shared).await;
                (address, started.elapsed(), result)
            }
        });
        let performed = tokio::select! {
            performed = futures::future::join_all(performed) => performed,
            () = self.stop.requested() => {
                outcome.interrupted = true;
                return outcome.not_begun.extend(addresses.iter().cloned());
            }
        };
        for (address, elapsed, result) in performed {
            let address = address.clone();
            match result {
                Ok(()) => self
                    .observer
                    .event(&Event::CheckPassed { address, elapsed }),
                Err(errors) => {
                    for error in errors.0 {
                        let message = error.message().to_owned();
                        self.observer.event(&Event::CheckFailed {
                            address: address.clone(),
                            error: message,
                        });
                        outcome.failed.push(error.of(&address));
                    }
                }
            }
        }
    }

    async fn perform(
        &self,
        playbook: &Playbook,
        address: &Address,
        world: &Shared<World>,
    ) -> Result<(), Errors> {
        let Some(declaration) = playbook.declarations.get(address) else {
            return Ok(());
        };
        let kind = self.kind(&address.kind)?;
        let scope = self.scope(playbook, declaration, world, None)?;
        let performed = kind.apply(&self.cx, scope.target(), None).await;
        performed
            .map(|_| ())
            .map_err(|error| error.at(&declaration.at).into())
    }

    fn outputs(
        &self,
        playbook: &Playbook,
        world: &World,
        failed: &mut Vec<Error>,
    ) -> Vec<(String, crate::base::Node)> {
        match playbook.evaluate_outputs(world, &self.facts) {
            Ok(outputs) => outputs.into_iter().collect(),
            // What failed before is why an output cannot be told.
            Err(errors) => {
                if failed.is_empty() {
                    failed.extend(errors.0);
                }
                Vec::new()
            }
        }
    }
}

impl Progressing<'_> {
    fn was_changed(&self, address: &Address) -> bool {
        self.changed.with(|changed| changed.contains(address))
    }

    fn know(&self, address: &Address, found: &Found) {
        self.world
            .with(|world| world.know(address.clone(), found.outputs.clone()));
    }
}

/// What an action would do that was not in the plan, because it was not known then: a replacement,
/// or an interruption.
fn unshown(step: Option<&Step>, action: Action, diff: &Diff) -> Option<String> {
    let planned = step.map_or(Action::Nothing, |step| step.action);
    if matches!(planned, Action::Create | Action::Replace) {
        return None;
    }
    if action == Action::Replace {
        return Some("it would now have to be replaced".to_owned());
    }
    let shown = |change: &&FieldChange| {
        let mut shown = step.into_iter().flat_map(|step| &step.diff.changes);
        shown.any(|known| known.field == change.field && known.effect == change.effect)
    };
    let mut changes = diff.changes.iter();
    changes.find_map(|change| match &change.effect {
        Effect::Interrupt(how) if !shown(&change) => {
            Some(format!("changing `{}` now {how}", change.field))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Shown;

    #[test]
    fn what_was_not_shown_is_not_done() {
        let stops =
            |diff: Diff| diff.interrupting("type", Shown::of("a"), Shown::of("b"), "stops it");
        let mut step = Step::new(Address::new("toys", "a"), Action::Update);
        step.diff = Diff::default().field("text", Shown::of("x"), Shown::AfterApply);
        let unknown = |action, diff: &Diff| unshown(Some(&step), action, diff);
        let text = Diff::default().field("text", Shown::of("x"), Shown::of("y"));
        assert_eq!(unknown(Action::Update, &text), None);
        let hidden = unknown(Action::Update, &stops(text.clone()));
        assert_eq!(hidden.as_deref(), Some("changing `type` now stops it"));
        assert!(unknown(Action::Replace, &text).is_some());
        step.diff = stops(step.diff);
        assert_eq!(unshown(Some(&step), Action::Update, &stops(text)), None);
    }
}
