//! Changes of a table in place: `DynamoDB` takes one at a time, of an active table only.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder;
use aws_sdk_dynamodb::types as sdk;

use super::creation::{incomplete, mode, schema, throughput};
use super::{BillingMode, Index, Live, Table, settled};
use crate::aws::{Poll, Tags, Wait, is_code, refused, tags};
use crate::base::Result;
use crate::contract::{Context, Target};
use crate::resources::kms_key::is_same;

pub(super) async fn apply(
    table: &Table,
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
) -> Result<()> {
    let change = Change { table, cx, target };
    change.tags(live, target.tags).await?;
    if live.deletion_protection != table.deletion_protection {
        let call = change.update(live);
        let call = call.deletion_protection_enabled(table.deletion_protection);
        change.send(live, call).await?;
    }
    change.indexes_that_go(live).await?;
    change.capacity(live).await?;
    change.indexes_that_come(live).await?;
    if live.table_class != table.table_class {
        let call = change.update(live).table_class(table.table_class.sdk());
        change.send(live, call).await?;
    }
    change.encryption(live).await?;
    change.stream(live).await?;
    change.ttl(live).await?;
    change.recovery(live).await
}

struct Change<'a> {
    table: &'a Table,
    cx: &'a Context,
    target: Target<'a>,
}

