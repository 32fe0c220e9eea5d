//! Keeps the stream of trades open: connects, and connects again after whatever ended it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep};

use crate::backoff::Backoff;
use crate::event::Event;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::pairs::Pairs;
use crate::say::{Stop, Throttle, say};
use crate::socket::{Heard, Socket};

/// A connection that was good for this long starts the pauses anew
const GOOD: Duration = Duration::from_mins(1);

/// What even the last try to connect may take, so that it tells the real reason
const LAST_TRY: Duration = Duration::from_secs(1);

/// What comes over the stream
#[derive(Debug)]
pub(crate) enum News {
    /// All pairs are subscribed; what came since the last connection was missed
    Connected,
    Trade {
        pair: usize,
        event: Event,
    },
}

/// Why a connection ended
#[derive(Debug)]
pub(crate) enum Ended {
    /// It may work the next time
    Lost(String),
    /// It will not
    Refused(String),
}

/// The stream
pub(crate) struct Feed {
    url: String,
    silence: Duration,
    give_up: Duration,
    pairs: Arc<Pairs>,
    news: Sender<News>,
    metrics: Arc<Metrics>,
    malformed: Throttle,
    /// When the exchange last sent something beside answers
    heard: Instant,
}

impl Feed {
    pub(crate) fn new(
        options: &Options,
        pairs: Arc<Pairs>,
        news: Sender<News>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let url = options.exchange_stream_url.trim_end_matches('/');
        Self {
            url: format!("{}/ws", url.trim_end_matches("/ws")),
            silence: options.silence,
            give_up: options.give_up,
            pairs,
            news,
            metrics,
            malformed: Throttle::new(Duration::from_secs(1)),
            heard: Instant::now(),
        }
    }

    /// Goes on for ever, or until nothing came for too long
    pub(crate) async fn run(mut self) -> Result<Infallible, Stop> {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        loop {
            let since = Instant::now();
            let why = match self.connection().await {
                Ended::Refused(why) => return Err(Stop::Failed(why)),
                Ended::Lost(why) => why,
            };
            let quiet = self.heard.elapsed();
            if quiet >= self.give_up {
                return Err(Stop::Failed(format!(
                    "nothing came from {} for {:.0} s: {why}; see whether it can be reached from here",
                    self.url,
                    quiet.as_secs_f64()
                )));
            }
            if self.heard.saturating_duration_since(since) >= GOOD {
                backoff.reset();
            }
            let pause = backoff.pause().min(self.give_up.saturating_sub(quiet));
            say(format_args!(
                "{why}; connecting again in {:.1} s",
                pause.as_secs_f64()
            ));
            self.metrics.reconnects.add(1);
            sleep(pause).await;
        }
    }

    /// One connection, from its first to its last message
    async fn connection(&mut self) -> Ended {
        match self.follow().await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    async fn follow(&mut self) -> Result<Infallible, Ended> {
        let left = self.give_up.saturating_sub(self.heard.elapsed());
        let mut socket = Socket::connect(&self.url, left.max(LAST_TRY)).await?;
        socket.subscribe(&self.pairs).await?;
        loop {
            let left = self.give_up.saturating_sub(self.heard.elapsed());
            match socket.next(&self.pairs, self.silence.min(left)).await? {
                Heard::Trade { pair, event } => {
                    self.heard = Instant::now();
                    self.tell(News::Trade { pair, event }).await;
                }
                Heard::Subscribed => {
                    say(format_args!(
                        "following {} pairs on {}",
                        self.pairs.len(),
                        self.url
                    ));
                    self.tell(News::Connected).await;
                }
                Heard::Sign => self.heard = Instant::now(),
                Heard::Answer => {}
                Heard::Malformed(what) => self.malformed(&what),
            }
        }
    }

    /// Waits while there is no room: the exchange waits, too
    async fn tell(&mut self, news: News) {
        let before = Instant::now();
        // Whoever hears it ends only with the program
        let _ = self.news.send(news).await;
        // While we do not listen, the exchange is not silent
        self.heard += before.elapsed();
    }

    fn malformed(&mut self, what: &str) {
        self.metrics.malformed.add(1);
        if let Some(held) = self.malformed.allow(std::time::Instant::now()) {
            let start: String = what.chars().take(80).collect();
            say(format_args!(
                "a message is no trade (and {held} before it), it is left out and its trade fetched: {start:?}"
            ));
        }
    }
}
