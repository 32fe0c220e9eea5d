//! `tidewalk stream put`

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Which;
use crate::base::{Error, Errors, Result, ResultExt};
use crate::cli::exit::Exit;
use crate::cli::session;
use crate::report::{self, Output};
use crate::stream::put::{New, put};
use crate::stream::sample;

/// A record and its key together (<https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>).
const LONGEST: usize = 1 << 20;

/// Put records into a stream
///
/// Each DATA is a record; without any, each line of stdin is. `--trades` puts test trades instead,
/// in the form of an exchange's, with `"test": true` in them and without an id.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tidewalk stream put crypto '{\"s\": \"BTCUSDT\", \"q\": \"0.1\"}'\n  \
                  tidewalk stream put crypto --trades 100\n  \
                  tidewalk stream put crypto --key-of s <trades.json"
)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,

    /// Records; lines of stdin without any
    #[arg(value_name = "DATA")]
    data: Vec<String>,

    /// Partition key of all records; without it, they are spread over all shards
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// Member of the records, which are JSON objects, that is their partition key
    #[arg(long, value_name = "MEMBER", conflicts_with = "key")]
    key_of: Option<String>,

    /// Put so many test trades
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["data", "key", "key_of"])]
    trades: Option<usize>,
}

pub(super) async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let records = match args.trades {
        Some(count) => {
            let now = Timestamp::now().as_millisecond();
            (0..count).map(|index| sample::trade(index, now)).collect()
        }
        None => records(args)?,
    };
    let aws = session::account(&args.which.cloud, None).await?;
    let shards = put(&aws, &args.which.stream, records).await?;
    for (shard, count) in &shards {
        out.data(&report::stream::put(shard, *count));
    }
    out.document("put", json!(BTreeMap::from_iter(shards)));
    Ok(Exit::Done)
}

fn records(args: &Args) -> Result<Vec<New>> {
    let lines = if args.data.is_empty() {
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            return Err(Error::usage("there is nothing to put")
                .hint("give records as arguments or on stdin, or `--trades 100`"));
        }
        let lines: Result<Vec<_>, _> = stdin.lock().lines().collect();
        lines.context("reading stdin")?
    } else {
        args.data.clone()
    };
    let lines = lines.into_iter().enumerate();
    let full = lines.filter(|(_, line)| !line.is_empty());
    full.map(|(index, line)| record(args, index, line))
        .collect()
}

fn record(args: &Args, index: usize, line: String) -> Result<New> {
    let number = index + 1;
    let key = match (&args.key, &args.key_of) {
        (Some(key), _) => key.clone(),
        (None, Some(member)) => member_of(&line, member).ok_or_else(|| {
            Error::usage(format!(
                "record {number} has no text `{member}` to be its key"
            ))
            .note(line.chars().take(200).collect::<String>())
            .hint("records are JSON objects; nothing was put")
        })?,
        (None, None) => spread()?,
    };
    if line.len() + key.len() > LONGEST {
        let text = format!("record {number} has {} bytes", line.len());
        return Err(Error::usage(text).hint("a stream takes 1 MiB at most; nothing was put"));
    }
    Ok(New {
        key,
        data: line.into_bytes(),
    })
}

fn member_of(line: &str, member: &str) -> Option<String> {
    let object: Value = serde_json::from_str(line).ok()?;
    let value = object.get(member)?;
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A key that no other has.
fn spread() -> Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|cause| Error::failed(format!("making a partition key: {cause}")))?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}
