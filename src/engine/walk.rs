//! Gives every address of a graph its turn, as wide as the edges and a limit allow.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::Stop;
use super::graph::Graph;
use crate::base::Address;

/// How one address's turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Its task succeeded.
    Done,
    /// Its task failed.
    Failed,
    /// It never had its turn, because this one failed.
    Skipped(Address),
    /// It never had its turn, because a stop was requested.
    Stopped,
}

/// How much is worked on at once, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Width {
    /// At most so many tasks run at once.
    pub tasks: usize,
    /// After so many failures nothing more is begun.
    pub failures: Option<usize>,
}

impl Width {
    /// So many tasks, whatever fails.
    #[must_use]
    pub fn of(tasks: usize) -> Self {
        Self {
            tasks,
            failures: None,
        }
    }
}

/// Runs `task` for every address once all that it needs or follows is done; `false` from a task is
/// failure, which skips the dependents and nobody else.
pub async fn walk<F, Fut>(
    graph: &Graph,
    width: Width,
    stop: &Stop,
    task: F,
) -> BTreeMap<Address, Turn>
where
    F: Fn(Address) -> Fut,
    Fut: Future<Output = bool>,
{
    let dependents = graph.dependents();
    let mut waiting: BTreeMap<&Address, usize> = graph
        .addresses()
        .map(|address| (address, graph.before(address).count()))
        .collect();
    let mut ready: BTreeSet<&Address> = waiting
        .iter()
        .filter(|(_, needs)| **needs == 0)
        .map(|(address, _)| *address)
        .collect();
    let mut turns: BTreeMap<Address, Turn> = BTreeMap::new();
    let mut running = FuturesUnordered::new();
    let mut failures = 0;
    loop {
        let is_over = || {
            let too_many = width.failures.is_some_and(|most| failures >= most);
            too_many || stop.is_requested()
        };
        while running.len() < width.tasks.max(1) && !is_over() {
            let Some(address) = ready.pop_first() else {
                break;
            };
            let future = task(address.clone());
            running.push(async move { (address, future.await) });
        }
        let Some((address, succeeded)) = running.next().await else {
            break;
        };
        turns.insert(
            address.clone(),
            if succeeded { Turn::Done } else { Turn::Failed },
        );
        if succeeded {
            for dependent in dependents.get(address).into_iter().flatten() {
                if let Some(needs) = waiting.get_mut(dependent) {
                    *needs -= 1;
                    if *needs == 0 && !turns.contains_key(*dependent) {
                        ready.insert(dependent);
                    }
                }
            }
        } else {
            failures += 1;
            skip(address, address, &dependents, &mut turns);
        }
    }
    for address in graph.addresses() {
        turns.entry(address.clone()).or_insert(Turn::Stopped);
    }
    turns
}

fn skip(
    failed: &Address,
    of: &Address,
    dependents: &BTreeMap<&Address, Vec<&Address>>,
    turns: &mut BTreeMap<Address, Turn>,
) {
    let mut open = vec![of];
    while let Some(address) = open.pop() {
        for dependent in dependents.get(address).into_iter().flatten() {
            if !turns.contains_key(*dependent) {
                turns.insert((*dependent).clone(), Turn::Skipped(failed.clone()));
                open.push(dependent);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn address(name: &str) -> Address {
        Address::new("toys", name)
    }

    fn diamond() -> Graph {
        let mut graph = Graph::default();
        graph.need(&address("left"), &address("top"));
        graph.need(&address("right"), &address("top"));
        graph.need(&address("bottom"), &address("left"));
        graph.need(&address("bottom"), &address("right"));
        graph.add(&address("alone"));
        graph
    }

    #[tokio::test]
    async fn a_failure_skips_its_dependents_only() {
        let fails = |bad: &'static str| move |it: Address| async move { it.name != bad };
        let turns = walk(&diamond(), Width::of(8), &Stop::default(), fails("left")).await;
        assert_eq!(turns[&address("left")], Turn::Failed);
        assert_eq!(turns[&address("bottom")], Turn::Skipped(address("left")));
        assert_eq!(turns[&address("right")], Turn::Done);
        assert_eq!(turns[&address("alone")], Turn::Done);
    }

    #[tokio::test]
    async fn needs_come_first_and_the_width_is_kept() {
        let order = Mutex::new(Vec::new());
        let running = Mutex::new((0_usize, 0_usize));
        let (order_ref, running_ref) = (&order, &running);
        let task = |it: Address| async move {
            {
                let mut running = running_ref.lock().unwrap();
                running.0 += 1;
                running.1 = running.1.max(running.0);
            }
            tokio::task::yield_now().await;
            running_ref.lock().unwrap().0 -= 1;
            order_ref.lock().unwrap().push(it.name);
            true
        };
        walk(&diamond(), Width::of(2), &Stop::default(), task).await;
        let order = order.into_inner().unwrap();
        let place = |name: &str| order.iter().position(|it| it == name).unwrap();
        assert!(place("top") < place("left") && place("right") < place("bottom"));
        assert_eq!(running.into_inner().unwrap().1, 2);
    }

    #[tokio::test]
    async fn after_enough_failures_nothing_more_is_begun() {
        let mut graph = Graph::default();
        for name in ["a", "b", "c", "d", "e"] {
            graph.add(&address(name));
        }
        let width = Width {
            tasks: 1,
            failures: Some(2),
        };
        let task = |it: Address| async move { it.name == "b" };
        let turns = walk(&graph, width, &Stop::default(), task).await;
        let turns: Vec<_> = turns.into_values().collect();
        let (done, failed, stopped) = (Turn::Done, Turn::Failed, Turn::Stopped);
        let wanted = [&failed, &done, &failed, &stopped, &stopped];
        assert_eq!(turns.iter().collect::<Vec<_>>(), wanted);
    }

    #[tokio::test]
    async fn what_follows_a_failure_in_a_series_is_skipped() {
        let mut graph = Graph::default();
        for name in ["a", "b", "c"] {
            graph.add(&address(name));
        }
        graph.follow(&address("b"), &address("a"));
        let task = |it: Address| async move { it.name != "a" };
        let turns = walk(&graph, Width::of(8), &Stop::default(), task).await;
        assert_eq!(turns[&address("b")], Turn::Skipped(address("a")));
        assert_eq!(turns[&address("c")], Turn::Done);
        let (graph, stop) = (graph.unordered(), Stop::default());
        let turns = walk(&graph, Width::of(8), &stop, task).await;
        assert_eq!(turns[&address("b")], Turn::Done);
    }

    #[tokio::test]
    async fn a_stop_lets_what_runs_end_and_starts_nothing_more() {
        let stop = Stop::default();
        let asked = stop.clone();
        let task = |it: Address| {
            if it.name == "top" {
                asked.request();
            }
            async { true }
        };
        let turns = walk(&diamond(), Width::of(8), &stop, task).await;
        assert_eq!(turns[&address("top")], Turn::Done);
        assert_eq!(turns[&address("left")], Turn::Stopped);
    }
}
