//! The whole program: starts every part, waits for a reason to end, and ends in order.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{channel, unbounded_channel};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::feed::Feed;
use crate::history::History;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::outlet::Outlets;
use crate::pairs::Pairs;
use crate::relay::Relay;
use crate::say::{Stop, say};
use crate::sequence::Sequencer;
use crate::state::{Ledger, State};
use crate::{kinesis, state, stdout};

/// How long delivering what was taken may last at the end
const LAST: Duration = Duration::from_secs(10);

/// Messages that are read and not yet looked at
const NEWS: usize = 256;

type Parts = JoinSet<Result<(), Stop>>;

/// Runs until a signal, a closed pipe, or an error that cannot be overcome
pub(crate) async fn run(options: Options) -> Result<(), Stop> {
    let started = Instant::now();
    let pairs = Arc::new(Pairs::new(options.pairs.clone()));
    let metrics = Arc::new(Metrics::default());
    let saved = options
        .state
        .as_deref()
        .map(state::read)
        .transpose()?
        .unwrap_or_default();
    let known: Vec<_> = pairs
        .names()
        .iter()
        .map(|name| saved.get(name).copied())
        .collect();
    let count = usize::from(options.to.stdout()) + usize::from(options.to.kinesis());
    let ledger = Arc::new(Ledger::new(count, &known));
    let state = match options.state.clone() {
        Some(path) => Some(Arc::new(State::new(
            path,
            saved,
            pairs.clone(),
            ledger.clone(),
        )?)),
        None => None,
    };

    let mut outlets = Outlets::new(metrics.clone());
    let mut sinks = start_sinks(&options, &mut outlets, &pairs, &ledger, &metrics).await?;
    let (news_in, news) = channel(NEWS);
    let (asks, asked) = unbounded_channel();
    let (pages_in, pages) = channel(1);
    let feed = Feed::new(&options, pairs.clone(), news_in, metrics.clone());
    let history = History::new(&options, pairs.clone(), metrics.clone())?;
    let relay = Relay {
        sequencer: Sequencer::new(known),
        news,
        asks,
        pages,
        outlets,
        ledger,
        state: state.clone(),
        pairs,
        metrics: metrics.clone(),
        look: options.silence,
    };
    let mut sources = Parts::new();
    sources.spawn(async { feed.run().await.map(|never| match never {}) });
    sources.spawn(history.serve(asked, pages_in));
    sources.spawn(async { match relay.run().await {} });

    let reason = tokio::select! {
        stopped = interrupted() => stopped,
        Some(ended) = sources.join_next() => flat(ended),
        Some(ended) = sinks.join_next() => flat(ended),
        () = metrics.tell(options.metrics) => Ok(()),
        () = keep(state.as_deref()) => Ok(()),
    };
    // The outlets go with their sources, so that the sinks come to an end
    sources.shutdown().await;
    let drained = timeout(LAST, drain(&mut sinks)).await;
    if let Some(state) = &state {
        state.save().await;
    }
    let left = metrics.queued.value();
    if left > 0 {
        say(format_args!(
            "{left} trades were taken and not delivered; {}",
            match state {
                Some(_) => "the next start with this state fetches them",
                None => "they are lost: --state would keep them",
            }
        ));
    }
    metrics.total(started.elapsed());
    reason.and(drained.unwrap_or(Ok(())))
}

async fn start_sinks(
    options: &Options,
    outlets: &mut Outlets,
    pairs: &Arc<Pairs>,
    ledger: &Arc<Ledger>,
    metrics: &Arc<Metrics>,
) -> Result<Parts, Stop> {
    let mut sinks = Parts::new();
    if options.to.stdout() {
        sinks.spawn(stdout::run(
            outlets.sink(),
            ledger.clone(),
            0,
            options.give_up,
        ));
    }
    if options.to.kinesis() {
        let client = aws_sdk_kinesis::Client::new(&kinesis::configuration().await?);
        let place = (ledger.clone(), usize::from(options.to.stdout()));
        let sender = kinesis::Sender::new(
            client,
            options.stream.clone().unwrap_or_default(),
            pairs.clone(),
            place,
            metrics.clone(),
            options.give_up,
            options.strict_order,
        );
        sinks.spawn(sender.run(outlets.sink()));
    }
    Ok(sinks)
}

/// Waits for a signal that asks to stop
async fn interrupted() -> Result<(), Stop> {
    let failed = |error: io::Error| Stop::Failed(format!("listening for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::select! {
        _ = terminate.recv() => say("SIGTERM: delivering what was taken, then ending"),
        _ = interrupt.recv() => say("SIGINT: delivering what was taken, then ending"),
    }
    Ok(())
}

/// Writes the state each second, for ever
async fn keep(state: Option<&State>) {
    loop {
        sleep(Duration::from_secs(1)).await;
        if let Some(state) = state {
            state.save().await;
        }
    }
}

async fn drain(sinks: &mut Parts) -> Result<(), Stop> {
    let mut all = Ok(());
    while let Some(ended) = sinks.join_next().await {
        all = all.and(flat(ended));
    }
    all
}

fn flat(ended: Result<Result<(), Stop>, JoinError>) -> Result<(), Stop> {
    ended.unwrap_or_else(|error| {
        Err(Stop::Failed(format!(
            "a part of the program broke: {error}"
        )))
    })
}
