//! Makes a typed [`Resource`] into a [`Kind`] that the engine can drive.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::Schema;

use super::estimate::estimate;
use super::made::made;
use super::{Beside, Context, Found, Iam, Kind, Live, Presence, Quota, Resource, Target, Wanted};
use crate::base::deserialize::from_node;
use crate::base::node::Entry;
use crate::base::{
    Address, Cost, Diff, Error, Errors, Expansion, Node, OutputMeaning, Result, Sections, Shown,
    Value,
};

/// The [`Kind`] of a [`Resource`].
pub struct Typed<R>(PhantomData<fn() -> R>);

impl<R: Resource> Typed<R> {
    /// As one entry of the registry.
    #[must_use]
    pub fn kind() -> Arc<dyn Kind> {
        Arc::new(Self(PhantomData))
    }
}

fn found<L: Live>(live: L) -> Found {
    Found {
        id: live.id().to_owned(),
        name: live.name().map(str::to_owned),
        tags: live.tags().clone(),
        outputs: live.outputs(),
        parts: live.parts(),
        live: Arc::new(live),
    }
}

fn live_of<R: Resource>(found: &Found) -> Result<&R::Live> {
    found.live.downcast_ref::<R::Live>().ok_or_else(|| {
        Error::failed(format!(
            "`{}` was found by another kind than `{}`",
            found.id,
            R::KIND
        ))
    })
}

/// With the text of the expression for what is known only after apply.
fn as_written(node: &Node) -> Node {
    let value = match &node.value {
        Value::AfterApply(text) => Value::Text(text.clone()),
        Value::List(list) => Value::List(list.iter().map(as_written).collect()),
        Value::Map(map) => {
            let entry = |(key, entry): (&String, &Entry)| {
                let (key_at, node) = (entry.key_at.clone(), as_written(&entry.node));
                (key.clone(), Entry { key_at, node })
            };
            Value::Map(map.iter().map(entry).collect())
        }
        value => value.clone(),
    };
    Node {
        value,
        ..node.clone()
    }
}

/// What differs where some texts are known only after apply: these do, in any case.
fn in_part<R: Resource>(live: &Found, target: Target<'_>) -> Result<Option<Diff>> {
    let node = as_written(target.node);
    let spec = R::CHECKED_IN_PART.then(|| from_node::<R>(&node));
    let Some(Ok(spec)) = spec else {
        return Ok(None);
    };
    let mut later = Vec::new();
    target.node.walk(&mut |node| {
        if let Value::AfterApply(text) = &node.value {
            later.push(Shown::of(text));
        }
    });
    let target = Target {
        node: &node,
        ..target
    };
    let mut diff = spec.diff(live_of::<R>(live)?, target)?;
    for change in &mut diff.changes {
        if later.contains(&change.new) {
            change.new = Shown::AfterApply;
        }
    }
    Ok(Some(diff))
}

