//! From a playbook and the account to a plan.

use std::collections::BTreeMap;

use super::bill::spec_of;
use super::graph::Graph;
use super::quotas::Taken;
use super::run::{Engine, Shared};
use super::survey::Survey;
use super::walk::{Turn, Width, walk};
use super::{Action, Event, Plan, Step, StepPart};
use crate::base::{
    Address, Cost, Effect, Error, ErrorKind, Errors, FieldChange, Known, Result, World,
};
use crate::contract::{Beside, Found, Patience, Quota, Stage, tags as keys};
use crate::playbook::{Declaration, Playbook};

/// A plan, and what was seen when it was made.
pub struct Prepared {
    /// What is going to be done.
    pub plan: Plan,
    pub(super) graph: Graph,
    pub(super) survey: Survey,
    /// What was seen of resources that live upon others.
    pub(super) observed: BTreeMap<Address, Found>,
}

struct Planned {
    step: Step,
    observed: Option<Found>,
    uses: Vec<(Quota, u64)>,
}

impl Engine {
    /// What would have to be done to make the playbook true. Changes nothing.
    ///
    /// # Errors
    /// All that is wrong with the playbook, or what could not be read.
    pub async fn plan(&self) -> Result<Prepared, Errors> {
        let playbook = self.playbook()?;
        super::check(playbook, &self.kinds, &self.facts)?;
        super::limits::count(playbook)?;
        let graph = self.graph(playbook)?;
        let survey = self.look().await?;
        let world = Shared::new(World::default());
        for (address, outputs) in &survey.external {
            world.with(|world| world.know(address.clone(), outputs.clone()));
        }
        let planned = Shared::new(BTreeMap::new());
        let errors = Shared::new(Errors::default());
        let task = |address: Address| {
            let (survey, world, planned, errors) = (&survey, &world, &planned, &errors);
            async move {
                let result = match playbook.declarations.get(&address) {
                    Some(declaration) => self.plan_one(playbook, declaration, survey, world).await,
                    None => Err(Error::failed("it is not declared").into()),
                };
                match result {
                    Ok(one) => {
                        planned.with(|planned| planned.insert(address, one));
                        true
                    }
                    Err(found) => {
                        let found = found.0.into_iter().map(|error| error.of(&address));
                        errors.with(|errors| errors.0.extend(found));
                        false
                    }
                }
            }
        };
        let width = Width::of(self.options.parallelism);
        let turns = walk(&graph.unordered(), width, &self.stop, task).await;
        if turns.values().any(|turn| *turn == Turn::Stopped) {
            return Err(Error::new(
                ErrorKind::Interrupted,
                "stopped before the plan was finished",
            )
            .into());
        }
        errors.into_inner().into_result(())?;
        let mut planned = planned.into_inner();
        let mut steps = Vec::new();
        let mut observed = BTreeMap::new();
        let mut taken = Taken::default();
        for address in graph.order() {
            if let Some(one) = planned.remove(&address) {
                taken.add(&address, one.uses);
                steps.push(one.step);
                observed.extend(one.observed.map(|found| (address, found)));
            }
        }
        for address in survey.external.keys() {
            steps.push(Step::new(address.clone(), Action::Read));
        }
        if self.options.only.is_empty() {
            steps.extend(self.orphans(playbook, &survey));
        }
        self.refuse_forgotten(playbook, &graph, &steps)?;
        self.take_others(&survey, &steps, &mut taken);
        let mut warnings = taken.warnings(&self.cx.region);
        warnings.extend(self.hold_limit(playbook, &steps)?);
        let checks = self.checks(playbook)?.len();
        let mut plan = self.sealed(steps, checks);
        plan.warnings = warnings;
        Ok(Prepared {
            plan,
            graph,
            survey,
            observed,
        })
    }

    pub(super) fn sealed(&self, steps: Vec<Step>, checks: usize) -> Plan {
        Plan {
            stack: self.cx.stack.clone(),
            region: self.cx.region.clone(),
            account: self.cx.account.clone(),
            sandbox: self.options.sandbox,
            steps,
            checks,
            warnings: Vec::new(),
            fingerprint: String::new(),
        }
        .sealed()
    }

    async fn plan_one(
        &self,
        playbook: &Playbook,
        declaration: &Declaration,
        survey: &Survey,
        world: &Shared<World>,
    ) -> Result<Planned, Errors> {
        let address = &declaration.address;
        let kind = self.kind(&address.kind)?;
        let owned = survey.owned.get(address);
        let scope = self.scope(playbook, declaration, world, owned)?;
        let observed = match kind.stage() {
            Stage::Upon => {
                let target = scope.target();
                match kind.observe(&self.cx, target, Patience::Standing).await {
                    Err(error) if error.kind() == ErrorKind::Failed => {
                        return Ok(self.unread(declaration, error));
                    }
                    observed => observed?,
                }
            }
            Stage::Account | Stage::Check => None,
        };
        let live = observed.as_ref().or(owned);
        let diff = kind.diff(scope.target(), live)?;
        let action = Action::of(live.is_some(), &diff);
        if let (Action::Replace, Some(live)) = (action, live) {
            refuse_protected(declaration, live, &diff.changes)?;
        }
        let known = match (action, live) {
            (Action::Create | Action::Replace, _) | (_, None) => Known::default(),
            (_, Some(live)) => Known {
                outputs: Some(live.outputs.clone()),
                unsettled: diff.unsettled.clone(),
                ..Known::default()
            },
        };
        world.with(|world| world.0.insert(address.clone(), known));
        let mut step = Step::new(address.clone(), action);
        step.create_first = action == Action::Replace && kind.creates_first();
        step.diff = diff;
        step.at = Some(declaration.at.clone());
        step.id = live.map(|live| live.id.clone());
        step.parts = live.map(parts).unwrap_or_default();
        let node = scope.node();
        let spec =
            |other: &Address| world.with(|world| spec_of(playbook, world, &self.facts, other));
        let beside = Beside {
            attached: self.attached(address),
            spec: &spec,
        };
        step.cost = kind.cost(node, &self.cx.region, &beside);
        step.cost_now = match live {
            None => Some(Cost::default()),
            Some(_) if action == Action::Nothing || step.cost.is_free() => Some(step.cost.clone()),
            Some(live) => kind.cost_now(live, &self.cx.region, &survey.owned),
        };
        Ok(Planned {
            step,
            observed,
            uses: kind.uses(Some(node)),
        })
    }

