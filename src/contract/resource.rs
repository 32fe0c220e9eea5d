//! A kind as its author writes it: a typed spec, a typed live view, six functions.

use std::collections::BTreeMap;
use std::future::Future;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{Beside, Context, Found, Iam, Part, Presence, Quota, Target, Wanted};
use crate::aws::Tags;
use crate::base::node::{Entry, Step};
use crate::base::{
    Address, Cost, Diff, Error, Errors, Expansion, OutputMeaning, Outputs, Result, Sections,
};

/// What AWS reports of one resource, cut to the fields that are managed.
pub trait Live: Clone + Send + Sync + 'static {
    /// AWS's id.
    fn id(&self) -> &str;
    /// Its name in AWS, where it has one.
    fn name(&self) -> Option<&str> {
        None
    }
    /// Its tags.
    fn tags(&self) -> &Tags;
    /// What expressions may read; always with `id`.
    fn outputs(&self) -> Outputs;
    /// What goes with it and is proven gone with it.
    fn parts(&self) -> Vec<Part> {
        Vec::new()
    }
    /// What it costs a month now in `region`, on demand; `None` where that cannot be told.
    fn cost(&self, _region: &str) -> Option<Cost> {
        None
    }
    /// The same, beside all that its stack owns.
    fn cost_with(&self, region: &str, _owned: &BTreeMap<Address, Found>) -> Option<Cost> {
        self.cost(region)
    }
}

/// A resource kind. Implementations are one file each in `src/resources/`.
pub trait Resource: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Section key, file name, case folder.
    const KIND: &'static str;
    /// Actions per verb.
    const IAM: Iam;
    /// What expressions may read of one, and what it means: exactly what [`Live::outputs`] has.
    const OUTPUTS: &'static [OutputMeaning];
    /// How ARNs of this kind begin behind the account, as `SERVICE:RESOURCE` (`kinesis:stream/`):
    /// what the Tagging API lists tells by it that the stack has some. `None` for what the Tagging
    /// API does not list.
    const ARN: Option<&'static str>;
    /// The Tagging API tells of it only by what goes with it and carries its address (a fleet's
    /// instances): where no journal tells of the stack either, destroy lists it whatever is told.
    const TAGGED_IN_PART: bool = false;
    /// Destroy deletes lower ranks first.
    const DELETE_RANK: u8;
    /// Everything else writes to it (logs): it is deleted after all kinds of lower rank.
    const DELETED_LAST: bool = false;
    /// [`Resource::delete`] ends only once its own service has said that it is gone: the receipt need
    /// not ask for it again.
    const DELETE_SEES_IT_GONE: bool = false;
    /// Kinds that let go of it when they are deleted: then it is deleted after them, though it names
    /// them.
    const FREED_BY: &'static [&'static str] = &[];
    /// A new one can be made while the old one is still there. Then a replacement makes the new
    /// one first ([`Resource::depose`] lets the old one go from the address), and the old one is
    /// deleted once all that uses it has moved on.
    const CREATE_FIRST: bool = false;
    /// How many of the kind an account may have, as AWS sets it at first.
    const QUOTA: Option<Quota> = None;
    /// What AWS reports.
    type Live: Live;

    /// Outputs that an expanded one has of what it stands for, and the section of that.
    const BORROWS: &'static [(&'static str, OutputMeaning)] = &[];

    /// What an entry of the section stands for beside itself; nothing is evaluated yet.
    ///
    /// # Errors
    /// What must be written out for this and is not.
    fn expand(
        _name: &str,
        _entry: &Entry,
        _sections: &Sections,
    ) -> Result<Option<Expansion>, Errors> {
        Ok(None)
    }

    /// The check is right about the rest where texts that are known only after apply are not there yet:
    /// it gets the expressions in their place.
    const CHECKED_IN_PART: bool = false;

    /// What can be told to be wrong offline, beyond types: where in the spec, and what.
    fn check(&self) -> Vec<(Vec<Step>, String)> {
        Vec::new()
    }

    /// All that the stack owns, and the wanted external names that exist: one listing (and its
    /// pages), not one call per resource. Dying states are absence.
    fn discover(
        cx: &Context,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<Vec<Self::Live>>> + Send;

    /// What differs. Pure, but for files that the playbook names.
    ///
    /// # Errors
    /// A playbook error, when such a file cannot be read.
    fn diff(&self, live: &Self::Live, target: Target<'_>) -> Result<Diff>;

    /// What one such costs a month in `region`, on demand.
    fn cost(&self, _region: &str) -> Cost {
        Cost::default()
    }

    /// The same, beside what it depends on.
    fn cost_with(&self, region: &str, _beside: &Beside<'_>) -> Cost {
        self.cost(region)
    }

    /// What it takes of quotas beside [`Resource::QUOTA`]: shards of a stream, rules of a group.
    fn uses(&self) -> Vec<(Quota, u64)> {
        Vec::new()
    }

    /// Creates or updates, and waits until usable. Safe to repeat.
    fn apply(
        &self,
        cx: &Context,
        target: Target<'_>,
        live: Option<&Self::Live>,
    ) -> impl Future<Output = Result<Self::Live>> + Send;

    /// Looks whether a new one can be made, before the old one is deleted for it. Changes nothing.
    fn ready(&self, _cx: &Context, _target: Target<'_>) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Lets go of `old`, which is about to be made anew: whatever of the stack holds it and is
    /// changed afterwards anyway. Safe to repeat.
    fn release(_cx: &Context, _old: &Self::Live) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Writes another address on `old`, which is about to be replaced by a new one. For kinds with
    /// [`Resource::CREATE_FIRST`].
    fn depose(
        _cx: &Context,
        old: &Self::Live,
        _address: &Address,
    ) -> impl Future<Output = Result<()>> + Send {
        let refused = Err(Error::failed(format!("`{}` cannot be deposed", old.id())));
        async { refused }
    }

    /// Deletes and waits until gone. Already gone is success.
    fn delete(cx: &Context, live: &Self::Live) -> impl Future<Output = Result<()>> + Send;

    /// Asks for each id again, in bulk; one answer per id.
    fn presence(cx: &Context, ids: &[String]) -> impl Future<Output = Vec<Presence>> + Send;
}
