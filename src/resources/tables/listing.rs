//! Reading a table: what it is, and what `DynamoDB` tells only by calls of their own.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types as sdk;
use futures::future::try_join;

use super::field::KeyType;
use super::{
    BillingMode, Capacity, Index, Key, Live, NOT_FOUND, Projection, StreamView, TableClass,
};
use crate::aws::{Tags, is_code, refused};
use crate::base::Result;
use crate::contract::Context;

/// A table without its tags; `None` when there is none of that name.
pub(super) async fn whole(cx: &Context, name: &str) -> Result<Option<Live>> {
    let Some(live) = describe(cx, name).await? else {
        return Ok(None);
    };
    let (ttl_attribute, point_in_time_recovery) =
        try_join(ttl(cx, name), recovery(cx, name)).await?;
    Ok(Some(Live {
        ttl_attribute,
        point_in_time_recovery,
        ..live
    }))
}

/// What `DescribeTable` tells of a table.
pub(super) async fn describe(cx: &Context, name: &str) -> Result<Option<Live>> {
    let call = cx.aws.dynamodb.describe_table().table_name(name);
    match call.send().await.map_err(refused("dynamodb:DescribeTable")) {
        Ok(told) => Ok(told.table.map(Live::from)),
        Err(error) if is_code(&error, NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn ttl(cx: &Context, name: &str) -> Result<Option<String>> {
    let call = cx.aws.dynamodb.describe_time_to_live().table_name(name);
    let told = call.send().await;
    match told.map_err(refused("dynamodb:DescribeTimeToLive")) {
        Ok(told) => Ok(told.time_to_live_description.and_then(|ttl| {
            let on = matches!(
                ttl.time_to_live_status,
                Some(sdk::TimeToLiveStatus::Enabled | sdk::TimeToLiveStatus::Enabling)
            );
            ttl.attribute_name.filter(|_| on)
        })),
        Err(error) if is_code(&error, NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn recovery(cx: &Context, name: &str) -> Result<bool> {
    let call = cx.aws.dynamodb.describe_continuous_backups();
    let told = call.table_name(name).send().await;
    match told.map_err(refused("dynamodb:DescribeContinuousBackups")) {
        Ok(told) => {
            let backups = told.continuous_backups_description;
            let recovery = backups.and_then(|it| it.point_in_time_recovery_description);
            let status = recovery.and_then(|it| it.point_in_time_recovery_status);
            Ok(status == Some(sdk::PointInTimeRecoveryStatus::Enabled))
        }
        // This call has a code of its own.
        Err(error) if is_code(&error, "TableNotFoundException") || is_code(&error, NOT_FOUND) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// A table's tags, all pages; none of a table that is not there.
pub(super) async fn tags_of(cx: &Context, arn: &str) -> Result<Tags> {
    let mut tags = Tags::default();
    let mut next = None;
    loop {
        let call = cx.aws.dynamodb.list_tags_of_resource().resource_arn(arn);
        let told = call.set_next_token(next).send().await;
        let told = match told.map_err(refused("dynamodb:ListTagsOfResource")) {
            Ok(told) => told,
            Err(error) if is_code(&error, NOT_FOUND) => break,
            Err(error) => return Err(error),
        };
        let pairs = told.tags.into_iter().flatten();
        tags.0.extend(pairs.map(|tag| (tag.key, tag.value)));
        next = told.next_token;
        if next.is_none() {
            break;
        }
    }
    Ok(tags)
}

impl From<sdk::TableDescription> for Live {
    fn from(table: sdk::TableDescription) -> Self {
        let types: BTreeMap<String, KeyType> = table
            .attribute_definitions
            .into_iter()
            .flatten()
            .map(|it| (it.attribute_name, KeyType::read(&it.attribute_type)))
            .collect();
        let key = |schema: &[sdk::KeySchemaElement], kind: sdk::KeyType| {
            let element = schema.iter().find(|element| element.key_type == kind)?;
            Some(Key {
                name: element.attribute_name.clone(),
                r#type: types
                    .get(&element.attribute_name)
                    .copied()
                    .unwrap_or_default(),
            })
        };
        let mode = table.billing_mode_summary.and_then(|it| it.billing_mode);
        // A table that was always provisioned has no summary.
        let billing_mode = match mode {
            Some(sdk::BillingMode::PayPerRequest) => BillingMode::OnDemand,
            _ => BillingMode::Provisioned,
        };
        let provisioned = billing_mode == BillingMode::Provisioned;
        let units = |it: Option<sdk::ProvisionedThroughputDescription>| {
            let it = it.filter(|_| provisioned)?;
            Some(Capacity {
                read: it.read_capacity_units.unwrap_or_default(),
                write: it.write_capacity_units.unwrap_or_default(),
            })
        };
        let mut indexes = BTreeMap::new();
        let mut unfinished = Vec::new();
        for index in table.global_secondary_indexes.into_iter().flatten() {
            let name = index.index_name.unwrap_or_default();
            let status = index.index_status;
            if status != Some(sdk::IndexStatus::Active) {
                unfinished.push(name.clone());
            }
            let schema = index.key_schema.unwrap_or_default();
            let Some(partition_key) = key(&schema, sdk::KeyType::Hash) else {
                continue;
            };
            if status == Some(sdk::IndexStatus::Deleting) {
                continue;
            }
            let capacity = units(index.provisioned_throughput);
            let projection = index.projection;
            let kind = projection
                .as_ref()
                .and_then(|it| it.projection_type.as_ref());
            let its = Index {
                partition_key,
                sort_key: key(&schema, sdk::KeyType::Range),
                projection: match kind {
                    Some(sdk::ProjectionType::KeysOnly) => Projection::KeysOnly,
                    Some(sdk::ProjectionType::Include) => Projection::Include,
                    _ => Projection::All,
                },
                include: projection
                    .and_then(|it| it.non_key_attributes)
                    .unwrap_or_default(),
                read_capacity: capacity.map(|it| it.read),
                write_capacity: capacity.map(|it| it.write),
            };
            indexes.insert(name, its);
        }
        let schema = table.key_schema.unwrap_or_default();
        let stream = table.stream_specification.filter(|it| it.stream_enabled);
        let stream = stream.and_then(|it| it.stream_view_type);
        let class = table.table_class_summary.and_then(|it| it.table_class);
        let encryption = table.sse_description;
        Self {
            partition_key: key(&schema, sdk::KeyType::Hash),
            sort_key: key(&schema, sdk::KeyType::Range),
            name: table.table_name.unwrap_or_default(),
            arn: table.table_arn.unwrap_or_default(),
            status: table
                .table_status
                .map_or(String::new(), |it| it.to_string()),
            billing_mode,
            capacity: units(table.provisioned_throughput),
            ttl_attribute: None,
            point_in_time_recovery: false,
            stream_arn: table.latest_stream_arn.filter(|_| stream.is_some()),
            stream: stream.as_ref().map(StreamView::read),
            key: encryption.and_then(|it| it.kms_master_key_arn),
            table_class: match class {
                Some(sdk::TableClass::StandardInfrequentAccess) => TableClass::InfrequentAccess,
                _ => TableClass::Standard,
            },
            indexes,
            unfinished,
            deletion_protection: table.deletion_protection_enabled.unwrap_or_default(),
            tags: Tags::default(),
        }
    }
}
