//! One shard: read, given to a program, checkpointed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::Say;
use super::held::Held;
use super::position::Position;
use super::processor::Processor;
use super::properties::Job;
use super::protocol::{Record, Told};
use super::reader::{PAUSE, Reader};
use crate::aws::Clients;
use crate::base::{Error, Result};

/// How often a program may end in a row before the run gives up.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How the work on a shard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The shard is closed and done.
    Whole,
    /// Another worker has it.
    Lost,
    /// It was to stop.
    Stopped,
}

/// What all shards of a run share.
pub(super) struct Shared {
    pub(super) aws: Clients,
    pub(super) job: Job,
    pub(super) say: Say,
    pub(super) stop: watch::Receiver<bool>,
    /// Records that programs are done with.
    pub(super) done: AtomicU64,
    /// How far the last answer was behind, in milliseconds.
    pub(super) behind: AtomicI64,
}

/// Works on a shard until it ends, is another's, or all is to stop. A program that ends is started
/// again from the last checkpoint.
pub(super) async fn work(shared: Arc<Shared>, held: Arc<Held>) -> Result<Ended> {
    let (mut attempt, mut pause) = (0, FIRST_PAUSE);
    loop {
        let before = held.position();
        let error = match turn(&shared, &held).await {
            Ok(ended) => {
                if ended == Ended::Stopped {
                    held.release().await?;
                }
                return Ok(ended);
            }
            Err(error) => error,
        };
        if *held.lost().borrow() {
            return Ok(Ended::Lost);
        }
        if held.position() != before {
            (attempt, pause) = (0, FIRST_PAUSE);
        }
        attempt += 1;
        if attempt == ATTEMPTS || *shared.stop.borrow() {
            // Whoever tries it next need not wait for this lease to run out.
            let _ = held.release().await;
            return Err(error);
        }
        let shard = &held.shard;
        (shared.say)(&format!("{shard}: {error}; again from the last checkpoint"));
        let mut stop = shared.stop.clone();
        tokio::select! {
            () = sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// One program, from its start to its end.
async fn turn(shared: &Shared, held: &Held) -> Result<Ended> {
    let Shared { job, say, .. } = shared;
    let begin = held.position();
    let mut program = Processor::start(job, held, say)?;
    let at = begin.to_string();
    let initialize = Told::Initialize {
        shard_id: &held.shard,
        sequence_number: &at,
        sub_sequence_number: 0,
    };
    program.tell(&initialize).await?;
    say(&format!("{}: begun at {at}", held.shard));
    let ended = records(shared, held, &mut program, begin).await?;
    let last = match ended {
        Ended::Whole => Told::ShardEnded {},
        Ended::Lost => Told::LeaseLost {},
        Ended::Stopped => Told::ShutdownRequested {},
    };
    program.tell(&last).await?;
    program.end().await;
    if ended == Ended::Whole && held.position() != Position::ShardEnd {
        return Err(
            Error::failed("the program made no checkpoint at the end of the shard").hint(
                "it must, when it is told `shardEnded`: the shards after this one wait for it",
            ),
        );
    }
    Ok(ended)
}

async fn records(
    shared: &Shared,
    held: &Held,
    program: &mut Processor<'_>,
    begin: Position,
) -> Result<Ended> {
    let job = &shared.job;
    if begin == Position::ShardEnd {
        return Ok(Ended::Whole);
    }
    let mut reader = Reader::new(&shared.aws, &job.stream, &held.shard, begin);
    let (mut stop, mut lost) = (shared.stop.clone(), held.lost());
    loop {
        let batch = tokio::select! {
            biased;
            _ = lost.wait_for(|lost| *lost) => return Ok(Ended::Lost),
            _ = stop.wait_for(|stop| *stop) => return Ok(Ended::Stopped),
            batch = reader.next(job.most_records) => batch?,
        };
        shared.behind.store(batch.behind, Ordering::Relaxed);
        if let Some(last) = batch.records.last() {
            program.given(&last.sequence);
            let told = Told::ProcessRecords {
                records: batch.records.iter().map(Record::from).collect(),
                millis_behind_latest: batch.behind,
            };
            program.tell(&told).await?;
            let count = u64::try_from(batch.records.len()).unwrap_or(u64::MAX);
            shared.done.fetch_add(count, Ordering::Relaxed);
        }
        if batch.ended {
            return Ok(Ended::Whole);
        }
        let nothing_left = batch.behind == 0;
        let pause = if nothing_left { job.idle } else { PAUSE };
        tokio::select! {
            _ = lost.wait_for(|lost| *lost) => return Ok(Ended::Lost),
            _ = stop.wait_for(|stop| *stop) => return Ok(Ended::Stopped),
            () = sleep(pause) => {}
        }
    }
}
