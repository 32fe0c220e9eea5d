//! Takes down what the stack owns in the account, whatever the playbook says by now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::graph::Graph;
use super::journal::{Journal, Mark};
use super::planning::{Prepared, kept_by_tag, parts};
use super::run::{Engine, Shared};
use super::{Action, Event, Line, Outcome, Receipt, Step, Verdict};
use crate::base::{Address, Errors, Result, World};
use crate::contract::{Found, Stage, Wanted};

impl Engine {
    /// What destroy would delete and keep: all that the stack owns. Changes nothing.
    ///
    /// # Errors
    /// Every listing that failed: without it nothing may be deleted.
    pub async fn plan_destroy(&self) -> Result<Prepared, Errors> {
        let mut survey = self.survey(&self.declared_if_known(), true).await?;
        // What is gone already is no mistake; what nobody knows is.
        let declared = self.playbook.iter().flat_map(|it| it.declarations.keys());
        let known: BTreeSet<&Address> = survey.owned.keys().chain(declared).collect();
        let there = format!("known to stack `{}`", self.cx.stack);
        let only = self.only_of(&known.iter().copied(), &there)?;
        let chosen = |address: &Address| only.is_empty() || only.contains(address);
        let kept = self.kept(&survey.owned);
        let remains = self.remains(&survey, &kept, chosen).await;
        survey.owned.extend(remains.found);
        let kept = self.kept(&survey.owned);
        let mut steps: Vec<Step> = survey
            .owned
            .iter()
            .filter(|(address, _)| chosen(address))
            .map(|(address, found)| {
                let mut step = Step::new(address.clone(), Action::Delete);
                step.id = Some(found.id.clone());
                step.parts = parts(found);
                step.cost_now = self.cost_now((address, found), &survey.owned);
                let remains = found.outputs.0.get("remains").and_then(Value::as_u64);
                step.reason = remains.map(|count| match count {
                    1 => "it stays; 1 thing that was put there goes".to_owned(),
                    _ => format!("it stays; {count} things that were put there go"),
                });
                if let Some(why) = kept.get(address) {
                    step.action = Action::Keep;
                    step.reason = Some(why.clone());
                }
                step
            })
            .collect();
        steps.extend(remains.unread);
        steps.sort_by_key(|step| self.rank(&step.address));
        let plan = self.sealed(steps, 0);
        Ok(Prepared {
            plan,
            graph: Graph::default(),
            survey,
            observed: BTreeMap::new(),
        })
    }

