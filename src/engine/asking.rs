//! Asks services whether things are gone: until they say so, or time is up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;

use super::proof::{KnownBy, Question};
use super::run::Engine;
use super::{Outcome, Verdict};
use crate::base::{Address, Result};
use crate::contract::{Kind, Presence, Wanted};

/// How long a thing may take to be seen as gone after its deletion was answered.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
/// The pause between two questions; two answers in a row must say "gone".
pub(super) const PAUSE: Duration = Duration::from_millis(500);

/// What a kind's own listing still showed of the stack, by kind.
pub(super) type Listed<'a> = BTreeMap<&'a str, Result<Vec<String>>>;

/// The questions of one receipt.
pub(super) struct Asking<'a> {
    engine: &'a Engine,
    /// What this run deleted: the answer counts as the first one.
    deleted: BTreeSet<&'a Address>,
    failed: BTreeSet<&'a Address>,
    /// Kinds whose listing answers for all of the stack's at once.
    listings: BTreeMap<&'a str, &'a Arc<dyn Kind>>,
    listed: Listed<'a>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(engine: &'a Engine, outcome: &'a Outcome) -> Self {
        let failed = outcome.failed.iter();
        Self {
            engine,
            deleted: outcome.done.iter().collect(),
            failed: failed.filter_map(crate::base::Error::address).collect(),
            listings: BTreeMap::new(),
            listed: Listed::new(),
        }
    }

    /// Has these kinds answer by their listings.
    pub(super) fn list(&mut self, kinds: Vec<&'a Arc<dyn Kind>>) {
        let named = kinds.into_iter().map(|kind| (kind.name(), kind));
        self.listings.extend(named);
    }

    /// What the listings showed in the end, for the kinds of which something was asked.
    pub(super) fn into_listed(self) -> Listed<'a> {
        self.listed
    }

    /// One verdict per question.
    pub(super) async fn ask(&mut self, questions: &[Question]) -> Vec<Verdict> {
        let mut verdicts: Vec<Option<Verdict>> =
            questions.iter().map(|it| self.seen_gone(it)).collect();
        let deleted = |question: &Question| self.deleted.contains(&question.address);
        let mut gone_once: Vec<bool> = questions.iter().map(deleted).collect();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let open: Vec<usize> = (0..questions.len())
                .filter(|index| verdicts[*index].is_none())
                .collect();
            if open.is_empty() {
                break;
            }
            let answers = self.round(questions, &open).await;
            let late = Instant::now() >= deadline;
            for (index, answer) in answers {
                let hopeless = late
                    || questions[index].known == KnownBy::Missed
                    || self.failed.contains(&questions[index].address)
                    || self.engine.stop.is_requested();
                verdicts[index] = match answer {
                    Presence::Absent if gone_once[index] => Some(Verdict::Absent),
                    Presence::Absent => {
                        gone_once[index] = true;
                        None
                    }
                    Presence::Pending(until) => Some(Verdict::Pending(until)),
                    Presence::Present(held) if hopeless => Some(Verdict::Present(held)),
                    Presence::Unknown(why) if hopeless || gone_once[index] => {
                        Some(Verdict::Unknown(why))
                    }
                    Presence::Present(_) => {
                        gone_once[index] = false;
                        None
                    }
                    Presence::Unknown(why) => Some(Verdict::Unknown(why)),
                };
            }
            if verdicts.iter().any(Option::is_none) {
                tokio::time::sleep(PAUSE).await;
            }
        }
        verdicts.into_iter().flatten().collect()
    }

    /// Its deletion, in this run, ended only when its own service said that it is gone.
    fn seen_gone(&self, question: &Question) -> Option<Verdict> {
        let kind = self.engine.kind(&question.kind).ok()?;
        let seen = question.known == KnownBy::Found
            && kind.delete_sees_it_gone()
            && self.deleted.contains(&question.address);
        seen.then_some(Verdict::Absent)
    }

    /// One answer for each of the questions that are open, every kind asked once.
    async fn round(&mut self, questions: &[Question], open: &[usize]) -> Vec<(usize, Presence)> {
        let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut by_listing: BTreeMap<&'a str, Vec<usize>> = BTreeMap::new();
        for index in open {
            let question = &questions[*index];
            let listing = self.listings.get_key_value(question.kind.as_str());
            match listing.filter(|_| question.known == KnownBy::Found) {
                Some((kind, _)) => by_listing.entry(kind).or_default().push(*index),
                None => by_id.entry(&question.kind).or_default().push(*index),
            }
        }
        let id = |index: usize| questions[index].id.clone();
        let (engine, kinds) = (self.engine, &self.listings);
        let asked = join_all(by_id.into_iter().map(|(kind, indexes)| async move {
            let ids: Vec<String> = indexes.iter().copied().map(id).collect();
            indexes
                .into_iter()
                .zip(engine.presence(kind, &ids).await)
                .collect::<Vec<_>>()
        }));
        let listed = join_all(by_listing.into_iter().map(|(kind, indexes)| async move {
            let wanted = Wanted::default();
            let left = engine.left(kinds[kind].as_ref(), &wanted, &[]).await;
            (kind, indexes, left)
        }));
        let (asked, listed) = tokio::join!(asked, listed);
        let mut answers: Vec<_> = asked.into_iter().flatten().collect();
        for (kind, indexes, left) in listed {
            let mut there = Vec::new();
            for index in indexes {
                match &left {
                    Ok(left) if left.contains(&questions[index].id) => there.push(index),
                    Ok(_) => answers.push((index, Presence::Absent)),
                    Err(error) => {
                        answers.push((index, Presence::unknown(error)));
                    }
                }
            }
            answers.extend(self.held(kind, questions, there).await);
            self.listed.insert(kind, left);
        }
        answers
    }

    /// What holds those that are still listed.
    async fn held(
        &self,
        kind: &str,
        questions: &[Question],
        there: Vec<usize>,
    ) -> Vec<(usize, Presence)> {
        if there.is_empty() {
            return Vec::new();
        }
        let ids: Vec<String> = there.iter().map(|it| questions[*it].id.clone()).collect();
        let answers = self.engine.presence(kind, &ids).await;
        let still = |answer| match answer {
            Presence::Absent => Presence::Present("still listed".to_owned()),
            other => other,
        };
        there
            .into_iter()
            .zip(answers.into_iter().map(still))
            .collect()
    }
}

impl Engine {
    async fn presence(&self, kind: &str, ids: &[String]) -> Vec<Presence> {
        match self.kind(kind) {
            Ok(kind) => kind.presence(&self.cx, ids).await,
            Err(error) => vec![Presence::unknown(&error); ids.len()],
        }
    }
}
