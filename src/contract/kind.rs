//! A kind as the engine sees it: no types, only nodes, what was found, and differences.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use schemars::Schema;

use super::{Context, Quota, Target};
use crate::aws::{Tagged, Tags};
use crate::base::node::Entry;
use crate::base::{
    Address, Cost, Diff, Error, Errors, Expansion, Node, OutputMeaning, Outputs, Result, Sections,
    Value,
};

/// When in a run a kind has its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Lives in the account: found in bulk before the plan, deleted by destroy.
    Account,
    /// Lives on something else (a host's configuration): observed one by one once what it stands
    /// on is known; goes away with it.
    Upon,
    /// Looks only: performed after everything else was applied.
    Check,
}

/// What a price depends on beside the resource itself.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    /// Those that attach themselves to it (elastic IPs to an instance).
    pub attached: &'a [Address],
    /// The spec of another resource of the playbook, as far as it is known.
    pub spec: &'a dyn Fn(&Address) -> Option<Node>,
}

/// How long [`Kind::observe`] waits for something that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// It has been there: no answer soon is an error.
    Standing,
    /// It was made, started or moved a moment ago.
    JustStarted,
}

/// The IAM actions a kind calls, per verb: `ec2:RunInstances`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Iam {
    /// To discover.
    pub discover: &'static [&'static str],
    /// To create and update.
    pub apply: &'static [&'static str],
    /// To delete and to prove it.
    pub delete: &'static [&'static str],
}

/// What discovery is asked for, beside everything that the stack owns.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Names or ids that the playbook uses but does not declare: looked up, never changed.
    pub external: Vec<String>,
    /// The declared specs, evaluated with nothing known of other resources.
    pub declared: Vec<(Address, Node)>,
    /// All that the Tagging API lists of the stack, asked for once for all kinds.
    pub tagged: Tagged,
    /// The kinds that are listed in any case, since the playbook or the journal has some.
    pub in_use: Arc<BTreeSet<&'static str>>,
    /// All of it will be deleted, nothing compared: what only a comparison needs is not asked for.
    pub for_deletion: bool,
}

impl Wanted {
    /// The AWS names of what is declared: `name:` where it is given and known, else the name that
    /// [`aws_name`] makes of the address.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let declared = self.declared.iter();
        let names = declared.filter_map(|(address, node)| match node.entry("name") {
            Some(Node {
                value: Value::Text(name),
                ..
            }) => Some(name.clone()),
            None
            | Some(Node {
                value: Value::Null, ..
            }) => Some(aws_name(address)),
            Some(_) => None,
        });
        names.collect()
    }
}

/// The name in AWS of what has none of its own: the address's, with `-KEY` for a `for_each` key.
#[must_use]
pub fn aws_name(address: &Address) -> String {
    match address.split_key() {
        (name, Some(key)) => format!("{name}-{key}"),
        (name, None) => name.to_owned(),
    }
}

/// Something that comes and goes with a resource and is proven gone with it (a root volume).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is, in AWS's noun: `volume`, `network interface`.
    pub noun: &'static str,
    /// Its AWS id.
    pub id: String,
}

/// A resource that exists.
#[derive(Clone)]
pub struct Found {
    /// AWS's id.
    pub id: String,
    /// Its name in AWS, where it has one; typed references find existing resources by it.
    pub name: Option<String>,
    /// Its tags; ownership is read from them.
    pub tags: Tags,
    /// What expressions may read.
    pub outputs: Outputs,
    /// What goes with it.
    pub parts: Vec<Part>,
    /// The kind's own view of it.
    pub live: Arc<dyn Any + Send + Sync>,
}

/// The answer to "is it gone?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Its own service says that it does not exist (or is in its final dead state).
    Absent,
    /// It is still there, with what holds it if that is known.
    Present(String),
    /// Nothing can use it any more, and AWS deletes it by itself: until when it can be brought
    /// back, RFC 3339.
    Pending(String),
    /// The question could not be answered, and why.
    Unknown(String),
}

impl Presence {
    /// The question could not be answered, because of this.
    #[must_use]
    pub fn unknown(error: &Error) -> Self {
        Self::Unknown(error.message().to_owned())
    }
}

/// One section of the playbook.
#[async_trait]
pub trait Kind: Send + Sync {
    /// The section's key, such as `instances`.
    fn name(&self) -> &'static str;

    /// When it has its turn.
    fn stage(&self) -> Stage {
        Stage::Account
    }

    /// It only asks about the account: `for_each` may read what it answers, before anything is
    /// planned.
    fn asks(&self) -> bool {
        false
    }

    /// The JSON Schema of one spec. Typed references carry `"x-kind": "SECTION"`, template files
    /// `"x-template": true`.
    fn schema(&self) -> Schema;

    /// What expressions may read of one, and what it means; empty when nothing is promised.
    fn outputs(&self) -> &'static [OutputMeaning];

    /// What an entry of the section stands for beside itself: a service that names its containers
    /// makes a task definition of them. Nothing is evaluated yet; `sections` are all entries that are
    /// written.
    ///
    /// # Errors
    /// What must be written out for this and is not.
    fn expand(
        &self,
        _name: &str,
        _entry: &Entry,
        _sections: &Sections,
    ) -> Result<Option<Expansion>, Errors> {
        Ok(None)
    }

