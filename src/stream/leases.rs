//! Who works on which shard and how far: a table as the Kinesis Client Library keeps it, so that an
//! application can go on with the one where it stopped with the other.
//!
//! Attributes: <https://github.com/awslabs/amazon-kinesis-client/blob/master/amazon-kinesis-client/src/main/java/software/amazon/kinesis/leases/dynamodb/DynamoDBLeaseSerializer.java>.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};

use super::position::Position;
use super::shards::Shard;
use crate::aws::{Clients, Poll, Wait, is_code, refused};
use crate::base::{Error, Result, ResultExt};

const KEY: &str = "leaseKey";
const OWNER: &str = "leaseOwner";
const COUNTER: &str = "leaseCounter";
const CHECKPOINT: &str = "checkpoint";
const SUB_SEQUENCE: &str = "checkpointSubSequenceNumber";
const SWITCHES: &str = "ownerSwitchesSinceCheckpoint";
const PARENTS: &str = "parentShardId";
const NOT_SO: &str = "ConditionalCheckFailedException";
/// A new table is there within seconds.
const MAKING: Duration = Duration::from_mins(2);
const NO_TABLE: &str = "ResourceNotFoundException";

/// A shard, as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) shard: String,
    pub(super) owner: Option<String>,
    /// Goes up with each renewal: one that stands still is nobody's any more.
    pub(super) counter: u64,
    pub(super) position: Position,
}

/// The table of one application.
#[derive(Clone)]
pub(super) struct Leases {
    pub(super) aws: Clients,
    pub(super) table: String,
    /// This worker's name.
    pub(super) worker: String,
}