impl Change<'_> {
    fn update(&self, live: &Live) -> UpdateTableFluentBuilder {
        self.cx.aws.dynamodb.update_table().table_name(&live.name)
    }

    async fn send(&self, live: &mut Live, call: UpdateTableFluentBuilder) -> Result<()> {
        let again = call.clone();
        match call.send().await.map_err(refused("dynamodb:UpdateTable")) {
            // It is busy with another change, or with this one: then an answer was lost.
            Err(error) if is_code(&error, "ResourceInUseException") => {
                *live = settled(self.cx, self.target, live).await?;
                let again = again.send().await;
                match again.map_err(refused("dynamodb:UpdateTable")) {
                    // There is nothing left to change.
                    Err(error) if !is_code(&error, "ValidationException") => return Err(error),
                    _ => {}
                }
            }
            done => drop(done?),
        }
        *live = settled(self.cx, self.target, live).await?;
        Ok(())
    }

    async fn indexes_that_go(&self, live: &mut Live) -> Result<()> {
        let there = live.indexes.clone();
        let goes = |(name, index): &(&String, &Index)| {
            let wanted = self.table.indexes.get(*name);
            wanted.is_none_or(|wanted| !wanted.is_like(index))
        };
        for (name, _) in there.iter().filter(goes) {
            let delete = sdk::DeleteGlobalSecondaryIndexAction::builder().index_name(name);
            let delete = delete.build().map_err(incomplete)?;
            let update = sdk::GlobalSecondaryIndexUpdate::builder().delete(delete);
            let call = self.update(live);
            let call = call.global_secondary_index_updates(update.build());
            match self.send(live, call).await {
                // An answer was lost, and it is gone by now.
                Err(error) if is_code(&error, super::NOT_FOUND) => {
                    *live = settled(self.cx, self.target, live).await?;
                }
                done => done?,
            }
        }
        Ok(())
    }

    async fn indexes_that_come(&self, live: &mut Live) -> Result<()> {
        for (name, index) in &self.table.indexes {
            if live.indexes.contains_key(name) {
                continue;
            }
            let keys = schema(&index.partition_key, index.sort_key.as_ref())?;
            let create = sdk::CreateGlobalSecondaryIndexAction::builder()
                .index_name(name)
                .set_key_schema(Some(keys))
                .projection(index.projection())
                .set_provisioned_throughput(index.capacity().map(throughput).transpose()?);
            let create = create.build().map_err(incomplete)?;
            let update = sdk::GlobalSecondaryIndexUpdate::builder().create(create);
            let call = self.update(live);
            let call = call.set_attribute_definitions(Some(self.table.attributes()?));
            let call = call.global_secondary_index_updates(update.build());
            if let Err(error) = self.send(live, call).await {
                *live = settled(self.cx, self.target, live).await?;
                if !live.indexes.contains_key(name) {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Billing mode and capacity, of the table and of the indexes that stay.
    async fn capacity(&self, live: &mut Live) -> Result<()> {
        let table = self.table;
        let mut updates = Vec::new();
        for (name, there) in &live.indexes {
            let Some(capacity) = table.indexes.get(name).and_then(Index::capacity) else {
                continue;
            };
            if there.capacity() != Some(capacity) {
                let update = sdk::UpdateGlobalSecondaryIndexAction::builder()
                    .index_name(name)
                    .provisioned_throughput(throughput(capacity)?);
                let update = update.build().map_err(incomplete)?;
                let updates_one = sdk::GlobalSecondaryIndexUpdate::builder().update(update);
                updates.push(updates_one.build());
            }
        }
        let other_mode = live.billing_mode != table.billing_mode;
        let other_capacity = live.capacity != table.capacity();
        if !other_mode && !other_capacity && updates.is_empty() {
            return Ok(());
        }
        let mut call = self.update(live);
        if other_mode {
            call = call.billing_mode(mode(table.billing_mode));
        }
        if table.billing_mode == BillingMode::Provisioned {
            if other_mode || other_capacity {
                let units = table.capacity().map(throughput).transpose()?;
                call = call.set_provisioned_throughput(units);
            }
            if !updates.is_empty() {
                call = call.set_global_secondary_index_updates(Some(updates));
            }
        }
        self.send(live, call).await
    }

    async fn encryption(&self, live: &mut Live) -> Result<()> {
        let wanted = self.table.encryption(self.target)?;
        let id = wanted
            .as_ref()
            .and_then(sdk::SseSpecification::kms_master_key_id);
        let same = match (id, live.key.as_deref()) {
            (Some(id), Some(live)) => is_same(live, id),
            (None, None) => true,
            _ => false,
        };
        if same {
            return Ok(());
        }
        // Without one, the table goes back to a key that AWS owns.
        let none = || sdk::SseSpecification::builder().enabled(false).build();
        let call = self.update(live);
        let call = call.sse_specification(wanted.unwrap_or_else(none));
        self.send(live, call).await
    }

    /// A stream that is on has to be turned off before it can tell something else.
    async fn stream(&self, live: &mut Live) -> Result<()> {
        let specification = sdk::StreamSpecification::builder;
        if live.stream == self.table.stream {
            return Ok(());
        }
        if live.stream.is_some() {
            let off = specification().stream_enabled(false).build();
            let call = self.update(live);
            let call = call.stream_specification(off.map_err(incomplete)?);
            self.send(live, call).await?;
        }
        if let Some(view) = self.table.stream {
            let on = specification().stream_enabled(true);
            let on = on.stream_view_type(view.sdk()).build();
            let call = self.update(live);
            let call = call.stream_specification(on.map_err(incomplete)?);
            match self.send(live, call).await {
                // An answer was lost: it is on already.
                Err(error) if is_code(&error, "ValidationException") => {
                    *live = settled(self.cx, self.target, live).await?;
                    if live.stream != self.table.stream {
                        return Err(error);
                    }
                }
                done => done?,
            }
        }
        Ok(())
    }

    async fn ttl(&self, live: &mut Live) -> Result<()> {
        if live.ttl_attribute == self.table.ttl_attribute {
            return Ok(());
        }
        if let Some(old) = live.ttl_attribute.take() {
            self.set_ttl(&live.name, &old, false).await?;
        }
        if let Some(new) = &self.table.ttl_attribute {
            self.set_ttl(&live.name, new, true).await?;
        }
        live.ttl_attribute.clone_from(&self.table.ttl_attribute);
        Ok(())
    }

    async fn set_ttl(&self, table: &str, attribute: &str, enabled: bool) -> Result<()> {
        let specification = sdk::TimeToLiveSpecification::builder().enabled(enabled);
        let specification = specification.attribute_name(attribute).build();
        let call = self.cx.aws.dynamodb.update_time_to_live();
        let call = call.table_name(table);
        let call = call.time_to_live_specification(specification.map_err(incomplete)?);
        let done = call.send().await;
        match done.map_err(refused("dynamodb:UpdateTimeToLive")) {
            Ok(_) => Ok(()),
            Err(error) if is_code(&error, "ValidationException") => {
                // An answer was lost: it is so already.
                let already = if enabled {
                    "already enabled"
                } else {
                    "already disabled"
                };
                if error.message().contains(already) {
                    return Ok(());
                }
                Err(error.hint("DynamoDB takes one change of it an hour: apply again later"))
            }
            Err(error) => Err(error),
        }
    }

    async fn recovery(&self, live: &mut Live) -> Result<()> {
        let enabled = self.table.point_in_time_recovery;
        if live.point_in_time_recovery == enabled {
            return Ok(());
        }
        let specification = sdk::PointInTimeRecoverySpecification::builder();
        let specification = specification.point_in_time_recovery_enabled(enabled);
        let specification = specification.build().map_err(incomplete)?;
        let news = |text: &str| self.cx.progress.doing(self.target.address, text);
        let what = format!("backups of table `{}`", live.name);
        let wait = Wait::new(what, Duration::from_mins(5), &news);
        wait.until(async || {
            let call = self.cx.aws.dynamodb.update_continuous_backups();
            let call = call.table_name(&live.name);
            let call = call.point_in_time_recovery_specification(specification.clone());
            let done = call.send().await;
            match done.map_err(refused("dynamodb:UpdateContinuousBackups")) {
                Ok(_) => Ok(Poll::Ready(())),
                // So for a moment after a table was made.
                Err(error) if is_code(&error, "ContinuousBackupsUnavailableException") => {
                    Ok(Poll::Pending("not available yet".to_owned()))
                }
                Err(error) => Err(error),
            }
        })
        .await?;
        live.point_in_time_recovery = enabled;
        Ok(())
    }

    async fn tags(&self, live: &mut Live, wanted: &Tags) -> Result<()> {
        let (set, unset) = tags::changes(&live.tags, wanted);
        let dynamodb = &self.cx.aws.dynamodb;
        if !set.is_empty() {
            let call = dynamodb.tag_resource().resource_arn(&live.arn);
            let done = call.set_tags(Some(sdk_tags(&set)?)).send().await;
            done.map_err(refused("dynamodb:TagResource"))?;
        }
        if !unset.is_empty() {
            let call = dynamodb.untag_resource().resource_arn(&live.arn);
            let done = call.set_tag_keys(Some(unset)).send().await;
            done.map_err(refused("dynamodb:UntagResource"))?;
        }
        live.tags.apply(wanted);
        Ok(())
    }
}

pub(super) fn sdk_tags(tags: &BTreeMap<String, String>) -> Result<Vec<sdk::Tag>> {
    let tag = |(key, value)| sdk::Tag::builder().key(key).value(value).build();
    let tags: Result<Vec<_>, _> = tags.iter().map(tag).collect();
    tags.map_err(incomplete)
}
