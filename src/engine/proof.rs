//! Asks again for everything that was there, until its own service says twice that it is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures::future::{OptionFuture, join_all};

use super::planning::Prepared;
use super::run::Engine;
use super::{Action, Event, Line, Listing, Outcome, Receipt, Verdict, journal};
use crate::base::{Address, Result};
use crate::contract::{
    Arn, Found, Kind, Presence, Stage, TaggedResource, Wanted, tagging, tags as keys,
};

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
            let listings = self.listings(prepared, &kept, &receipt.lines).await;
            receipt.listings.extend(listings);
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
    fn remembered(&self, known: &[Question], prepared: &Prepared) -> Result<BTreeSet<Question>> {
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
        // A deletion of this run that was answered counts as the first answer.
        let deleted: BTreeSet<&Address> = outcome.done.iter().collect();
        let mut gone_once: Vec<bool> = questions
            .iter()
            .map(|question| deleted.contains(&question.address))
            .collect();
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

    /// The second look, by other questions than ids: everything that carries the stack's tag, and
    /// the kinds that tags do not show by their own listings. Nothing may come back but what was
    /// kept.
    async fn listings(
        &self,
        prepared: &Prepared,
        kept: &BTreeMap<&Address, &str>,
        asked: &[Line],
    ) -> Vec<Listing> {
        let addresses: BTreeSet<&Address> = kept.keys().copied().collect();
        let kept = kept.keys().filter_map(|it| prepared.survey.owned.get(*it));
        let kept: Vec<&str> = kept.map(|found| found.id.as_str()).collect();
        let told = |kind: &dyn Kind| kind.arn().is_some() && !kind.tagged_in_part();
        let kinds = self.kinds.iter().filter(|kind| !told(kind.as_ref()));
        let kinds = kinds.filter(|kind| prepared.survey.listed.contains(kind.name()));
        let listings = kinds.map(|kind| async {
            let what = format!("{} of the stack", kind.name());
            let left = self.left(kind.as_ref(), &Wanted::default(), &kept).await;
            Listing::new(what, left)
        });
        let by_tag = async {
            let left = self.left_by_tag(&kept, &addresses, asked).await;
            Listing::new("everything tagged tidewalk:stack".to_owned(), left)
        };
        // Without kinds that carry tags there is nothing to look for by tag.
        let tagged = self.kinds.iter().any(|kind| kind.arn().is_some());
        let by_tag = OptionFuture::from(tagged.then_some(by_tag));
        let (by_tag, listings) = tokio::join!(by_tag, join_all(listings));
        by_tag.into_iter().chain(listings).collect()
    }

    /// What a kind's own listing still shows.
    async fn left(&self, kind: &dyn Kind, wanted: &Wanted, kept: &[&str]) -> Result<Vec<String>> {
        let found = kind.discover(&self.cx, wanted).await?.into_iter();
        let ours = |found: &Found| found.tags.value(keys::STACK) == Some(&self.cx.stack);
        let left = found.filter(|found| ours(found) && !kept.contains(&found.id.as_str()));
        Ok(left.map(|found| found.id).collect())
    }

    /// What still carries the stack's tag and is there. Tags outlive their resources for a while:
    /// what was asked for and is gone does not count, and of anything else its own service says
    /// whether it is there.
    async fn left_by_tag(
        &self,
        kept: &[&str],
        addresses: &BTreeSet<&Address>,
        asked: &[Line],
    ) -> Result<Vec<String>> {
        let gone = asked.iter().filter(|line| line.verdict == Verdict::Absent);
        let known: Vec<&str> = gone
            .map(|line| line.id.as_str())
            .chain(kept.iter().copied())
            .collect();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let wanted = Wanted {
                tagged: tagging::everything(&self.cx.aws, &self.cx.stack).await?,
                ..Wanted::default()
            };
            let tagged = wanted.tagged.of(&self.cx.aws, &self.cx.stack).await?;
            // What belongs to something kept has its address (a group's rule).
            let of_kept = |one: &&TaggedResource| {
                let owner = one.tags.owner();
                owner.is_some_and(|owner| addresses.contains(&owner.address))
            };
            let parts = tagged.iter().filter(of_kept);
            let parts = parts.filter_map(|one| Some(Arn::read(&one.arn)?.resource));
            let parts: Vec<&str> = parts.collect();
            let is_part =
                |arn: &str| Arn::read(arn).is_some_and(|arn| parts.contains(&arn.resource));
            let is_known = |arn: &str| known.iter().any(|id| names(arn, id));
            let strays = tagged.iter().map(|one| one.arn.as_str());
            let mut strays: BTreeSet<&str> = strays
                .filter(|arn| !is_known(arn) && !is_part(arn))
                .collect();
            let mut left = Vec::new();
            for kind in &self.kinds {
                let Some(begin) = kind.arn() else { continue };
                let its = |arn: &&str| Arn::read(arn).is_some_and(|arn| arn.after(begin).is_some());
                if strays.iter().any(its) {
                    left.extend(self.left(kind.as_ref(), &wanted, kept).await?);
                    strays.retain(|arn| !its(arn));
                }
            }
            if !left.is_empty() || strays.is_empty() {
                return Ok(left);
            }
            if Instant::now() >= deadline || self.stop.is_requested() {
                return Ok(strays.into_iter().map(str::to_owned).collect());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The ARN is that of the resource with this id: its name, or itself an ARN.
fn names(arn: &str, id: &str) -> bool {
    arn.strip_suffix(id)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', ':']))
}

/// One of a section: `instances` holds an `instance`.
fn noun(section: &str) -> String {
    let one = match section.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => section.strip_suffix('s').unwrap_or(section).to_owned(),
    };
    one.replace('_', " ")
}
