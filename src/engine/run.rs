//! One run on one stack: everything that plan, apply, destroy and status share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::graph::Graph;
use super::journal::{self, Entry, Journal, Mark};
use super::scope::Scope;
use super::survey::{Survey, survey};
use super::walk::Width;
use super::{Event, Observer, Stop};
use crate::base::{Address, Error, Errors, Known, Result, World};
use crate::contract::{Context, Found, Kind, Progress, Stage, Wanted};
use crate::playbook::{Declaration, Facts, Playbook};

/// How a run is to be done.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many resources are worked on at once.
    pub parallelism: usize,
    /// After so many failures nothing more is begun.
    pub max_failures: Option<usize>,
    /// Only these (and what they need); all when empty.
    pub only: Vec<Address>,
    /// It is on the sandbox.
    pub sandbox: bool,
    /// Ends the process after that many journal entries: for tests of crashes.
    pub kill_after: Option<usize>,
}

/// One run on one stack.
pub struct Engine {
    pub(super) kinds: Vec<Arc<dyn Kind>>,
    pub(super) playbook: Option<Playbook>,
    pub(super) cx: Context,
    pub(super) facts: Facts,
    pub(super) options: Options,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) stop: Stop,
    pub(super) now: Timestamp,
    /// For every address, those that attach themselves to it (an elastic IP to its instance): what
    /// stands upon it comes after them.
    attached: BTreeMap<Address, Vec<Address>>,
}

struct Reporter(Arc<dyn Observer>);

impl Progress for Reporter {
    fn doing(&self, address: &Address, what: &str) {
        self.0.event(&Event::Doing {
            address: address.clone(),
            what: what.to_owned(),
        });
    }

    fn note(&self, text: &str) {
        self.0.event(&Event::Note(text.to_owned()));
    }
}

impl Engine {
    /// A run of `playbook`, or without one a run on what the stack `cx.stack` owns.
    #[must_use]
    pub fn new(
        kinds: Vec<Arc<dyn Kind>>,
        playbook: Option<Playbook>,
        mut cx: Context,
        options: Options,
        observer: Arc<dyn Observer>,
        stop: Stop,
    ) -> Self {
        cx.progress = Arc::new(Reporter(Arc::clone(&observer)));
        let known = |fact: &String| Some(fact.clone()).filter(|fact| !fact.is_empty());
        let facts = Facts {
            region: known(&cx.region),
            account: known(&cx.account),
        };
        let attached = playbook.as_ref().map(super::bill::attached);
        Self {
            kinds,
            playbook,
            cx,
            facts,
            options,
            observer,
            stop,
            now: Timestamp::now(),
            attached: attached.unwrap_or_default(),
        }
    }

    /// Those that attach themselves to `address`.
    pub(super) fn attached(&self, address: &Address) -> &[Address] {
        self.attached
            .get(address)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// How wide the graph is walked, and how far after failures.
    pub(super) fn width(&self) -> Width {
        Width {
            tasks: self.options.parallelism,
            failures: self.options.max_failures,
        }
    }

    /// The playbook of this run.
    ///
    /// # Errors
    /// A usage error, when the run has none.
    pub fn playbook(&self) -> Result<&Playbook> {
        self.playbook
            .as_ref()
            .ok_or_else(|| Error::usage("this needs a playbook"))
    }

    /// The surroundings of the run.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.cx
    }

