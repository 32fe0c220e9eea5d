//! `tidewalk stream peek`

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Which;
use crate::base::{Errors, Result};
use crate::cli::exit::Exit;
use crate::cli::session;
use crate::report::{self, Output};
use crate::stream::position::Position;
use crate::stream::reader::{Reader, Record};
use crate::stream::shards;

/// Between two looks with `--follow`; a shard gives five answers a second to all who read it.
const PAUSE: Duration = Duration::from_secs(1);

/// Show records of a stream
///
/// Reads every shard from a time on, and shows each record with the time at which the stream took
/// it, its shard, its partition key and its data (Base64, where it is no text).
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk stream peek crypto --since 1h --count 100")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,

    /// Records of the last so many minutes or hours: `10m`, `2h`, `1d`
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = super::time)]
    since: Duration,

    /// How many, counted from the oldest; 25 if not given, without an end with `--follow`
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,

    /// Go on with new records as they come, until Ctrl-C
    #[arg(long)]
    follow: bool,
}

/// Without `--count`: a screen full.
const USUAL_COUNT: usize = 25;

pub(super) async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let Which { stream, cloud } = &args.which;
    let aws = session::account(cloud, None).await?;
    let back = SignedDuration::try_from(args.since).unwrap_or(SignedDuration::MAX);
    let from = Timestamp::now().saturating_sub(back);
    let from = Position::At(from.unwrap_or(Timestamp::MIN).as_millisecond().max(0));
    let usual = if args.follow { usize::MAX } else { USUAL_COUNT };
    let most = args.count.map_or(usual, |count| count as usize);
    let mut readers: Vec<(String, Option<Reader>)> = Vec::new();
    for shard in shards::list(&aws, stream).await? {
        let reader = Reader::new(&aws, stream, &shard.id, from.clone());
        readers.push((shard.id, Some(reader)));
    }
    let mut shown = 0;
    loop {
        let (mut records, caught_up) = look(&mut readers, most - shown).await?;
        records.sort_by_key(|(_, record)| record.arrived);
        records.truncate(most - shown);
        shown += records.len();
        print(&records, out);
        if shown == most || (caught_up && !args.follow) {
            break;
        }
        tokio::time::sleep(if caught_up {
            PAUSE
        } else {
            crate::stream::reader::PAUSE
        })
        .await;
    }
    if shown == 0 {
        let (name, since) = (stream, report::duration::took(args.since));
        out.say(&format!("no record came to `{name}` in the last {since}\n"));
    }
    Ok(Exit::Done)
}

/// One look at every shard: its records, and whether these were all so far.
async fn look(
    readers: &mut [(String, Option<Reader>)],
    most: usize,
) -> Result<(Vec<(String, Record)>, bool)> {
    let limit = i32::try_from(most).unwrap_or(i32::MAX).min(1_000);
    let all = readers.iter_mut().map(async |(shard, slot)| {
        let Some(reader) = slot else {
            return Ok((Vec::new(), true));
        };
        let batch = reader.next(limit).await?;
        if batch.ended {
            *slot = None;
        }
        let records = batch.records.into_iter();
        let records = records.map(|record| (shard.clone(), record)).collect();
        Ok((records, batch.ended || batch.behind == 0))
    });
    let looks: Vec<(Vec<_>, bool)> = try_join_all(all).await?;
    let caught_up = looks.iter().all(|(_, caught_up)| *caught_up);
    Ok((
        looks.into_iter().flat_map(|(records, _)| records).collect(),
        caught_up,
    ))
}

fn print(records: &[(String, Record)], out: &Output) {
    for (shard, record) in records {
        let text = str::from_utf8(&record.data);
        let text = text.map_or_else(|_| STANDARD.encode(&record.data), str::to_owned);
        out.data(&report::stream::record(
            record.arrived,
            shard,
            &record.key,
            &text,
        ));
    }
    if !records.is_empty() {
        let records: Vec<Value> = records.iter().map(document).collect();
        out.document("records", json!(records));
    }
}

fn document((shard, record): &(String, Record)) -> Value {
    let data = match str::from_utf8(&record.data) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "base64": STANDARD.encode(&record.data) }),
    };
    json!({
        "arrived": report::logs::time(record.arrived),
        "shard": shard,
        "sequence": record.sequence.as_str(),
        "key": record.key,
        "data": data,
    })
}
