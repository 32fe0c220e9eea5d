//! Making a table, with all that one call can give it.

use aws_sdk_dynamodb::types as sdk;

use super::{BillingMode, Capacity, Index, Key, Live, Table, listing, settled};
use crate::aws::{is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::named;

impl Table {
    pub(super) async fn created(&self, cx: &Context, target: Target<'_>) -> Result<Live> {
        let name = named::name_of(self.name.as_ref(), target);
        let indexes = self.indexes.iter().map(|(name, its)| {
            let index = sdk::GlobalSecondaryIndex::builder().index_name(name);
            let index =
                index.set_key_schema(Some(schema(&its.partition_key, its.sort_key.as_ref())?));
            let units = its.capacity().map(throughput).transpose()?;
            let index = index.set_provisioned_throughput(units);
            index
                .projection(its.projection())
                .build()
                .map_err(incomplete)
        });
        let indexes = indexes.collect::<Result<Vec<_>>>()?;
        let stream = self.stream.map(|view| {
            let stream = sdk::StreamSpecification::builder().stream_enabled(true);
            stream.stream_view_type(view.sdk()).build()
        });
        let call = cx.aws.dynamodb.create_table().table_name(&name);
        let call = call
            .set_attribute_definitions(Some(self.attributes()?))
            .set_key_schema(Some(schema(&self.partition_key, self.sort_key.as_ref())?))
            .billing_mode(mode(self.billing_mode))
            .set_provisioned_throughput(self.capacity().map(throughput).transpose()?)
            .set_global_secondary_indexes(Some(indexes).filter(|all| !all.is_empty()))
            .set_stream_specification(stream.transpose().map_err(incomplete)?)
            .set_sse_specification(self.encryption(target)?)
            .table_class(self.table_class.sdk())
            .deletion_protection_enabled(self.deletion_protection)
            .set_tags(Some(tags(target)?));
        match call.send().await.map_err(refused("dynamodb:CreateTable")) {
            Ok(_) => {}
            // An answer was lost, or somebody has a table of that name.
            Err(error) if is_code(&error, "ResourceInUseException") => {
                return self.adopted(cx, target, &name).await;
            }
            Err(error) => return Err(error),
        }
        let before = Live {
            name,
            tags: target.tags.clone(),
            ..Live::default()
        };
        settled(cx, target, &before).await
    }

    /// The table of this name that a lost call made.
    async fn adopted(&self, cx: &Context, target: Target<'_>, name: &str) -> Result<Live> {
        let before = Live {
            name: name.to_owned(),
            ..Live::default()
        };
        let live = settled(cx, target, &before).await?;
        let tags = listing::tags_of(cx, &live.arn).await?;
        named::must_be_ours("table", name, &tags, target)?;
        let whole = listing::whole(cx, name).await?.unwrap_or(live);
        Ok(Live { tags, ..whole })
    }

    /// The attributes that the table and its indexes are found by, each once.
    pub(super) fn attributes(&self) -> Result<Vec<sdk::AttributeDefinition>> {
        let keys = |index: &Index| [Some(index.partition_key.clone()), index.sort_key.clone()];
        let mut all = vec![Some(self.partition_key.clone()), self.sort_key.clone()];
        all.extend(self.indexes.values().flat_map(keys));
        let mut all: Vec<Key> = all.into_iter().flatten().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all.dedup_by(|a, b| a.name == b.name);
        let definition = |key: Key| {
            let definition = sdk::AttributeDefinition::builder().attribute_name(key.name);
            definition.attribute_type(key.r#type.sdk()).build()
        };
        let all = all.into_iter().map(definition);
        all.collect::<Result<_, _>>().map_err(incomplete)
    }

    /// The key that is wanted; nothing without one.
    pub(super) fn encryption(&self, target: Target<'_>) -> Result<Option<sdk::SseSpecification>> {
        let Some(key) = &self.key else {
            return Ok(None);
        };
        let missing = || Error::playbook(format!("key `{}` does not exist", key.0), target.at);
        let id = key.id(target.world).ok_or_else(missing)?;
        let specification = sdk::SseSpecification::builder().enabled(true);
        let specification = specification.sse_type(sdk::SseType::Kms);
        Ok(Some(specification.kms_master_key_id(id).build()))
    }
}

pub(super) fn mode(mode: BillingMode) -> sdk::BillingMode {
    match mode {
        BillingMode::OnDemand => sdk::BillingMode::PayPerRequest,
        BillingMode::Provisioned => sdk::BillingMode::Provisioned,
    }
}

pub(super) fn throughput(capacity: Capacity) -> Result<sdk::ProvisionedThroughput> {
    let throughput = sdk::ProvisionedThroughput::builder();
    let throughput = throughput.read_capacity_units(capacity.read);
    let throughput = throughput.write_capacity_units(capacity.write);
    throughput.build().map_err(incomplete)
}

pub(super) fn schema(
    partition_key: &Key,
    sort_key: Option<&Key>,
) -> Result<Vec<sdk::KeySchemaElement>> {
    let element = |(key, kind): (&Key, sdk::KeyType)| {
        let element = sdk::KeySchemaElement::builder().attribute_name(&key.name);
        element.key_type(kind).build().map_err(incomplete)
    };
    let sort_key = sort_key.map(|key| (key, sdk::KeyType::Range));
    let keys = std::iter::once((partition_key, sdk::KeyType::Hash)).chain(sort_key);
    keys.map(element).collect()
}

fn tags(target: Target<'_>) -> Result<Vec<sdk::Tag>> {
    super::change::sdk_tags(&target.tags.0)
}

/// Nothing that the builders require is ever missing.
pub(super) fn incomplete(error: impl std::fmt::Display) -> Error {
    Error::failed(format!("the table is incomplete: {error}"))
}