    /// What the playbook declares, as far as it can be told: a broken one is no obstacle.
    fn declared_if_known(&self) -> BTreeMap<&'static str, Wanted> {
        let mut wanted: BTreeMap<&'static str, Wanted> = BTreeMap::new();
        let Some(playbook) = &self.playbook else {
            return wanted;
        };
        for (address, declaration) in &playbook.declarations {
            let evaluated = playbook.evaluate(declaration, &World::default(), &self.facts);
            if let (Ok(kind), Ok(node)) = (self.kind(&address.kind), evaluated)
                && kind.stage() == Stage::Account
            {
                let declared = &mut wanted.entry(kind.name()).or_default().declared;
                declared.push((address.clone(), node));
            }
            // What something stands on may stay, and hold what was put there.
            let stands = self.stage(address) == Stage::Upon;
            let on = declaration.references.iter();
            for reference in on.filter(|it| stands && !it.declared) {
                if let Ok(kind) = self.kind(&reference.target.kind) {
                    let external = &mut wanted.entry(kind.name()).or_default().external;
                    external.push(reference.target.name.clone());
                }
            }
        }
        wanted
    }

    /// What stays, and why: what a tag or the playbook keeps, and what that stands on.
    fn kept(&self, owned: &BTreeMap<Address, Found>) -> BTreeMap<Address, String> {
        let mut kept: BTreeMap<Address, String> = BTreeMap::new();
        for (address, found) in owned {
            let declared = self
                .playbook
                .as_ref()
                .and_then(|it| it.declarations.get(address));
            let why = match declared {
                Some(declaration) if declaration.protect => Some("protect: true"),
                Some(declaration) if declaration.keep => Some("keep: true"),
                _ => kept_by_tag(found),
            };
            kept.extend(why.map(|why| (address.clone(), why.to_owned())));
        }
        let Some(playbook) = &self.playbook else {
            return kept;
        };
        let mut open: Vec<Address> = kept.keys().cloned().collect();
        while let Some(address) = open.pop() {
            let declaration = playbook.declarations.get(&address);
            for reference in declaration.into_iter().flat_map(|it| &it.references) {
                if owned.contains_key(&reference.target) && !kept.contains_key(&reference.target) {
                    kept.insert(reference.target.clone(), format!("needed by {address}"));
                    open.push(reference.target.clone());
                }
            }
        }
        kept
    }

    /// Deletes what was planned, then proves it. What the proof shows of the stack that the plan did not
    /// see (AWS's listings lag behind what was made a moment ago) goes as well.
    ///
    /// # Errors
    /// When the run cannot begin: another run is at work.
    pub async fn destroy(&self, prepared: &Prepared) -> Result<(Outcome, Receipt)> {
        let journal = self.journal()?;
        let outcome = Shared::new(Outcome::default());
        self.delete_all(&journal, &to_delete(prepared), &outcome)
            .await;
        let mut outcome = outcome.into_inner();
        outcome.interrupted = self.stop.is_requested();
        let (mut receipt, missed) = self.prove(prepared, &outcome).await;
        if !missed.is_empty()
            && !self.stop.is_requested()
            && let Ok(mut shown) = self.plan_destroy().await
        {
            shown
                .plan
                .steps
                .retain(|step| missed.contains(&step.address));
            let more = to_delete(&shown);
            self.observer.event(&Event::Note(match more.len() {
                1 => "1 resource of the stack shows only now: it goes, too".to_owned(),
                count => format!("{count} resources of the stack show only now: they go, too"),
            }));
            let all = Shared::new(outcome);
            self.delete_all(&journal, &more, &all).await;
            outcome = all.into_inner();
            outcome.interrupted = self.stop.is_requested();
            shown.take_in(prepared);
            (receipt, _) = self.prove(&shown, &outcome).await;
        }
        if receipt.is_proven()
            && let Err(error) = self.close(&journal, &receipt)
        {
            // It is asked for once more next time, no more.
            self.observer.event(&Event::Note(error.to_string()));
        }
        Ok((outcome, receipt))
    }

    /// Notes what the receipt proved: later runs need not ask for it again.
    fn close(&self, journal: &Journal, receipt: &Receipt) -> Result<()> {
        let is_absent = |line: &&Line| line.verdict == Verdict::Absent;
        let (gone, left): (Vec<_>, Vec<_>) = receipt.lines.iter().partition(is_absent);
        let addresses = |lines: Vec<&Line>| -> BTreeSet<Address> {
            lines
                .into_iter()
                .filter_map(|line| line.address.clone())
                .collect()
        };
        for address in addresses(gone).difference(&addresses(left)) {
            journal.append(&self.entry(address, Action::Delete, Mark::Gone))?;
        }
        Ok(())
    }
}

fn to_delete(prepared: &Prepared) -> Vec<(&Address, &Found)> {
    let steps = prepared.plan.steps.iter();
    steps
        .filter(|step| step.action == Action::Delete)
        .filter_map(|step| prepared.survey.owned.get_key_value(&step.address))
        .collect()
}

impl Prepared {
    /// What another plan saw counts as seen by this one.
    fn take_in(&mut self, other: &Self) {
        for (address, found) in &other.survey.owned {
            let owned = &mut self.survey.owned;
            owned
                .entry(address.clone())
                .or_insert_with(|| found.clone());
        }
        self.survey.listed.extend(&other.survey.listed);
        self.survey.in_use.extend(&other.survey.in_use);
        let known: BTreeSet<Address> = self
            .plan
            .steps
            .iter()
            .map(|it| it.address.clone())
            .collect();
        let others = other.plan.steps.iter();
        let others = others.filter(|step| !known.contains(&step.address));
        self.plan.steps.extend(others.cloned());
    }
}