    /// One that does not answer is no reason to leave the others as they are.
    fn unread(&self, declaration: &Declaration, error: Error) -> Planned {
        let address = &declaration.address;
        self.observer.event(&Event::Failed {
            address: address.clone(),
            error: error.message().to_owned(),
        });
        let mut step = Step::new(address.clone(), Action::Unread);
        step.at = Some(declaration.at.clone());
        step.unread = Some(error.of(address).at(&declaration.at));
        Planned {
            step,
            observed: None,
            uses: Vec::new(),
        }
    }

    /// Refuses to make anew, with `--only`, what others use that would not be brought along.
    fn refuse_forgotten(
        &self,
        playbook: &Playbook,
        graph: &Graph,
        steps: &[Step],
    ) -> Result<(), Errors> {
        if self.options.only.is_empty() {
            return Ok(());
        }
        let whole = self.whole_graph(playbook);
        let dependents = whole.dependents();
        let mut errors = Errors::default();
        for step in steps.iter().filter(|step| step.action == Action::Replace) {
            for dependent in dependents.get(&step.address).into_iter().flatten() {
                if !graph.addresses().any(|it| it == *dependent) {
                    let address = &step.address;
                    errors.push(
                        Error::usage(format!(
                            "`{address}` has to be made anew, and `{dependent}` uses it"
                        ))
                        .hint(format!("add `--only {dependent}`")),
                    );
                }
            }
        }
        errors.into_result(())
    }

    /// What the stack owns and the playbook no longer has, in the order of deletion.
    fn orphans(&self, playbook: &Playbook, survey: &Survey) -> Vec<Step> {
        let orphans = survey
            .owned
            .iter()
            .filter(|(it, _)| !playbook.declarations.contains_key(*it));
        let mut steps: Vec<Step> = orphans
            .map(|(address, found)| {
                let mut step = Step::new(address.clone(), Action::Delete);
                step.id = Some(found.id.clone());
                step.parts = parts(found);
                step.cost_now = self.cost_now((address, found), &survey.owned);
                let why = if address.is_deposed() {
                    "a new one took its place"
                } else {
                    "no longer in the playbook"
                };
                step.reason = Some(why.to_owned());
                if let Some(why) = kept_by_tag(found) {
                    step.action = Action::Keep;
                    step.reason = Some(format!("no longer in the playbook, but {why}"));
                    let unknown = || Cost::unknown(address.to_string());
                    step.cost = step.cost_now.clone().unwrap_or_else(unknown);
                }
                step
            })
            .collect();
        steps.sort_by_key(|step| self.rank(&step.address));
        steps
    }

    pub(super) fn rank(&self, address: &Address) -> u8 {
        self.kind(&address.kind)
            .map_or(u8::MAX, |kind| kind.delete_rank())
    }

    pub(super) fn checks(&self, playbook: &Playbook) -> Result<Vec<Address>, Errors> {
        let only = self.only(playbook)?;
        let all = playbook.declarations.keys();
        let checks = all.filter(|address| self.stage(address) == Stage::Check);
        Ok(checks
            .filter(|it| self.options.only.is_empty() || only.contains(it))
            .cloned()
            .collect())
    }
}

/// Why destroy leaves it, if a tag says so.
pub(super) fn kept_by_tag(found: &Found) -> Option<&'static str> {
    if found.tags.is_set(keys::PROTECT) {
        Some("protect: true")
    } else if found.tags.is_set(keys::KEEP) {
        Some("keep: true")
    } else {
        None
    }
}

pub(super) fn parts(found: &Found) -> Vec<StepPart> {
    let parts = found.parts.iter();
    parts
        .map(|part| StepPart {
            noun: part.noun.to_owned(),
            id: part.id.clone(),
        })
        .collect()
}

fn refuse_protected(
    declaration: &Declaration,
    live: &Found,
    changes: &[FieldChange],
) -> Result<()> {
    if !declaration.protect && kept_by_tag(live) != Some("protect: true") {
        return Ok(());
    }
    let fields = changes
        .iter()
        .filter(|change| change.effect == Effect::Replace);
    let fields: Vec<_> = fields.map(|change| format!("`{}`", change.field)).collect();
    Err(Error::new(
        ErrorKind::Kept,
        format!(
            "`{}` is protected and would have to be replaced",
            declaration.address
        ),
    )
    .at(&declaration.at)
    .note(format!("changed: {}", fields.join(", ")))
    .hint("undo the change, or set `protect: false`, apply, and then change it"))
}