impl Leases {
    /// All of them.
    pub(super) async fn all(&self) -> Result<Vec<Lease>> {
        let scan = self.aws.dynamodb.scan().table_name(&self.table);
        let mut pages = scan.consistent_read(true).into_paginator().send();
        let mut leases = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(refused("dynamodb:Scan"));
            let page = page.map_err(|error| self.not_there(error))?;
            for item in page.items.into_iter().flatten() {
                leases.push(lease(&item).context(format!("reading the table `{}`", self.table))?);
            }
        }
        leases.sort_by(|one, other| one.shard.cmp(&other.shard));
        Ok(leases)
    }

    fn not_there(&self, error: Error) -> Error {
        if !is_code(&error, NO_TABLE) {
            return error;
        }
        let table = &self.table;
        Error::failed(format!("there is no table `{table}` for the checkpoints"))
            .note(format!(
                "in a playbook: `tables: {{ {table}: {{ partition_key: {{ name: {KEY}, type: string }} }} }}`"
            ))
            .hint("declare it, so that `destroy` takes it away, too; or make it with `--create-table`")
    }

    /// Makes the table, if there is none.
    pub(super) async fn make(&self) -> Result<()> {
        let dynamodb = &self.aws.dynamodb;
        let attribute = AttributeDefinition::builder().attribute_name(KEY);
        let attribute = attribute.attribute_type(ScalarAttributeType::S).build();
        let key = KeySchemaElement::builder().attribute_name(KEY);
        let key = key.key_type(KeyType::Hash).build();
        let call = dynamodb.create_table().table_name(&self.table);
        let call = call
            .attribute_definitions(attribute.context("describing the table")?)
            .key_schema(key.context("describing the table")?)
            .billing_mode(BillingMode::PayPerRequest);
        match call.send().await.map_err(refused("dynamodb:CreateTable")) {
            Ok(_) => {}
            Err(error) if is_code(&error, "ResourceInUseException") => {}
            Err(error) => return Err(error),
        }
        let what = format!("table `{}` to be active", self.table);
        let wait = Wait::new(what, MAKING, &|_| {});
        wait.until(async || {
            let told = dynamodb.describe_table().table_name(&self.table).send();
            let told = told.await.map_err(refused("dynamodb:DescribeTable"))?;
            let status = told.table.and_then(|table| table.table_status);
            Ok(match status {
                Some(aws_sdk_dynamodb::types::TableStatus::Active) => Poll::Ready(()),
                status => Poll::Pending(format!("{status:?}")),
            })
        })
        .await
    }

    /// Adds a shard that begins at `position`, unless it is there.
    pub(super) async fn add(&self, shard: &Shard, position: &Position) -> Result<()> {
        let call = self.aws.dynamodb.put_item().table_name(&self.table);
        let mut call = call
            .item(KEY, text(&shard.id))
            .item(COUNTER, number(0))
            .item(CHECKPOINT, text(&position.to_string()))
            .item(SUB_SEQUENCE, number(0))
            .item(SWITCHES, number(0))
            .condition_expression(format!("attribute_not_exists({KEY})"));
        if !shard.parents.is_empty() {
            call = call.item(PARENTS, AttributeValue::Ss(shard.parents.clone()));
        }
        so(call.send().await.map_err(refused("dynamodb:PutItem"))).map(drop)
    }

    /// Takes a lease that is as it was seen; `None` when another was faster.
    pub(super) async fn take(&self, seen: &Lease) -> Result<Option<Lease>> {
        let counter = seen.counter + 1;
        let call = self.update(&seen.shard).update_expression(format!(
            "SET {OWNER} = :me, {COUNTER} = :next ADD {SWITCHES} :one"
        ));
        let call = call
            .condition_expression(format!("{COUNTER} = :seen"))
            .expression_attribute_values(":me", text(&self.worker))
            .expression_attribute_values(":next", number(counter))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":seen", number(seen.counter));
        let taken = so(call.send().await.map_err(refused("dynamodb:UpdateItem")))?;
        Ok(taken.then(|| Lease {
            owner: Some(self.worker.clone()),
            counter,
            ..seen.clone()
        }))
    }

    /// Says that this worker is alive; false when the lease is another's.
    pub(super) async fn renew(&self, shard: &str, counter: u64) -> Result<bool> {
        let call = self.mine(shard, &format!("SET {COUNTER} = :next"));
        let call = call.expression_attribute_values(":next", number(counter));
        so(call.send().await.map_err(refused("dynamodb:UpdateItem")))
    }

    /// Notes how far this worker is; false when the lease is another's.
    pub(super) async fn checkpoint(&self, shard: &str, position: &Position) -> Result<bool> {
        let set = format!("SET {CHECKPOINT} = :at, {SUB_SEQUENCE} = :zero, {SWITCHES} = :zero");
        let call = self
            .mine(shard, &set)
            .expression_attribute_values(":at", text(&position.to_string()))
            .expression_attribute_values(":zero", number(0));
        so(call.send().await.map_err(refused("dynamodb:UpdateItem")))
    }

    /// Gives a lease back: anybody may take it at once.
    pub(super) async fn release(&self, shard: &str) -> Result<()> {
        let call = self.mine(shard, &format!("REMOVE {OWNER}"));
        so(call.send().await.map_err(refused("dynamodb:UpdateItem"))).map(drop)
    }

    /// Forgets a shard that the stream no longer has.
    pub(super) async fn forget(&self, shard: &str) -> Result<()> {
        let call = self.aws.dynamodb.delete_item().table_name(&self.table);
        let done = call.key(KEY, text(shard)).send().await;
        done.map_err(refused("dynamodb:DeleteItem")).map(drop)
    }

    /// A change of a lease that is this worker's.
    fn mine(&self, shard: &str, change: &str) -> UpdateItemFluentBuilder {
        self.update(shard)
            .update_expression(change)
            .condition_expression(format!("{OWNER} = :me"))
            .expression_attribute_values(":me", text(&self.worker))
    }

    fn update(&self, shard: &str) -> UpdateItemFluentBuilder {
        let call = self.aws.dynamodb.update_item().table_name(&self.table);
        call.key(KEY, text(shard))
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Whether the condition held.
fn so<T>(done: Result<T>) -> Result<bool> {
    match done {
        Ok(_) => Ok(true),
        Err(error) if is_code(&error, NOT_SO) => Ok(false),
        Err(error) => Err(error),
    }
}

fn lease(item: &HashMap<String, AttributeValue>) -> Result<Lease> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let counter = item.get(COUNTER).and_then(|value| value.as_n().ok());
    let (Some(shard), Some(position)) = (text(KEY), text(CHECKPOINT)) else {
        return Err(Error::failed("an item in it is no lease")
            .hint("give the application another name: its table has it"));
    };
    Ok(Lease {
        shard: shard.clone(),
        owner: text(OWNER).cloned(),
        counter: counter.and_then(|text| text.parse().ok()).unwrap_or(0),
        position: position.parse()?,
    })
}
