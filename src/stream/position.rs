//! A place in a shard, as a checkpoint of the Kinesis Client Library names it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use aws_sdk_kinesis::types::ShardIteratorType;

use crate::base::{Error, Result};

/// A place in a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// The oldest record that the stream still has.
    TrimHorizon,
    /// What comes from now on.
    Latest,
    /// The first record that came at this time or later, milliseconds since 1970.
    At(i64),
    /// After this record.
    After(Sequence),
    /// After the last record of a shard that was closed.
    ShardEnd,
}

/// The number of a record: up to 128 bits, of which only the order is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence(String);

impl Sequence {
    /// As AWS writes it.
    ///
    /// # Errors
    /// When it is no number.
    pub fn new(text: &str) -> Result<Self> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::failed(format!("`{text}` is no sequence number")));
        }
        let digits = text.trim_start_matches('0');
        Ok(Self(
            if digits.is_empty() { "0" } else { digits }.to_owned(),
        ))
    }

    /// As AWS writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sequence {
    fn cmp(&self, other: &Self) -> Ordering {
        let lengths = self.0.len().cmp(&other.0.len());
        lengths.then_with(|| self.0.cmp(&other.0))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrimHorizon => f.write_str("TRIM_HORIZON"),
            Self::Latest => f.write_str("LATEST"),
            Self::At(_) => f.write_str("AT_TIMESTAMP"),
            Self::After(sequence) => f.write_str(sequence.as_str()),
            Self::ShardEnd => f.write_str("SHARD_END"),
        }
    }
}

impl FromStr for Position {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "TRIM_HORIZON" => Ok(Self::TrimHorizon),
            "LATEST" => Ok(Self::Latest),
            "SHARD_END" => Ok(Self::ShardEnd),
            _ => Ok(Self::After(Sequence::new(text)?)),
        }
    }
}

impl Position {
    /// How `GetShardIterator` is asked for it.
    pub(super) fn iterator(&self) -> ShardIteratorType {
        match self {
            Self::TrimHorizon | Self::ShardEnd => ShardIteratorType::TrimHorizon,
            Self::Latest => ShardIteratorType::Latest,
            Self::At(_) => ShardIteratorType::AtTimestamp,
            Self::After(_) => ShardIteratorType::AfterSequenceNumber,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_are_ordered_as_numbers() {
        let of = |text| Sequence::new(text).unwrap();
        let long = of("49590338271490256608559692538361571095921575989136588898");
        assert!(of("9") < of("10") && of("10") < long && of("007") == of("7"));
        assert!(Sequence::new("").is_err() && Sequence::new("1e9").is_err());
    }

    #[test]
    fn a_checkpoint_is_read_as_it_is_written() {
        for text in ["TRIM_HORIZON", "LATEST", "SHARD_END", "4959"] {
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        assert!("AT_TIMESTAMP".parse::<Position>().is_err());
    }
}
