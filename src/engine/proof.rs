//! Asks again for everything that was there, until its own service says twice that it is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures::future::join_all;

use super::planning::Prepared;
use super::run::Engine;
use super::{Action, Event, Line, Listing, Outcome, Receipt, Verdict, journal};
use crate::base::Address;
use crate::contract::{Kind, Presence, Stage, Wanted, tags as keys};

/// How long a thing may take to be seen as gone after its deletion was answered.
const PATIENCE: Duration = Duration::from_mins(1);
/// The pause between two questions; two answers in a row must say "gone".
const PAUSE: Duration = Duration::from_millis(500);

/// One thing that must be gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    kind: String,
    address: Address,
    noun: String,
    id: String,
}

impl Engine {
    pub(super) async fn prove(&self, prepared: &Prepared, outcome: &Outcome) -> Receipt {
        let mut receipt = Receipt {
            stack: self.cx.stack.clone(),
            account: self.cx.account.clone(),
            region: self.cx.region.clone(),
            sandbox: self.options.sandbox,
            ..Receipt::default()
        };
        let kept: BTreeMap<&Address, &str> = prepared
            .plan
            .steps
            .iter()
            .filter(|step| step.action == Action::Keep)
            .map(|step| (&step.address, step.reason.as_deref().unwrap_or("kept")))
            .collect();
        for (address, found) in &prepared.survey.owned {
            if let Some(why) = kept.get(address) {
                receipt.lines.push(Line {
                    address: Some(address.clone()),
                    noun: noun(&address.kind),
                    id: found.id.clone(),
                    verdict: Verdict::Kept((*why).to_owned()),
                });
            }
        }
        let mut questions = Self::questions(prepared, &kept);
        let from_journal = self.remembered(&questions, prepared);
        match from_journal {
            Ok(remembered) => questions.extend(remembered),
            Err(error) => receipt.listings.push(Listing {
                what: "the journal".to_owned(),
                verdict: Verdict::Unknown(error.message().to_owned()),
            }),
        }
        self.observer.event(&Event::Note(format!(
            "asking again for {} things",
            questions.len()
        )));
        let whole = self.options.only.is_empty();
        let answers = self.ask(&questions, outcome).await;
        receipt.lines.extend(
            questions
                .into_iter()
                .zip(answers)
                .map(|(question, verdict)| Line {
                    address: Some(question.address),
                    noun: question.noun,
                    id: question.id,
                    verdict,
                }),
        );
        receipt
            .lines
            .sort_by_key(|line| line.address.as_ref().map(|it| (self.rank(it), it.clone())));
        if whole {
            receipt
                .listings
                .extend(self.listings(prepared, &kept).await);
        }
        receipt.when = jiff::Timestamp::now().to_string();
        receipt
    }

    fn questions(prepared: &Prepared, kept: &BTreeMap<&Address, &str>) -> Vec<Question> {
        let mut questions = Vec::new();
        for step in prepared
            .plan
            .steps
            .iter()
            .filter(|step| step.action == Action::Delete)
        {
            let Some(found) = prepared.survey.owned.get(&step.address) else {
                continue;
            };
            if kept.contains_key(&step.address) {
                continue;
            }
            let mut ask = |noun: String, id: &str| {
                questions.push(Question {
                    kind: step.address.kind.clone(),
                    address: step.address.clone(),
                    noun,
                    id: id.to_owned(),
                });
            };
            ask(noun(&step.address.kind), &found.id);
            found
                .parts
                .iter()
                .for_each(|part| ask(part.noun.to_owned(), &part.id));
        }
        questions
    }

