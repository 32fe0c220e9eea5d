//! Records put into a stream: all of them, or an error.

use std::time::Duration;

use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use tokio::time::sleep;

use super::shards::not_there;
use crate::aws::{Clients, refused};
use crate::base::{Error, Result};

/// Of one request
/// (<https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>).
const MOST_RECORDS: usize = 500;
/// Of one request, bytes with keys.
const MOST_BYTES: usize = 5 << 20;
/// How often what a shard had no room for is put again.
const ATTEMPTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// What is put.
#[derive(Clone, Debug)]
pub struct New {
    /// What it is spread by: 1 to 256 characters.
    pub key: String,
    /// At most 1 MiB together with the key.
    pub data: Vec<u8>,
}

/// Puts records and tells how many went to which shard. Records of one key come in their order only
/// where none of them had to be put again.
///
/// # Errors
/// What AWS refuses, or that shards had no room for some of them for long.
pub async fn put(aws: &Clients, stream: &str, records: Vec<New>) -> Result<Vec<(String, usize)>> {
    let mut shards: Vec<(String, usize)> = Vec::new();
    let mut wait = records;
    let (mut pause, mut attempt) = (FIRST_PAUSE, 0);
    while !wait.is_empty() {
        let rest = wait.split_off(request(&wait));
        let entries: Result<Vec<_>> = wait.iter().map(entry).collect();
        let call = aws.kinesis.put_records().stream_name(stream);
        let told = call.set_records(Some(entries?)).send().await;
        let told = told.map_err(refused("kinesis:PutRecords"));
        let told = told.map_err(|error| not_there(error, stream))?;
        let mut left = Vec::new();
        let mut why = String::new();
        for (record, result) in wait.into_iter().zip(told.records) {
            if let Some(shard) = result.shard_id {
                match shards.iter_mut().find(|(name, _)| *name == shard) {
                    Some((_, count)) => *count += 1,
                    None => shards.push((shard, 1)),
                }
            } else {
                why = result
                    .error_message
                    .or(result.error_code)
                    .unwrap_or_default();
                left.push(record);
            }
        }
        if left.is_empty() {
            (pause, attempt) = (FIRST_PAUSE, 0);
        } else {
            attempt += 1;
            if attempt == ATTEMPTS {
                let text = format!("the stream `{stream}` did not take {} records", left.len());
                return Err(Error::failed(text)
                    .note(why)
                    .hint("put fewer at once, or give the stream more shards"));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        left.extend(rest);
        wait = left;
    }
    shards.sort();
    Ok(shards)
}

/// How many of these records one request takes; at least one.
fn request(records: &[New]) -> usize {
    let mut bytes = 0;
    let fitting = records.iter().take(MOST_RECORDS).take_while(|record| {
        bytes += record.data.len() + record.key.len();
        bytes <= MOST_BYTES
    });
    fitting.count().max(1).min(records.len())
}

fn entry(record: &New) -> Result<PutRecordsRequestEntry> {
    let entry = PutRecordsRequestEntry::builder()
        .data(Blob::new(record.data.clone()))
        .partition_key(&record.key)
        .build();
    entry.map_err(|error| Error::failed(format!("a record is not whole: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(size: usize) -> New {
        New {
            key: "k".into(),
            data: vec![0; size],
        }
    }

    #[test]
    fn a_request_takes_as_much_as_it_may() {
        assert_eq!(request(&vec![of(10); 501]), 500);
        assert_eq!(request(&vec![of(1 << 20); 6]), 4, "the keys count, too");
        assert_eq!(
            request(&[of(6 << 20)]),
            1,
            "the stream says that it is too long"
        );
        assert_eq!(request(&[]), 0);
    }
}
