//! The second look, by other questions than ids: everything that carries the stack's tag, and the
//! kinds that tags do not show by their own listings. Nothing may come back but what was kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use futures::future::{OptionFuture, join_all};

use super::asking::{Listed, PATIENCE, PAUSE};
use super::planning::Prepared;
use super::run::Engine;
use super::{Line, Listing, Verdict};
use crate::base::{Address, Result};
use crate::contract::{Arn, Found, Kind, Tagged, TaggedResource, Wanted, tagging, tags as keys};

impl Engine {
    /// The kinds in use that the Tagging API does not tell of, or only in part; every such kind
    /// where nothing is known to be in use.
    pub(super) fn told_by_no_tag(&self, prepared: &Prepared) -> Vec<&Arc<dyn Kind>> {
        let survey = &prepared.survey;
        let told = |kind: &dyn Kind| kind.arn().is_some() && !kind.tagged_in_part();
        let nothing_known = survey.owned.is_empty() && survey.in_use.is_empty();
        let in_use = |kind: &dyn Kind| {
            let name = kind.name();
            let some = survey.owned.keys().any(|address| address.kind == name);
            survey.listed.contains(name) && (some || nothing_known || survey.in_use.contains(name))
        };
        let kinds = self.kinds.iter();
        kinds
            .filter(|kind| !told(kind.as_ref()) && in_use(kind.as_ref()))
            .collect()
    }

    /// Everything that carries the stack's tag now. Without kinds that carry tags there is nothing
    /// to look for.
    pub(super) async fn tagged_now(&self) -> Result<Tagged> {
        if !self.some_carry_tags() {
            return Ok(Tagged::default());
        }
        tagging::everything(&self.cx.aws, &self.cx.stack).await
    }

    fn some_carry_tags(&self) -> bool {
        self.cx.has_account() && self.kinds.iter().any(|kind| kind.arn().is_some())
    }

    /// What still shows; `listed` and `tagged` are what was seen since everything was deleted.
    pub(super) async fn listings(
        &self,
        prepared: &Prepared,
        kept: &BTreeMap<&Address, &str>,
        asked: &[Line],
        mut listed: Listed<'_>,
        tagged: Result<Tagged>,
    ) -> Vec<Listing> {
        let addresses: BTreeSet<&Address> = kept.keys().copied().collect();
        let kept = kept.keys().filter_map(|it| prepared.survey.owned.get(*it));
        let kept: Vec<&str> = kept.map(|found| found.id.as_str()).collect();
        let listings = self.told_by_no_tag(prepared).into_iter().map(|kind| {
            let seen = listed.remove(kind.name());
            let kept = &kept;
            async move {
                let what = format!("{} of the stack", kind.name());
                let left = match seen {
                    Some(left) => left,
                    None => self.left(kind.as_ref(), &Wanted::default(), &[]).await,
                };
                let gone = |left: Vec<String>| {
                    let left = left.into_iter();
                    left.filter(|id| !kept.contains(&id.as_str())).collect()
                };
                Listing::new(what, left.map(gone))
            }
        });
        let by_tag = async {
            let left = match tagged {
                Ok(tagged) => self.left_by_tag(tagged, &kept, &addresses, asked).await,
                Err(error) => Err(error),
            };
            Listing::new("everything tagged tidewalk:stack".to_owned(), left)
        };
        let by_tag = OptionFuture::from(self.some_carry_tags().then_some(by_tag));
        let (by_tag, listings) = tokio::join!(by_tag, join_all(listings));
        by_tag.into_iter().chain(listings).collect()
    }

    /// What a kind's own listing still shows.
    pub(super) async fn left(
        &self,
        kind: &dyn Kind,
        wanted: &Wanted,
        kept: &[&str],
    ) -> Result<Vec<String>> {
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
        mut now: Tagged,
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
                tagged: now.clone(),
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
            now = self.tagged_now().await?;
        }
    }
}

/// The ARN is that of the resource with this id: its name, or itself an ARN.
fn names(arn: &str, id: &str) -> bool {
    arn.strip_suffix(id)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', ':']))
}