    pub(super) fn kind(&self, name: &str) -> Result<&Arc<dyn Kind>> {
        let kind = self.kinds.iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| Error::failed(format!("no kind is called `{name}`")))
    }

    pub(super) fn stage(&self, address: &Address) -> Stage {
        self.kind(&address.kind)
            .map_or(Stage::Account, |kind| kind.stage())
    }

    /// The graph of what this run works on, checks left out.
    pub(super) fn graph(&self, playbook: &Playbook) -> Result<Graph, Errors> {
        let mut graph = self.whole_graph(playbook);
        if !self.options.only.is_empty() {
            graph = graph.only(&self.only(playbook)?);
        }
        super::serial::arrange(playbook, &mut graph)?;
        Ok(graph)
    }

    /// The graph of the whole playbook, checks left out.
    pub(super) fn whole_graph(&self, playbook: &Playbook) -> Graph {
        let mut graph = Graph::default();
        for (address, declaration) in &playbook.declarations {
            if self.stage(address) == Stage::Check {
                continue;
            }
            graph.add(address);
            for reference in declaration
                .references
                .iter()
                .filter(|reference| reference.declared)
            {
                graph.need(address, &reference.target);
                if self.stage(address) == Stage::Upon {
                    for other in self.attached(&reference.target) {
                        graph.need(address, other);
                    }
                }
            }
        }
        graph
    }

    /// The addresses that `--only` means; `instances.node` means all that `for_each` made of it.
    pub(super) fn only(&self, playbook: &Playbook) -> Result<Vec<Address>, Errors> {
        self.only_of(&playbook.declarations.keys(), "in the playbook")
    }

    /// The same among `all`, which are those that are `there`, in words.
    pub(super) fn only_of<'a>(
        &self,
        all: &(impl Iterator<Item = &'a Address> + Clone),
        there: &str,
    ) -> Result<Vec<Address>, Errors> {
        let mut errors = Errors::default();
        let mut chosen = Vec::new();
        for only in &self.options.only {
            let before = chosen.len();
            chosen.extend(
                all.clone()
                    .filter(|address| {
                        *address == only
                            || (address.kind == only.kind && address.split_key().0 == only.name)
                    })
                    .cloned(),
            );
            if chosen.len() == before {
                let names: Vec<String> = all.clone().map(ToString::to_string).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                errors.push(
                    Error::usage(format!("`{only}` is not {there}"))
                        .hint(crate::base::suggestion::hint(&only.to_string(), &names)),
                );
            }
        }
        errors.into_result(chosen)
    }

    /// Lists what may be in use, with what is `wanted` of each kind; before the `whole` stack is
    /// deleted, more carefully.
    pub(super) async fn survey(
        &self,
        wanted: &BTreeMap<&'static str, Wanted>,
        whole: bool,
    ) -> Result<Survey, Errors> {
        let entries = journal::read(&self.cx.local, &self.cx.stack)?;
        let remembered = entries.into_iter().map(|entry| entry.address.kind);
        let remembered = remembered.collect();
        let observer = self.observer.as_ref();
        survey(&self.cx, &self.kinds, wanted, &remembered, whole, observer).await
    }

    /// Looks at the account. With a playbook, also at what it names and does not declare.
    pub(super) async fn look(&self) -> Result<Survey, Errors> {
        let mut wanted: BTreeMap<&'static str, Wanted> = BTreeMap::new();
        let mut externals = Vec::new();
        if let Some(playbook) = &self.playbook {
            for (address, declaration) in &playbook.declarations {
                let Ok(kind) = self.kind(&address.kind) else {
                    continue;
                };
                if kind.stage() == Stage::Account {
                    let node = playbook.evaluate(declaration, &World::default(), &self.facts)?;
                    let declared = &mut wanted.entry(kind.name()).or_default().declared;
                    declared.push((address.clone(), node));
                }
                for reference in declaration.references.iter().filter(|it| !it.declared) {
                    let kind = self.kind(&reference.target.kind)?;
                    let external = &mut wanted.entry(kind.name()).or_default().external;
                    if !external.contains(&reference.target.name) {
                        external.push(reference.target.name.clone());
                    }
                    externals.push((playbook, reference));
                }
            }
        }
        let seen = self.survey(&wanted, false).await?;
        let mut errors = Errors::default();
        for (playbook, reference) in externals {
            if seen.external.contains_key(&reference.target) {
                continue;
            }
            let target = &reference.target;
            let same_kind = playbook
                .declarations
                .keys()
                .filter(|it| it.kind == target.kind);
            let names: Vec<&str> = same_kind.map(|address| address.name.as_str()).collect();
            let message = format!(
                "`{}` is neither declared under `{}` nor in the account",
                target.name, target.kind
            );
            let error = Error::playbook(message, &reference.at);
            errors.push(
                match crate::base::suggestion::nearest(&target.name, names.iter().copied()) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint(format!(
                        "declare it, or use a name that exists in {}",
                        self.cx.region
                    )),
                },
            );
        }
        errors.into_result(seen)
    }

    /// The part of the world that a declaration may look at.
    pub(super) fn world_of(&self, declaration: &Declaration, world: &Shared<World>) -> World {
        let targets: BTreeSet<&Address> = declaration
            .references
            .iter()
            .map(|reference| &reference.target)
            .collect();
        let mut seen: Vec<&Address> = targets.iter().copied().collect();
        if self.stage(&declaration.address) == Stage::Upon {
            for target in &targets {
                seen.extend(self.attached(target));
            }
        }
        world.with(|world| {
            let known = seen.into_iter().filter_map(|address| {
                world
                    .0
                    .get(address)
                    .map(|known: &Known| (address.clone(), known.clone()))
            });
            World(known.collect())
        })
    }

    /// The declaration with its spec evaluated by what is known now, and its tags. `live` is what
    /// carries the lease that may go on.
    pub(super) fn scope<'a>(
        &'a self,
        playbook: &'a Playbook,
        declaration: &'a Declaration,
        world: &Shared<World>,
        live: Option<&Found>,
    ) -> Result<Scope<'a>, Errors> {
        let scope = Scope::new(
            playbook,
            declaration,
            &self.facts,
            self.world_of(declaration, world),
        )?;
        let tags = super::ownership::tags(&self.cx, declaration, scope.node(), live, self.now);
        Ok(scope.with_tags(tags))
    }

    pub(super) fn journal(&self) -> Result<Journal> {
        Journal::open(&self.cx.local, &self.cx.stack, self.options.kill_after)
    }

    pub(super) fn entry(&self, address: &Address, action: super::Action, mark: Mark) -> Entry {
        Entry {
            time: Timestamp::now(),
            account: self.cx.account.clone(),
            region: self.cx.region.clone(),
            address: address.clone(),
            action: action.word().to_owned(),
            mark,
            id: None,
        }
    }

    /// Where this run's journal is kept.
    #[must_use]
    pub fn local(&self) -> &PathBuf {
        &self.cx.local
    }
}

/// A value that the tasks of one run share.
#[derive(Default)]
pub(super) struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
