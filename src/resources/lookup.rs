//! Kinds that only look things up for expressions: never made, never deleted, nothing in a plan.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;

use crate::aws::Tags;
use crate::base::deserialize::from_node;
use crate::base::{Diff, Errors, Node, OutputMeaning, Outputs, Result};
use crate::contract::{Context, Found, Iam, Kind, Patience, Presence, Stage, Target, Wanted};

/// One question about the account, as a playbook writes it.
pub trait Lookup: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Section key and file name.
    const KIND: &'static str;
    /// IAM actions of the question.
    const ACTIONS: &'static [&'static str];
    /// What expressions may read.
    const OUTPUTS: &'static [OutputMeaning];

    /// Looks it up.
    fn look(&self, cx: &Context) -> impl Future<Output = Result<Outputs>> + Send;
}

/// The [`Kind`] of a [`Lookup`]. It stands upon nothing but what its spec names, and is observed
/// when that is known: before a plan is shown.
pub struct Looked<L>(PhantomData<fn() -> L>);

impl<L: Lookup> Looked<L> {
    /// As one entry of the registry.
    #[must_use]
    pub fn kind() -> Arc<dyn Kind> {
        Arc::new(Self(PhantomData))
    }

    async fn found(cx: &Context, target: Target<'_>) -> Result<Found> {
        let spec = from_node::<L>(target.node)?;
        Ok(Found {
            id: target.address.name.clone(),
            name: None,
            tags: Tags::default(),
            outputs: spec.look(cx).await?,
            parts: Vec::new(),
            live: Arc::new(()),
        })
    }
}

#[async_trait]
impl<L: Lookup> Kind for Looked<L> {
    fn name(&self) -> &'static str {
        L::KIND
    }

    fn stage(&self) -> Stage {
        Stage::Upon
    }

    fn asks(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        schemars::generate::SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator()
            .into_root_schema_for::<L>()
    }

    fn iam(&self) -> Iam {
        Iam {
            discover: L::ACTIONS,
            apply: &[],
            delete: &[],
        }
    }

    fn outputs(&self) -> &'static [OutputMeaning] {
        L::OUTPUTS
    }

    fn delete_rank(&self) -> u8 {
        0
    }

    fn check(&self, node: &Node) -> Result<(), Errors> {
        if node.has_unknown() {
            return Ok(());
        }
        from_node::<L>(node)?;
        Ok(())
    }

    async fn discover(&self, _cx: &Context, _wanted: &Wanted) -> Result<Vec<Found>> {
        Ok(Vec::new())
    }

    async fn observe(
        &self,
        cx: &Context,
        target: Target<'_>,
        _patience: Patience,
    ) -> Result<Option<Found>> {
        if target.node.has_unknown() {
            return Ok(None);
        }
        Self::found(cx, target).await.map(Some)
    }

    fn diff(&self, _target: Target<'_>, _live: Option<&Found>) -> Result<Diff> {
        Ok(Diff::default())
    }

    async fn apply(
        &self,
        cx: &Context,
        target: Target<'_>,
        _live: Option<&Found>,
    ) -> Result<Found> {
        Self::found(cx, target).await
    }

    async fn delete(&self, _cx: &Context, _live: &Found) -> Result<()> {
        Ok(())
    }

    async fn presence(&self, _cx: &Context, ids: &[String]) -> Vec<Presence> {
        vec![Presence::Absent; ids.len()]
    }
}
