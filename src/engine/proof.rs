//! Asks again for everything that was there, until its own service says twice that it is gone.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::OptionFuture;

use super::asking::Asking;
use super::planning::Prepared;
use super::run::Engine;
use super::{Action, Event, Line, Listing, Outcome, Receipt, Verdict, journal};
use crate::base::{Address, Result};
use crate::contract::Stage;

/// One thing that must be gone.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) kind: String,
    pub(super) address: Address,
    pub(super) noun: String,
    pub(super) id: String,
    /// How it is known.
    pub(super) known: KnownBy,
}

/// How the thing that a question is about is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownBy {
    /// It was found in the account.
    Found,
    /// It goes with what was found.
    Part,
    /// The journal of earlier runs has it, and its deletion.
    Journal,
    /// The journal of earlier runs has it, and no run has begun to delete it: this one did not see it.
    Missed,
}

impl Engine {
    /// The receipt, and what is there though this run did not see it when it began.
    pub(super) async fn prove(
        &self,
        prepared: &Prepared,
        outcome: &Outcome,
    ) -> (Receipt, BTreeSet<Address>) {
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
        for step in prepared
            .plan
            .steps
            .iter()
            .filter(|step| step.unread.is_some())
        {
            let why = step.unread.as_ref().map(|error| error.message().to_owned());
            receipt.lines.push(Line {
                address: Some(step.address.clone()),
                noun: noun(&step.address.kind),
                id: step.address.name.clone(),
                verdict: Verdict::Unknown(why.unwrap_or_default()),
            });
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
        let mut asking = Asking::new(self, outcome);
        if whole {
            asking.list(self.told_by_no_tag(prepared));
        }
        // The first look by tag is taken at the same time: every deletion has been answered.
        let tagged = OptionFuture::from(whole.then(|| self.tagged_now()));
        let (answers, tagged) = tokio::join!(asking.ask(&questions), tagged);
        let asked = questions.iter().zip(&answers);
        let missed = asked.filter(|(question, verdict)| {
            question.known == KnownBy::Missed && matches!(verdict, Verdict::Present(_))
        });
        let missed = missed.map(|(question, _)| question.address.clone());
        let missed = missed.collect();
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
        if let Some(tagged) = tagged {
            let listed = asking.into_listed();
            let listings = self.listings(prepared, &kept, &receipt.lines, listed, tagged);
            receipt.listings.extend(listings.await);
        }
        receipt.when = jiff::Timestamp::now().to_string();
        (receipt, missed)
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
            let mut ask = |noun: String, id: &str, known: KnownBy| {
                questions.push(Question {
                    known,
                    kind: step.address.kind.clone(),
                    address: step.address.clone(),
                    noun,
                    id: id.to_owned(),
                });
            };
            ask(noun(&step.address.kind), &found.id, KnownBy::Found);
            for part in &found.parts {
                ask(part.noun.to_owned(), &part.id, KnownBy::Part);
            }
        }
        questions
    }

    /// What the journal knows of this stack beside what was found: made by runs that are over.
    fn remembered(&self, known: &[Question], prepared: &Prepared) -> Result<Vec<Question>> {
        let mut remembered = BTreeMap::new();
        for entry in journal::read(&self.cx.local, &self.cx.stack)? {
            let deleted = entry.action == Action::Delete.word();
            let Some(id) = entry.id else { continue };
            let here = entry.account == self.cx.account && entry.region == self.cx.region;
            let seen = known.iter().any(|question| question.id == id)
                || prepared.survey.owned.values().any(|found| found.id == id);
            if here && !seen && self.stage(&entry.address) == Stage::Account {
                let question = Question {
                    kind: entry.address.kind.clone(),
                    noun: noun(&entry.address.kind),
                    address: entry.address,
                    id: id.clone(),
                    known: if deleted {
                        KnownBy::Journal
                    } else {
                        KnownBy::Missed
                    },
                };
                remembered.insert((question.address.clone(), id), question);
            }
        }
        Ok(remembered.into_values().collect())
    }
}

/// One of a section: `instances` holds an `instance`.
fn noun(section: &str) -> String {
    let one = match section.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => section.strip_suffix('s').unwrap_or(section).to_owned(),
    };
    one.replace('_', " ")
}