    /// What the journal knows of this stack beside what was found: made by runs that are over.
    fn remembered(
        &self,
        known: &[Question],
        prepared: &Prepared,
    ) -> crate::base::Result<BTreeSet<Question>> {
        let mut remembered = BTreeSet::new();
        for entry in journal::read(&self.cx.local, &self.cx.stack)? {
            let Some(id) = entry.id else { continue };
            let here = entry.account == self.cx.account && entry.region == self.cx.region;
            let seen = known.iter().any(|question| question.id == id)
                || prepared.survey.owned.values().any(|found| found.id == id);
            if here && !seen && self.stage(&entry.address) == Stage::Account {
                remembered.insert(Question {
                    kind: entry.address.kind.clone(),
                    noun: noun(&entry.address.kind),
                    address: entry.address,
                    id,
                });
            }
        }
        Ok(remembered)
    }

    /// One verdict per question.
    async fn ask(&self, questions: &[Question], outcome: &Outcome) -> Vec<Verdict> {
        let mut verdicts: Vec<Option<Verdict>> = vec![None; questions.len()];
        let mut gone_once = vec![false; questions.len()];
        let failed: BTreeSet<&Address> = outcome
            .failed
            .iter()
            .filter_map(crate::base::Error::address)
            .collect();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut by_kind: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for (index, question) in questions.iter().enumerate() {
                if verdicts[index].is_none() {
                    by_kind.entry(&question.kind).or_default().push(index);
                }
            }
            if by_kind.is_empty() {
                break;
            }
            let asked = by_kind.into_iter().map(|(kind, indexes)| async move {
                let ids: Vec<String> = indexes.iter().map(|it| questions[*it].id.clone()).collect();
                (self.presence(kind, &ids).await, indexes)
            });
            let late = Instant::now() >= deadline;
            for (answers, indexes) in join_all(asked).await {
                for (index, answer) in indexes.into_iter().zip(answers) {
                    let hopeless = late
                        || failed.contains(&questions[index].address)
                        || self.stop.is_requested();
                    verdicts[index] = match answer {
                        Presence::Absent if gone_once[index] => Some(Verdict::Absent),
                        Presence::Absent => {
                            gone_once[index] = true;
                            None
                        }
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
            }
            if verdicts.iter().any(Option::is_none) {
                tokio::time::sleep(PAUSE).await;
            }
        }
        verdicts.into_iter().flatten().collect()
    }

    async fn presence(&self, kind: &str, ids: &[String]) -> Vec<Presence> {
        match self.kind(kind) {
            Ok(kind) => kind.presence(&self.cx, ids).await,
            Err(error) => vec![Presence::Unknown(error.message().to_owned()); ids.len()],
        }
    }

    /// Every kind that was in use listed again by the stack's tag: nothing may come back but what
    /// was kept.
    async fn listings(&self, prepared: &Prepared, kept: &BTreeMap<&Address, &str>) -> Vec<Listing> {
        let wanted = Wanted::default();
        let kinds = self.kinds.iter();
        let kinds = kinds.filter(|kind| prepared.survey.listed.contains(kind.name()));
        let listings = kinds.map(|kind| self.listing(kind.as_ref(), &wanted, prepared, kept));
        join_all(listings).await
    }

    async fn listing(
        &self,
        kind: &dyn Kind,
        wanted: &Wanted,
        prepared: &Prepared,
        kept: &BTreeMap<&Address, &str>,
    ) -> Listing {
        let what = format!("{} by tag tidewalk:stack", kind.name());
        let verdict = match kind.discover(&self.cx, wanted).await {
            Err(error) => Verdict::Unknown(error.message().to_owned()),
            Ok(found) => {
                let left: Vec<String> = found
                    .into_iter()
                    .filter(|found| {
                        let kept = kept.keys().filter_map(|it| prepared.survey.owned.get(*it));
                        let ours = found.tags.value(keys::STACK) == Some(&self.cx.stack);
                        ours && !kept.into_iter().any(|kept| kept.id == found.id)
                    })
                    .map(|found| found.id)
                    .collect();
                if left.is_empty() {
                    Verdict::Absent
                } else {
                    Verdict::Present(left.join(", "))
                }
            }
        };
        Listing { what, verdict }
    }
}

/// One of a section: `instances` holds an `instance`.
fn noun(section: &str) -> String {
    section
        .strip_suffix('s')
        .unwrap_or(section)
        .replace('_', " ")
}
