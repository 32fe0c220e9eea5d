//! The records of a Kinesis stream: looked at, put, and given to a program that works on them.
//! Knows no playbook and no kind of resource.
//!
//! | file | what it is |
//! |---|---|
//! | `shards` | the shards of a stream and which came from which |
//! | `reader` | the records of one shard, in order |
//! | `put` | records put into a stream, all of them or an error |
//! | `sample` | test records in the form of an exchange's trades |
//! | `position` | a place in a shard, as a checkpoint names it |
//! | `properties` | the file that a `MultiLangDaemon` is configured by |
//! | `protocol`, `processor` | a program that works on records, and what is said to it line by line |
//! | `leases` | who works on which shard and how far: the table of the Kinesis Client Library |
//! | `held` | a lease that this process holds |
//! | `share` | shards shared out evenly among workers |
//! | `worker` | one shard: read, given to a program, checkpointed |
//! | `consume` | all shards of a stream, each to a worker |

pub mod consume;
pub mod position;
pub mod properties;
pub mod put;
pub mod reader;
pub mod sample;
pub mod shards;

mod held;
mod leases;
mod processor;
mod protocol;
mod share;
mod worker;

use std::sync::Arc;

/// Where news of long work goes, a line at a time.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;