#[async_trait]
impl<R: Resource> Kind for Typed<R> {
    fn name(&self) -> &'static str {
        R::KIND
    }

    fn schema(&self) -> Schema {
        schemars::generate::SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator()
            .into_root_schema_for::<R>()
    }

    fn expand(
        &self,
        name: &str,
        entry: &Entry,
        sections: &Sections,
    ) -> Result<Option<Expansion>, Errors> {
        R::expand(name, entry, sections)
    }

    fn borrows(&self) -> &'static [(&'static str, OutputMeaning)] {
        R::BORROWS
    }

    fn iam(&self) -> Iam {
        R::IAM
    }

    fn outputs(&self) -> &'static [OutputMeaning] {
        R::OUTPUTS
    }

    fn arn(&self) -> Option<&'static str> {
        R::ARN
    }

    fn delete_rank(&self) -> u8 {
        R::DELETE_RANK
    }

    fn check(&self, node: &Node) -> Result<(), Errors> {
        let spec = if node.has_unknown() {
            // What does not read as text cannot be looked at.
            let spec = R::CHECKED_IN_PART.then(|| from_node::<R>(&as_written(node)));
            let Some(Ok(spec)) = spec else {
                return Ok(());
            };
            spec
        } else {
            from_node::<R>(node)?
        };
        let problems = spec.check().into_iter();
        let placed = problems.map(|(path, text)| (node.follow(&path), text));
        let known = placed.filter(|(node, _)| !matches!(node.value, Value::AfterApply(_)));
        let errors = known.map(|(node, text)| Error::playbook(text, &node.at));
        Errors(errors.collect()).into_result(())
    }

    async fn discover(&self, cx: &Context, wanted: &Wanted) -> Result<Vec<Found>> {
        Ok(R::discover(cx, wanted)
            .await?
            .into_iter()
            .map(found)
            .collect())
    }

    fn cost(&self, node: &Node, region: &str, beside: &Beside<'_>) -> Cost {
        estimate(node, R::KIND, |node| {
            let spec = from_node::<R>(node).ok()?;
            Some(spec.cost_with(region, beside))
        })
    }

    fn cost_now(
        &self,
        live: &Found,
        region: &str,
        owned: &BTreeMap<Address, Found>,
    ) -> Option<Cost> {
        live_of::<R>(live).ok()?.cost_with(region, owned)
    }

    fn uses(&self, node: Option<&Node>) -> Vec<(Quota, u64)> {
        let one = R::QUOTA.map(|quota| (quota, 1));
        let spec = node.and_then(|node| from_node::<R>(node).ok());
        let more = spec.map(|spec| spec.uses()).unwrap_or_default();
        one.into_iter().chain(more).collect()
    }

    fn diff(&self, target: Target<'_>, live: Option<&Found>) -> Result<Diff> {
        match live {
            None => Ok(made(target.node)),
            Some(live) if target.node.has_unknown() => {
                if let Some(diff) = in_part::<R>(live, target)? {
                    return Ok(diff);
                }
                let mut diff = made(target.node);
                diff.changes
                    .retain(|change| change.new == Shown::AfterApply);
                Ok(diff)
            }
            Some(live) => from_node::<R>(target.node)?.diff(live_of::<R>(live)?, target),
        }
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Found>) -> Result<Found> {
        let spec = from_node::<R>(target.node)?;
        let live = live.map(live_of::<R>).transpose()?;
        spec.apply(cx, target, live).await.map(found)
    }

    async fn ready(&self, cx: &Context, target: Target<'_>) -> Result<()> {
        from_node::<R>(target.node)?.ready(cx, target).await
    }

    async fn replace(&self, cx: &Context, target: Target<'_>, old: &Found) -> Result<Found> {
        let lets_go = R::release(cx, live_of::<R>(old)?).await;
        lets_go.map_err(|error| error.context("letting go of the old one"))?;
        let deleted = self.delete(cx, old).await;
        deleted.map_err(|error| error.context("deleting the old one"))?;
        self.apply(cx, target, None).await
    }

    fn tagged_in_part(&self) -> bool {
        R::TAGGED_IN_PART
    }

    fn delete_sees_it_gone(&self) -> bool {
        R::DELETE_SEES_IT_GONE
    }

    fn freed_by(&self) -> &'static [&'static str] {
        R::FREED_BY
    }

    fn deleted_last(&self) -> bool {
        R::DELETED_LAST
    }

    fn creates_first(&self) -> bool {
        R::CREATE_FIRST
    }

    async fn depose(&self, cx: &Context, old: &Found, address: &Address) -> Result<()> {
        R::depose(cx, live_of::<R>(old)?, address).await
    }

    async fn delete(&self, cx: &Context, live: &Found) -> Result<()> {
        R::delete(cx, live_of::<R>(live)?).await
    }

    async fn presence(&self, cx: &Context, ids: &[String]) -> Vec<Presence> {
        R::presence(cx, ids).await
    }
}
