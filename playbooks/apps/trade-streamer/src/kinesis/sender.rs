//! Sends requests, several at a time, and settles their answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::put_records::PutRecordsOutput;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::lanes::{Batch, Lanes, Limits};
use super::verdict::{Verdict, verdict};
use crate::metrics::Metrics;
use crate::outlet::Trade;
use crate::pairs::Pairs;
use crate::say::{Stop, Throttle, say};
use crate::state::Ledger;

/// What `PutRecords` takes: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>. A record
/// may have 1 MiB, which no trade comes near.
const LIMITS: Limits = Limits {
    records: 500,
    bytes: 5 * 1024 * 1024,
    per_pair: usize::MAX,
    linger: Duration::from_millis(100),
};

/// Requests on their way at a time
const FLIGHTS: usize = 8;

/// What a request came to: which records were refused, and the reason of one of them
type Outcome = (Batch, Result<(Vec<bool>, Option<String>), Verdict>);

/// The sink
pub(crate) struct Sender {
    client: Client,
    stream: String,
    pairs: Arc<Pairs>,
    ledger: Arc<Ledger>,
    sink: usize,
    metrics: Arc<Metrics>,
    give_up: Duration,
    lanes: Lanes,
    flights: JoinSet<Outcome>,
    /// Since when nothing was taken
    failing: Option<Instant>,
    complaints: Throttle,
}

impl Sender {
    pub(crate) fn new(
        client: Client,
        stream: String,
        pairs: Arc<Pairs>,
        (ledger, sink): (Arc<Ledger>, usize),
        metrics: Arc<Metrics>,
        give_up: Duration,
        strict: bool,
    ) -> Self {
        let per_pair = if strict { 1 } else { LIMITS.per_pair };
        let limits = Limits { per_pair, ..LIMITS };
        Self {
            lanes: Lanes::new(pairs.names(), limits),
            client,
            stream,
            pairs,
            ledger,
            sink,
            metrics,
            give_up,
            flights: JoinSet::new(),
            failing: None,
            complaints: Throttle::new(Duration::from_secs(5)),
        }
    }

    /// Sends until the queue ends and everything is delivered
    pub(crate) async fn run(
        mut self,
        mut queue: UnboundedReceiver<Arc<Trade>>,
    ) -> Result<(), Stop> {
        let (mut trades, mut open) = (Vec::new(), true);
        loop {
            self.start(!open);
            if !open && self.lanes.is_empty() && self.flights.is_empty() {
                return Ok(());
            }
            let due = self.lanes.due().filter(|_| self.flights.len() < FLIGHTS);
            let when = due.unwrap_or_else(Instant::now).into();
            tokio::select! {
                taken = queue.recv_many(&mut trades, LIMITS.records), if open => {
                    open = taken > 0;
                    let now = Instant::now();
                    for trade in trades.drain(..) {
                        self.lanes.push(trade, now);
                    }
                }
                Some(outcome) = self.flights.join_next() => {
                    let (batch, result) = outcome.map_err(|error| Stop::Failed(format!("sending to Kinesis: {error}")))?;
                    self.settle(batch, result)?;
                }
                () = sleep_until(when), if due.is_some() => {}
            }
        }
    }

    /// Sends what is ready
    fn start(&mut self, hurry: bool) {
        while self.flights.len() < FLIGHTS {
            let Some(batch) = self.lanes.batch(Instant::now(), hurry) else {
                return;
            };
            self.flights.spawn(put(
                self.client.clone(),
                self.stream.clone(),
                self.pairs.clone(),
                batch,
            ));
        }
    }

    fn settle(
        &mut self,
        batch: Batch,
        result: Result<(Vec<bool>, Option<String>), Verdict>,
    ) -> Result<(), Stop> {
        let (refused, why) = match result {
            Ok(answer) => answer,
            Err(Verdict::Never(why)) => {
                return Err(Stop::Failed(format!(
                    "putting records into the stream `{}`: {why}",
                    self.stream
                )));
            }
            Err(Verdict::Again(why)) => (vec![true; batch.len()], Some(why)),
        };
        let (now, all) = (Instant::now(), batch.len());
        let again = refused.iter().filter(|refused| **refused).count();
        let marks = self.lanes.answered(batch, &refused, now);
        self.ledger.delivered(self.sink, marks);
        if again < all {
            self.failing = None;
        }
        let Some(why) = why else {
            return Ok(());
        };
        self.metrics.retries.add(again as u64);
        let since = *self.failing.get_or_insert(now);
        if since.elapsed() >= self.give_up {
            return Err(Stop::Failed(format!(
                "the stream `{}` has taken nothing for {:.0} s: {why}",
                self.stream,
                since.elapsed().as_secs_f64()
            )));
        }
        if self.complaints.allow(now).is_some() {
            say(format_args!(
                "the stream `{}` did not take {again} of {all} records ({why}); sending them again after a pause",
                self.stream
            ));
        }
        Ok(())
    }
}

async fn put(client: Client, stream: String, pairs: Arc<Pairs>, batch: Batch) -> Outcome {
    let entry = |trade: &Arc<Trade>| {
        PutRecordsRequestEntry::builder()
            .data(Blob::new(trade.line.as_bytes()))
            .partition_key(pairs.name(trade.pair))
            .build()
    };
    let entries: Result<Vec<_>, _> = batch.iter().map(entry).collect();
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => return (batch, Err(Verdict::Never(error.to_string()))),
    };
    let result = client
        .put_records()
        .stream_name(&stream)
        .set_records(Some(entries))
        .send()
        .await;
    let result = match result {
        Ok(output) => answer(&output, batch.len()),
        Err(error) => Err(verdict(&error, &stream)),
    };
    (batch, result)
}

fn answer(output: &PutRecordsOutput, all: usize) -> Result<(Vec<bool>, Option<String>), Verdict> {
    let records = output.records();
    if records.len() != all {
        return Err(Verdict::Again(format!(
            "{} answers to {all} records",
            records.len()
        )));
    }
    let refused = records
        .iter()
        .map(|record| record.error_code().is_some())
        .collect();
    let why = records.iter().find_map(|record| {
        let code = record.error_code()?;
        Some(format!(
            "{code}: {}",
            record.error_message().unwrap_or_default()
        ))
    });
    Ok((refused, why))
}
