//! Deletes what was found: what uses something goes before it, all else at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::Value;

use super::graph::Graph;
use super::journal::{Journal, Mark};
use super::run::{Engine, Shared};
use super::walk::{Turn, walk};
use super::{Action, Event, Outcome};
use crate::base::{Address, Result};
use crate::contract::Found;

impl Engine {
    /// Deletes all of `found`, as wide as allowed. A failure holds up nobody else.
    pub(super) async fn delete_all(
        &self,
        journal: &Journal,
        found: &[(&Address, &Found)],
        outcome: &Shared<Outcome>,
    ) {
        let all: BTreeMap<&Address, &Found> = found.iter().copied().collect();
        let task = |address: Address| {
            let all = &all;
            async move {
                let Some(found) = all.get(&address) else {
                    return true;
                };
                match self.delete_one(journal, &address, found).await {
                    Ok(()) => outcome.with(|outcome| outcome.done.push(address)),
                    Err(error) => self.failed(outcome, &address, error),
                }
                true
            }
        };
        let graph = self.deletion_graph(all.keys().copied());
        let turns = walk(&graph, self.width(), &self.stop, task).await;
        let stopped = turns.into_iter().filter(|(_, turn)| *turn == Turn::Stopped);
        outcome.with(|outcome| {
            outcome
                .not_begun
                .extend(stopped.map(|(address, _)| address));
        });
    }

    /// What goes before what: a kind whose fields name another kind goes before that one, unless that
    /// one's deletion frees it, and what is written to by the others goes after all of them. Where two kinds name one another, their
    /// ranks decide.
    fn deletion_graph<'a>(&self, addresses: impl Iterator<Item = &'a Address>) -> Graph {
        let mut graph = Graph::default();
        let mut by_kind: BTreeMap<&str, Vec<&Address>> = BTreeMap::new();
        for address in addresses {
            graph.add(address);
            by_kind.entry(&address.kind).or_default().push(address);
        }
        for (user, its) in &by_kind {
            let Ok(kind) = self.kind(user) else { continue };
            let mut used = BTreeSet::new();
            references(&kind.schema().to_value(), &mut used);
            for (name, others) in &by_kind {
                let Ok(other) = self.kind(name) else { continue };
                let earlier = kind.delete_rank() < other.delete_rank();
                let last = other.deleted_last() && !kind.deleted_last();
                let freed = kind.freed_by().contains(name);
                let (before, after) = if freed { (others, its) } else { (its, others) };
                if freed || earlier && (last || used.contains(*name)) {
                    for before in before {
                        for after in after {
                            graph.need(after, before);
                        }
                    }
                }
            }
        }
        graph
    }

    async fn delete_one(&self, journal: &Journal, address: &Address, found: &Found) -> Result<()> {
        let started = Instant::now();
        self.observer.event(&Event::Started {
            address: address.clone(),
            action: Action::Delete,
        });
        let mut entry = self.entry(address, Action::Delete, Mark::Intent);
        entry.id = Some(found.id.clone());
        journal.append(&entry)?;
        let result = self.kind(&address.kind)?.delete(&self.cx, found).await;
        entry.time = jiff::Timestamp::now();
        entry.mark = if result.is_ok() {
            Mark::Done
        } else {
            Mark::Failed
        };
        journal.append(&entry)?;
        result?;
        self.observer.event(&Event::Done {
            address: address.clone(),
            action: Action::Delete,
            id: found.id.clone(),
            elapsed: started.elapsed(),
        });
        Ok(())
    }
}

/// The kinds that the fields of a schema name.
fn references(schema: &Value, kinds: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(kind) = map.get("x-kind").and_then(Value::as_str) {
                kinds.insert(kind.to_owned());
            }
            map.values().for_each(|value| references(value, kinds));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, kinds)),
        _ => {}
    }
}
