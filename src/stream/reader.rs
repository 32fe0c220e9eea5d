//! The records of one shard, in order.

use std::time::Duration;

use aws_sdk_kinesis::primitives::DateTime;
use tokio::time::sleep;

use super::position::{Position, Sequence};
use super::shards::not_there;
use crate::aws::{Clients, is_code, refused};
use crate::base::Result;

/// A shard gives five answers a second to all who read it together
/// (<https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html>).
pub const PAUSE: Duration = Duration::from_millis(200);
/// After a refusal because of too many reads.
const THROTTLED: Duration = Duration::from_secs(1);

/// A record.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its number in the shard.
    pub sequence: Sequence,
    /// What it is spread by.
    pub key: String,
    /// When the stream took it, milliseconds since 1970.
    pub arrived: i64,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub struct Batch {
    /// Its records, which may be none though there are more.
    pub records: Vec<Record>,
    /// How far behind the end of the shard, in milliseconds.
    pub behind: i64,
    /// The shard is closed, and this was the last of it.
    pub ended: bool,
}

/// Reads one shard from a position on.
pub struct Reader {
    aws: Clients,
    stream: String,
    shard: String,
    position: Position,
    /// Where the next answer begins.
    iterator: Option<String>,
}

impl Reader {
    /// Nothing is asked before the first [`Self::next`].
    #[must_use]
    pub fn new(aws: &Clients, stream: &str, shard: &str, position: Position) -> Self {
        Self {
            aws: aws.clone(),
            stream: stream.to_owned(),
            shard: shard.to_owned(),
            position,
            iterator: None,
        }
    }

    /// Takes its place now: what comes after this is seen from [`Position::Latest`], too.
    ///
    /// # Errors
    /// What AWS refuses.
    pub async fn open(&mut self) -> Result<String> {
        if let Some(iterator) = &self.iterator {
            return Ok(iterator.clone());
        }
        let call = self.aws.kinesis.get_shard_iterator();
        let call = call.stream_name(&self.stream).shard_id(&self.shard);
        let mut call = call.shard_iterator_type(self.position.iterator());
        match &self.position {
            Position::After(sequence) => {
                call = call.starting_sequence_number(sequence.as_str());
            }
            Position::At(time) => call = call.timestamp(DateTime::from_millis(*time)),
            Position::TrimHorizon | Position::Latest | Position::ShardEnd => {}
        }
        let told = call.send().await;
        let told = told.map_err(refused("kinesis:GetShardIterator"));
        let told = told.map_err(|error| not_there(error, &self.stream))?;
        let iterator = told.shard_iterator.unwrap_or_default();
        self.iterator = Some(iterator.clone());
        Ok(iterator)
    }

    /// The next answer, of at most `limit` records (10,000 at most).
    ///
    /// # Errors
    /// What AWS refuses; reads that come too often are repeated.
    pub async fn next(&mut self, limit: i32) -> Result<Batch> {
        loop {
            let iterator = self.open().await?;
            let call = self.aws.kinesis.get_records();
            let told = call.shard_iterator(iterator).limit(limit).send().await;
            let told = match told.map_err(refused("kinesis:GetRecords")) {
                Ok(told) => told,
                // Five minutes between two reads.
                Err(error) if is_code(&error, "ExpiredIteratorException") => {
                    self.iterator = None;
                    continue;
                }
                Err(error) if is_code(&error, "ProvisionedThroughputExceededException") => {
                    sleep(THROTTLED).await;
                    continue;
                }
                Err(error) => return Err(not_there(error, &self.stream)),
            };
            self.iterator.clone_from(&told.next_shard_iterator);
            let records: Result<Vec<_>> = told.records.into_iter().map(record).collect();
            let records = records?;
            if let Some(last) = records.last() {
                self.position = Position::After(last.sequence.clone());
            }
            return Ok(Batch {
                records,
                behind: told.millis_behind_latest.unwrap_or_default(),
                ended: told.next_shard_iterator.is_none(),
            });
        }
    }
}

fn record(told: aws_sdk_kinesis::types::Record) -> Result<Record> {
    let arrived = told.approximate_arrival_timestamp;
    Ok(Record {
        sequence: Sequence::new(&told.sequence_number)?,
        key: told.partition_key.unwrap_or_default(),
        arrived: arrived
            .and_then(|it| it.to_millis().ok())
            .unwrap_or_default(),
        data: told.data.into_inner(),
    })
}
