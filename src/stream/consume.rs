//! All shards of a stream, each to a worker; leases taken, renewed, lost and given back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Say;
use super::held::Held;
use super::leases::{Lease, Leases};
use super::position::Position;
use super::properties::Job;
use super::shards::{self, Shard};
use super::share::surplus;
use super::worker::{Ended, Shared, work};
use crate::aws::Clients;
use crate::base::{Error, Result};

/// Between two lines of news.
const NEWS: Duration = Duration::from_mins(1);
/// What programs may take to end when all is to stop.
const LAST: Duration = Duration::from_secs(30);

type Task = (Arc<Held>, Result<Ended>);

/// Runs the programs of a job until `stop` turns true or one of them fails for good.
///
/// # Errors
/// When there is no such stream or table, or a program ended again and again.
pub async fn consume(
    aws: &Clients,
    job: Job,
    create_table: bool,
    stop: watch::Receiver<bool>,
    say: Say,
) -> Result<()> {
    let worker = match &job.worker {
        Some(worker) => worker.clone(),
        None => own_name()?,
    };
    let leases = Leases {
        aws: aws.clone(),
        table: job.application.clone(),
        worker,
    };
    if create_table {
        leases.make().await?;
    }
    let halt = watch::Sender::new(false);
    let shared = Shared {
        aws: aws.clone(),
        stop: halt.subscribe(),
        say,
        done: AtomicU64::new(0),
        behind: AtomicI64::new(0),
        job,
    };
    let run = Run {
        leases,
        shared: Arc::new(shared),
        held: BTreeMap::new(),
        still: HashMap::new(),
        tasks: JoinSet::new(),
    };
    run.run(stop, &halt).await
}

/// Of two workers on one machine, too, each has its own.
fn own_name() -> Result<String> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)
        .map_err(|cause| Error::failed(format!("making a name for this worker: {cause}")))?;
    let random: u32 = u32::from_be_bytes(bytes);
    let host = rustix::system::uname();
    Ok(format!(
        "{}:{random:08x}",
        host.nodename().to_string_lossy()
    ))
}

struct Run {
    leases: Leases,
    shared: Arc<Shared>,
    held: BTreeMap<String, Arc<Held>>,
    /// Leases of others: their counters, and since when these stand still.
    still: HashMap<String, (u64, Instant)>,
    tasks: JoinSet<Task>,
}

impl Run {
    async fn run(
        mut self,
        mut stop: watch::Receiver<bool>,
        halt: &watch::Sender<bool>,
    ) -> Result<()> {
        // What is wrong at the beginning is not waited for.
        self.look().await?;
        let mut tick = tokio::time::interval(self.shared.job.failover / 3);
        let mut news = tokio::time::interval(NEWS);
        news.reset();
        let mut told = 0;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return self.end(halt).await,
                Some(joined) = self.tasks.join_next(), if !self.tasks.is_empty() => {
                    if let Err(error) = self.ended(joined) {
                        let _ = self.end(halt).await;
                        return Err(error);
                    }
                    self.try_look().await;
                }
                _ = tick.tick() => {
                    self.renew().await;
                    self.try_look().await;
                }
                _ = news.tick() => told = self.tell(told),
            }
        }
    }

    async fn try_look(&mut self) {
        if let Err(error) = self.look().await {
            (self.shared.say)(&format!("looking at the shards: {error}; again soon"));
        }
    }

    /// Looks at shards and leases: adds what is new, takes what is free, or one of who has many more.
    async fn look(&mut self) -> Result<()> {
        let job = &self.shared.job;
        let shards = shards::list(&self.leases.aws, &job.stream).await?;
        let mut leases = self.leases.all().await?;
        let new = begun(&shards, &leases, &job.position);
        if !new.is_empty() {
            for (shard, position) in &new {
                self.leases.add(shard, position).await?;
            }
            leases = self.leases.all().await?;
        }
        let known: HashSet<&str> = shards.iter().map(|shard| shard.id.as_str()).collect();
        let whole = shards
            .iter()
            .all(|shard| leases.iter().any(|lease| lease.shard == shard.id));
        let (mut others, mut took) = (Vec::new(), false);
        for lease in leases {
            if self.held.contains_key(&lease.shard) {
                continue;
            }
            if !known.contains(lease.shard.as_str()) {
                // Its records are too old for the stream to keep.
                if whole {
                    self.leases.forget(&lease.shard).await?;
                }
                continue;
            }
            if lease.position == Position::ShardEnd {
                continue;
            }
            if self.is_free(&lease) {
                self.take(&lease).await?;
                took = true;
            } else {
                others.push(lease);
            }
        }
        if !took && let Some(lease) = surplus(&others, self.held.len()) {
            self.take(lease).await?;
        }
        Ok(())
    }

    /// Nobody has it, or nobody has renewed it for so long that its worker must be gone.
    fn is_free(&mut self, lease: &Lease) -> bool {
        if lease.owner.is_none() {
            return true;
        }
        let now = Instant::now();
        let seen = self.still.entry(lease.shard.clone());
        let (counter, since) = seen.or_insert((lease.counter, now));
        if *counter != lease.counter {
            (*counter, *since) = (lease.counter, now);
        }
        now.duration_since(*since) > self.shared.job.failover
    }

    async fn take(&mut self, lease: &Lease) -> Result<()> {
        self.still.remove(&lease.shard);
        let Some(taken) = self.leases.take(lease).await? else {
            return Ok(());
        };
        let held = Arc::new(Held::new(self.leases.clone(), taken));
        self.held.insert(lease.shard.clone(), Arc::clone(&held));
        let shared = Arc::clone(&self.shared);
        self.tasks.spawn(async move {
            let ended = work(shared, Arc::clone(&held)).await;
            (held, ended)
        });
        Ok(())
    }

    async fn renew(&self) {
        let failover = self.shared.job.failover;
        let all = self.held.values().map(async |held| {
            if let Err(error) = held.renew().await {
                (self.shared.say)(&format!("{}: not renewed: {error}", held.shard));
            }
            // By now another worker may have taken it.
            if held.renewed().elapsed() > failover {
                held.lose();
            }
        });
        join_all(all).await;
    }

    fn ended(&mut self, joined: Result<Task, tokio::task::JoinError>) -> Result<()> {
        let (held, ended) = joined.map_err(|error| Error::failed(format!("a worker: {error}")))?;
        self.held.remove(&held.shard);
        let shard = &held.shard;
        let ended = ended.map_err(|error| error.note(format!("with the records of `{shard}`")))?;
        (self.shared.say)(&match ended {
            Ended::Whole => format!("{shard}: closed, and all of it is done"),
            Ended::Lost => format!("{shard}: another worker has it now"),
            Ended::Stopped => format!("{shard}: stopped at {}", held.position()),
        });
        Ok(())
    }

    /// Lets all programs end in order.
    async fn end(&mut self, halt: &watch::Sender<bool>) -> Result<()> {
        halt.send_replace(true);
        let all = async {
            let mut first = Ok(());
            while let Some(joined) = self.tasks.join_next().await {
                first = first.and(self.ended(joined));
            }
            first
        };
        let done = timeout(LAST, all).await;
        let late = Error::failed(format!("programs did not end within {} s", LAST.as_secs()));
        done.unwrap_or(Err(late.note("what they had no checkpoint for comes again")))
    }

    fn tell(&self, before: u64) -> u64 {
        let done = self.shared.done.load(Ordering::Relaxed);
        let behind = self.shared.behind.load(Ordering::Relaxed);
        let (count, shards) = (done - before, self.held.len());
        let line = format!(
            "{count} records in the last minute from {shards} shards, {:.1} s behind",
            Duration::from_millis(behind.unsigned_abs()).as_secs_f64()
        );
        (self.shared.say)(&line);
        done
    }
}