    /// Outputs that one which was expanded has of what it stands for, and the section of that: it
    /// has the same name there.
    fn borrows(&self) -> &'static [(&'static str, OutputMeaning)] {
        &[]
    }

    /// IAM actions per verb.
    fn iam(&self) -> Iam;

    /// How ARNs of this kind begin behind the account, as `SERVICE:RESOURCE` (`kinesis:stream/`);
    /// `None` for what the Tagging API does not list.
    fn arn(&self) -> Option<&'static str> {
        None
    }

    /// The Tagging API tells of it only by what goes with it (a fleet's instances): where no
    /// journal tells of the stack either, destroy lists it whatever is told.
    fn tagged_in_part(&self) -> bool {
        false
    }

    /// Destroy deletes lower ranks first (DESIGN, deletion order).
    fn delete_rank(&self) -> u8;

    /// Everything else writes to it: it is deleted after all other kinds.
    fn deleted_last(&self) -> bool {
        false
    }

    /// [`Kind::delete`] ends only once its own service has said that it is gone.
    fn delete_sees_it_gone(&self) -> bool {
        false
    }

    /// Kinds that let go of it when they are deleted: then it is deleted after them, though it names
    /// them.
    fn freed_by(&self) -> &'static [&'static str] {
        &[]
    }

    /// All that is wrong with a spec and can be told offline; `node` may have unknown parts.
    ///
    /// # Errors
    /// Every problem found, each with its place.
    fn check(&self, node: &Node) -> Result<(), Errors>;

    /// Everything of this kind that the stack owns, and the external names that exist: in bulk.
    ///
    /// # Errors
    /// When a listing failed: then nothing may be concluded.
    async fn discover(&self, cx: &Context, wanted: &Wanted) -> Result<Vec<Found>>;

    /// For [`Stage::Upon`]: looks at one. `None` when what it stands on does not exist yet.
    ///
    /// # Errors
    /// When it could not be looked at.
    async fn observe(
        &self,
        _cx: &Context,
        _target: Target<'_>,
        _patience: Patience,
    ) -> Result<Option<Found>> {
        Ok(None)
    }

    /// For [`Stage::Upon`]: what it has left on what it stands on, which stays as the stack goes.
    /// [`Kind::delete`] takes that away.
    ///
    /// # Errors
    /// When it could not be looked at.
    async fn remains(&self, _cx: &Context, _target: Target<'_>) -> Result<Option<Found>> {
        Ok(None)
    }

    /// What one such costs a month in `region`, on demand. What is known only after apply and would
    /// change the price is named as unknown.
    fn cost(&self, _node: &Node, _region: &str, _beside: &Beside<'_>) -> Cost {
        Cost::default()
    }

    /// What one that exists costs a month now, beside all that its stack owns; `None` where that cannot
    /// be told.
    fn cost_now(
        &self,
        _live: &Found,
        _region: &str,
        _owned: &BTreeMap<Address, Found>,
    ) -> Option<Cost> {
        Some(Cost::default())
    }

    /// What one such takes of the account's quotas; of one without a spec (`None`), what every one
    /// takes.
    fn uses(&self, _node: Option<&Node>) -> Vec<(Quota, u64)> {
        Vec::new()
    }

    /// What differs. Pure. `live` is `None` for what does not exist: then the diff tells what will
    /// be made.
    ///
    /// # Errors
    /// A playbook error, when the spec does not fit after evaluation.
    fn diff(&self, target: Target<'_>, live: Option<&Found>) -> Result<Diff>;

    /// Makes it so, and waits until it can be used. Safe to repeat.
    ///
    /// # Errors
    /// What AWS or the host said.
    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Found>) -> Result<Found>;

    /// Looks whether a new one can be made, before the old one is deleted for it. Changes nothing.
    ///
    /// # Errors
    /// What is missing for a new one.
    async fn ready(&self, _cx: &Context, _target: Target<'_>) -> Result<()> {
        Ok(())
    }

    /// Makes it anew: what differs can only be had so. Safe to repeat.
    ///
    /// # Errors
    /// What AWS said, with what holds the old one.
    async fn replace(&self, cx: &Context, target: Target<'_>, old: &Found) -> Result<Found> {
        let deleted = self.delete(cx, old).await;
        deleted.map_err(|error| error.context("deleting the old one"))?;
        self.apply(cx, target, None).await
    }

    /// A replacement makes the new one first: [`Kind::depose`], [`Kind::apply`], and when all that
    /// uses it has moved on, [`Kind::delete`] of the old one.
    fn creates_first(&self) -> bool {
        false
    }

    /// Writes another address on `old`, which is about to be replaced. Safe to repeat.
    ///
    /// # Errors
    /// What AWS said.
    async fn depose(&self, _cx: &Context, old: &Found, _address: &Address) -> Result<()> {
        Err(Error::failed(format!("`{}` cannot be deposed", old.id)))
    }

    /// Deletes it and waits until it is gone. Already gone is success.
    ///
    /// # Errors
    /// What AWS said, with what holds it.
    async fn delete(&self, cx: &Context, live: &Found) -> Result<()>;

    /// Asks the service again for each id (resources and parts), in bulk; one answer per id.
    async fn presence(&self, cx: &Context, ids: &[String]) -> Vec<Presence>;
}
