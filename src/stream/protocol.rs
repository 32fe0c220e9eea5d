//! What is said between a `MultiLangDaemon` and the program that works on records, a JSON object a
//! line.
//!
//! The messages are those of
//! <https://github.com/awslabs/amazon-kinesis-client/blob/master/amazon-kinesis-client-multilang/src/main/java/software/amazon/kinesis/multilang/package-info.java>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::reader;

/// What the program is told.
#[derive(Debug, Serialize)]
#[serde(tag = "action", rename_all = "camelCase")]
pub(super) enum Told<'a> {
    /// It works on this shard from here on.
    #[serde(rename_all = "camelCase")]
    Initialize {
        shard_id: &'a str,
        sequence_number: &'a str,
        sub_sequence_number: u64,
    },
    /// Here are records.
    #[serde(rename_all = "camelCase")]
    ProcessRecords {
        records: Vec<Record>,
        millis_behind_latest: i64,
    },
    /// What became of its checkpoint; the name of an error, where it failed.
    #[serde(rename_all = "camelCase")]
    Checkpoint {
        sequence_number: Option<&'a str>,
        sub_sequence_number: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'static str>,
    },
    /// Another worker has the shard now.
    LeaseLost {},
    /// The shard is closed, and that was all of it.
    ShardEnded {},
    /// The last moment for a checkpoint.
    ShutdownRequested {},
}

impl Told<'_> {
    /// What the program's status names when it is done.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Initialize { .. } => "initialize",
            Self::ProcessRecords { .. } => "processRecords",
            Self::Checkpoint { .. } => "checkpoint",
            Self::LeaseLost {} => "leaseLost",
            Self::ShardEnded {} => "shardEnded",
            Self::ShutdownRequested {} => "shutdownRequested",
        }
    }
}

/// A record, as the program gets it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    action: &'static str,
    /// Base64.
    data: String,
    partition_key: String,
    approximate_arrival_timestamp: i64,
    sequence_number: String,
    sub_sequence_number: u64,
}

impl From<&reader::Record> for Record {
    fn from(record: &reader::Record) -> Self {
        Self {
            action: "record",
            data: STANDARD.encode(&record.data),
            partition_key: record.key.clone(),
            approximate_arrival_timestamp: record.arrived,
            sequence_number: record.sequence.as_str().to_owned(),
            sub_sequence_number: 0,
        }
    }
}

/// What the program says.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "action", rename_all = "camelCase")]
pub(super) enum Said {
    /// It is done with what it was told.
    #[serde(rename_all = "camelCase")]
    Status { response_for: String },
    /// All up to here need not come again; up to the last one it was given, where it names none.
    #[serde(rename_all = "camelCase")]
    Checkpoint {
        #[serde(default, alias = "checkpoint")]
        sequence_number: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::super::position::Sequence;
    use super::*;

    fn line(told: &Told) -> String {
        serde_json::to_string(told).unwrap()
    }

    #[test]
    fn lines_are_as_the_library_writes_them() {
        let initialize = Told::Initialize {
            shard_id: "shardId-000000000000",
            sequence_number: "TRIM_HORIZON",
            sub_sequence_number: 0,
        };
        let wanted = r#"{"action":"initialize","shardId":"shardId-000000000000","sequenceNumber":"TRIM_HORIZON","subSequenceNumber":0}"#;
        assert_eq!(line(&initialize), wanted);
        let record = reader::Record {
            sequence: Sequence::new("42").unwrap(),
            key: "BTCUSDT".into(),
            arrived: 7,
            data: b"{}".to_vec(),
        };
        let records = Told::ProcessRecords {
            records: vec![Record::from(&record)],
            millis_behind_latest: 3,
        };
        let wanted = r#"{"action":"processRecords","records":[{"action":"record","data":"e30=","partitionKey":"BTCUSDT","approximateArrivalTimestamp":7,"sequenceNumber":"42","subSequenceNumber":0}],"millisBehindLatest":3}"#;
        assert_eq!(line(&records), wanted);
        assert_eq!(line(&Told::ShardEnded {}), r#"{"action":"shardEnded"}"#);
    }

    #[test]
    fn answers_are_read_with_what_else_is_in_them() {
        let said = |text| serde_json::from_str::<Said>(text).unwrap();
        let status = said(r#"{"responseFor":"initialize","action":"status","x":1}"#);
        let response_for = "initialize".to_owned();
        assert_eq!(status, Said::Status { response_for });
        let all = said(r#"{"action":"checkpoint","sequenceNumber":null,"subSequenceNumber":null}"#);
        let sequence_number = None;
        assert_eq!(all, Said::Checkpoint { sequence_number });
    }
}
