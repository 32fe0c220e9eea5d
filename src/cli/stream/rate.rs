//! `tidewalk stream rate`

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use super::Which;
use crate::base::{Errors, Result};
use crate::cli::exit::Exit;
use crate::cli::session;
use crate::report::{self, Output};
use crate::stream::position::Position;
use crate::stream::reader::Reader;
use crate::stream::shards;

/// Of one answer.
const MOST: i32 = 10_000;

/// Count what comes to a stream, second by second
///
/// Reads every open shard from now on and prints how many records came, and how many bytes.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk stream rate crypto --for 1m")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,

    /// How long: `10s`, `5m`; Ctrl-C ends it sooner
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = super::time)]
    time: Duration,
}

pub(super) async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let Which { stream, cloud } = &args.which;
    let aws = session::account(cloud, None).await?;
    let shards = shards::list(&aws, stream).await?;
    let open = shards.into_iter().filter(|shard| !shard.closed);
    let mut readers: Vec<Option<Reader>> = open
        .map(|shard| Some(Reader::new(&aws, stream, &shard.id, Position::Latest)))
        .collect();
    let opened = readers.iter_mut().flatten();
    try_join_all(opened.map(async |reader| reader.open().await)).await?;
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick.tick().await;
    let begun = Instant::now();
    let (mut all, mut all_bytes) = (0, 0);
    let mut before = begun;
    while begun.elapsed() < args.time {
        tick.tick().await;
        let (count, bytes) = look(&mut readers).await?;
        let now = Instant::now();
        let seconds = now.duration_since(before).as_secs_f64();
        before = now;
        all += count;
        all_bytes += bytes;
        out.data(&report::stream::rate(count, bytes, seconds));
        let document = json!({ "records": count, "bytes": bytes, "seconds": seconds });
        out.document("rate", document);
    }
    let seconds = begun.elapsed().as_secs_f64();
    out.say(&report::stream::total(all, all_bytes, seconds));
    Ok(Exit::Done)
}

/// What has come since the last look: records and bytes.
async fn look(readers: &mut [Option<Reader>]) -> Result<(usize, usize)> {
    let all = readers.iter_mut().map(async |slot| {
        let (mut count, mut bytes) = (0, 0);
        while let Some(reader) = slot {
            let batch = reader.next(MOST).await?;
            count += batch.records.len();
            bytes += batch.records.iter().map(|it| it.data.len()).sum::<usize>();
            if batch.ended {
                *slot = None;
            } else if batch.behind == 0 || batch.records.is_empty() {
                break;
            }
        }
        Ok((count, bytes))
    });
    let counted: Vec<(usize, usize)> = try_join_all(all).await?;
    let sum = |(records, bytes), (more, more_bytes)| (records + more, bytes + more_bytes);
    Ok(counted.into_iter().fold((0, 0), sum))
}
