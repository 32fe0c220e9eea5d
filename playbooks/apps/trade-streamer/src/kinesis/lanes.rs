//! What goes into which request: a lane for each pair, so that each pair keeps its order.
//!
//! Knows neither Kinesis' client nor clocks. A pair has records in one request at a time; what was refused goes
//! again before anything newer of its pair.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::outlet::Trade;
use crate::state::Mark;

/// What a request may hold, and how long records wait for company
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) records: usize,
    /// Of data and partition keys
    pub(crate) bytes: usize,
    /// Of each pair
    pub(crate) per_pair: usize,
    pub(crate) linger: Duration,
}

/// The records of one request, each pair's in order
pub(crate) type Batch = Vec<Arc<Trade>>;

/// What a request had of one pair, and whether it was refused
type Part = Vec<(Arc<Trade>, bool)>;

/// Records that wait or are on their way
#[derive(Debug)]
pub(crate) struct Lanes {
    by_pair: Vec<Lane>,
    limits: Limits,
    waiting: usize,
}

#[derive(Debug)]
struct Lane {
    /// What a record's partition key adds to its size
    key: usize,
    queue: VecDeque<(Instant, Arc<Trade>)>,
    /// How many at the head were refused: they go alone
    refused: usize,
    /// The last of those that were sent together with the refused ones
    tail: Option<Mark>,
    flying: bool,
    rests_until: Option<Instant>,
    backoff: Backoff,
}

impl Lanes {
    /// One lane for each name
    pub(crate) fn new(names: &[String], limits: Limits) -> Self {
        let lane = |name: &String| Lane {
            key: name.len(),
            queue: VecDeque::new(),
            refused: 0,
            tail: None,
            flying: false,
            rests_until: None,
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(5)),
        };
        Self {
            by_pair: names.iter().map(lane).collect(),
            limits,
            waiting: 0,
        }
    }

    pub(crate) fn push(&mut self, trade: Arc<Trade>, now: Instant) {
        self.waiting += 1;
        self.by_pair[trade.pair].queue.push_back((now, trade));
    }

    /// Nothing waits (some may be on their way)
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// A request's worth, once it is full or has lingered; the longest waiting first
    pub(crate) fn batch(&mut self, now: Instant, hurry: bool) -> Option<Batch> {
        let limits = self.limits;
        let mut ready: Vec<_> = self
            .by_pair
            .iter_mut()
            .filter(|lane| lane.is_ready(now))
            .collect();
        ready.sort_by_key(|lane| lane.since());
        let since = ready.first()?.since()?;
        let many: usize = ready.iter().map(|lane| lane.sendable(limits)).sum();
        if !hurry && many < limits.records && now < since + limits.linger {
            return None;
        }
        let (mut batch, mut bytes) = (Batch::new(), 0);
        for lane in ready {
            for _ in 0..lane.sendable(limits) {
                let fits = |(_, trade): &mut (Instant, Arc<Trade>)| {
                    bytes + trade.line.len() + lane.key <= limits.bytes
                };
                if batch.len() == limits.records {
                    break;
                }
                let Some((_, trade)) = lane.queue.pop_front_if(fits) else {
                    break;
                };
                bytes += trade.line.len() + lane.key;
                lane.refused = lane.refused.saturating_sub(1);
                lane.flying = true;
                batch.push(trade);
            }
        }
        self.waiting -= batch.len();
        Some(batch).filter(|batch| !batch.is_empty())
    }

    /// When [`Lanes::batch`] may have something, if nothing else happens
    pub(crate) fn due(&self) -> Option<Instant> {
        let when = |lane: &Lane| {
            let since = lane.since().filter(|_| !lane.flying)?;
            Some((since + self.limits.linger).max(lane.rests_until.unwrap_or(since)))
        };
        self.by_pair.iter().filter_map(when).min()
    }

    /// The answer to a request: `refused` has those to be sent again. Returns how far each pair is delivered.
    pub(crate) fn answered(
        &mut self,
        batch: Batch,
        refused: &[bool],
        now: Instant,
    ) -> Vec<(usize, Mark)> {
        let mut marks = Vec::new();
        let mut parts: Vec<(usize, Part)> = Vec::new();
        for (trade, refused) in batch.into_iter().zip(refused) {
            match parts.iter_mut().find(|(pair, _)| *pair == trade.pair) {
                Some((_, part)) => part.push((trade, *refused)),
                None => parts.push((trade.pair, vec![(trade, *refused)])),
            }
        }
        for (pair, part) in parts {
            let lane = &mut self.by_pair[pair];
            let before = lane.queue.len();
            if let Some(mark) = lane.answered(part, now) {
                marks.push((pair, mark));
            }
            self.waiting += lane.queue.len() - before;
        }
        marks
    }
}

impl Lane {
    fn is_ready(&self, now: Instant) -> bool {
        !self.flying && !self.queue.is_empty() && self.rests_until.is_none_or(|until| until <= now)
    }

    /// When the first one came
    fn since(&self) -> Option<Instant> {
        self.queue.front().map(|(since, _)| *since)
    }

    fn sendable(&self, limits: Limits) -> usize {
        let count = match self.refused {
            0 => self.queue.len(),
            refused => refused,
        };
        count.min(limits.per_pair)
    }

    fn answered(&mut self, part: Part, now: Instant) -> Option<Mark> {
        self.flying = false;
        let last = part.last().map(|(trade, _)| trade.mark);
        let through = part.iter().take_while(|(_, refused)| !refused).last();
        let through = through.map(|(trade, _)| trade.mark);
        let again: Vec<_> = part
            .into_iter()
            .filter_map(|(trade, refused)| refused.then_some(trade))
            .collect();
        if again.is_empty() {
            self.backoff.reset();
            self.rests_until = None;
            if self.refused > 0 {
                return through;
            }
            return self.tail.take().or(last);
        }
        self.rests_until = Some(now + self.backoff.pause());
        if self.refused == 0 && self.tail.is_none() {
            self.tail = last;
        }
        self.refused += again.len();
        for trade in again.into_iter().rev() {
            self.queue.push_front((now, trade));
        }
        through
    }
}

#[cfg(test)]
mod tests;