/// The shards that nobody has a lease for and that are to be begun now: what came from another shard
/// waits until that one is done, so that records of one key stay in order.
fn begun<'a>(
    shards: &'a [Shard],
    leases: &[Lease],
    first: &Position,
) -> Vec<(&'a Shard, Position)> {
    let lease = |id: &str| leases.iter().find(|lease| lease.shard == id);
    let new = shards.iter().filter(|shard| lease(&shard.id).is_none());
    new.filter_map(|shard| {
        let parents: Vec<&Lease> = shard.parents.iter().filter_map(|id| lease(id)).collect();
        if !parents.is_empty() {
            let done = |lease: &&Lease| lease.position == Position::ShardEnd;
            return parents
                .iter()
                .all(done)
                .then_some((shard, Position::TrimHorizon));
        }
        match first {
            Position::Latest => (!shard.closed).then_some((shard, Position::Latest)),
            first => {
                let waits = |id: &String| shards.iter().any(|shard| shard.id == *id);
                let first = first.clone();
                (!shard.parents.iter().any(waits)).then_some((shard, first))
            }
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parents: &[&str], closed: bool) -> Shard {
        Shard {
            id: id.to_owned(),
            parents: parents.iter().map(|&it| it.to_owned()).collect(),
            closed,
        }
    }

    fn lease(id: &str, position: Position) -> Lease {
        Lease {
            shard: id.to_owned(),
            owner: None,
            counter: 0,
            position,
        }
    }

    fn names(shards: &[Shard], leases: &[Lease], first: &Position) -> Vec<(String, Position)> {
        let begun = begun(shards, leases, first).into_iter();
        begun.map(|(shard, at)| (shard.id.clone(), at)).collect()
    }

    #[test]
    fn what_came_from_a_shard_is_begun_when_that_is_done() {
        let (first, end) = (Position::TrimHorizon, Position::ShardEnd);
        let all = [
            shard("0", &[], true),
            shard("1", &["0"], true),
            shard("2", &["0", "9"], false),
            shard("3", &["1", "2"], false),
        ];
        let of = |ids: &[&str]| -> Vec<_> {
            ids.iter()
                .map(|&id| (id.to_owned(), first.clone()))
                .collect()
        };
        assert_eq!(names(&all, &[], &first), of(&["0"]));
        let reading = lease("0", first.clone());
        assert_eq!(names(&all, &[reading], &first), of(&[]));
        let done = lease("0", end.clone());
        assert_eq!(
            names(&all, std::slice::from_ref(&done), &first),
            of(&["1", "2"])
        );
        let both = [done, lease("1", end), lease("2", first.clone())];
        assert_eq!(names(&all, &both, &first), of(&[]));
    }

    #[test]
    fn from_now_on_means_the_open_shards_and_all_of_those_that_follow() {
        let (first, end) = (Position::Latest, Position::ShardEnd);
        let all = [shard("0", &[], true), shard("1", &["0"], false)];
        assert_eq!(names(&all, &[], &first), [("1".to_owned(), first.clone())]);
        let later = [
            shard("0", &[], true),
            shard("1", &["0"], true),
            shard("2", &["1"], false),
        ];
        let done = lease("1", end);
        let wanted = [("2".to_owned(), Position::TrimHorizon)];
        assert_eq!(names(&later, &[done], &first), wanted);
    }
}
