//! One client's websocket: sends the trades it wants, takes its orders, and ends when it must.
//!
//! Source: Binance Spot API documentation, "WebSocket Streams", general information and limits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use futures::SinkExt as _;
use tokio::sync::broadcast::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout};

use super::floor::{Exchange, Signal, wall_clock};
use super::frames::Batch;
use super::orders::Subscriptions;

/// What a connection may expect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// How often a client is pinged.
    ping: Duration,
    /// How long it may go on without answering a ping.
    answer: Duration,
    /// How long a connection lasts.
    life: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(20),
            answer: Duration::from_mins(1),
            life: Duration::from_hours(24),
        }
    }
}

/// How long a client may take nothing at all.
const STUCK: Duration = Duration::from_secs(10);
/// How many messages a client may send in a second.
const MESSAGES: u32 = 5;

/// The connection is over.
struct Over;

/// One client.
pub(super) struct Session {
    socket: WebSocket,
    batches: Receiver<Arc<Batch>>,
    signal: watch::Receiver<Signal>,
    /// The cuts there were before.
    cuts: u64,
    subscriptions: Subscriptions,
    /// Events come within `{"stream":…,"data":…}`.
    combined: bool,
    terms: Terms,
    pings: Interval,
    answered: Instant,
    end: Instant,
    /// The second that messages are counted in, and how many came.
    messages: (Instant, u32),
}

impl Session {
    /// A client that has just connected.
    pub(super) fn new(
        exchange: &Exchange,
        socket: WebSocket,
        subscriptions: Subscriptions,
        combined: bool,
    ) -> Self {
        let now = Instant::now();
        let terms = exchange.terms;
        let mut pings = interval_at(now + terms.ping, terms.ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let signal = exchange.signal.subscribe();
        let cuts = signal.borrow().cuts;
        Self {
            socket,
            batches: exchange.batches.subscribe(),
            signal,
            cuts,
            subscriptions,
            combined,
            terms,
            pings,
            answered: now,
            end: now + terms.life,
            messages: (now, 0),
        }
    }

    /// Goes on until either side has had enough; then the connection is dropped.
    pub(super) async fn run(mut self) {
        while self.step().await.is_ok() {}
    }

    async fn step(&mut self) -> Result<(), Over> {
        self.hush().await?;
        tokio::select! {
            biased;
            changed = self.signal.changed() => changed.map_err(|_| Over),
            message = self.socket.recv() => match message {
                Some(Ok(message)) => self.take(message).await,
                Some(Err(_)) | None => Err(Over),
            },
            // An error means that the client is too far behind.
            batch = self.batches.recv() => match batch {
                Ok(batch) => self.send_trades(&batch).await,
                Err(_) => Err(Over),
            },
            _ = self.pings.tick() => {
                if self.answered.elapsed() >= self.terms.answer {
                    return Err(Over);
                }
                let now = wall_clock().to_string();
                self.send(vec![Message::Ping(Bytes::from(now))]).await
            }
            () = sleep_until(self.end) => {
                self.send(vec![Message::Close(None)]).await?;
                Err(Over)
            }
        }
    }

    /// Waits while nothing may be sent: not even read, as reading a ping sends a pong.
    async fn hush(&mut self) -> Result<(), Over> {
        loop {
            let signal = *self.signal.borrow_and_update();
            if signal.cuts != self.cuts {
                return Err(Over);
            }
            match signal.silent {
                Some(until) if Instant::now() < until => tokio::select! {
                    changed = self.signal.changed() => changed.map_err(|_| Over)?,
                    () = sleep_until(until) => self.answered = Instant::now(),
                },
                _ => return Ok(()),
            }
        }
    }

    async fn take(&mut self, message: Message) -> Result<(), Over> {
        if self.messages.0.elapsed() >= Duration::from_secs(1) {
            self.messages = (Instant::now(), 0);
        }
        self.messages.1 += 1;
        if self.messages.1 > MESSAGES {
            return Err(Over);
        }
        match message {
            Message::Text(text) => {
                let answer = self.subscriptions.answer(&text);
                self.send(vec![Message::Text(answer.into())]).await
            }
            Message::Binary(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let answer = self.subscriptions.answer(&text);
                self.send(vec![Message::Text(answer.into())]).await
            }
            Message::Pong(_) => {
                self.answered = Instant::now();
                Ok(())
            }
            // They are answered with the next thing that is read or sent.
            Message::Ping(_) | Message::Close(_) => Ok(()),
        }
    }

    async fn send_trades(&mut self, batch: &Batch) -> Result<(), Over> {
        let wanted = self.subscriptions.wanted;
        let mut messages = Vec::new();
        for frame in batch.frames.iter().filter(|frame| wanted[frame.place]) {
            messages.push(if self.combined {
                frame.combined.clone()
            } else {
                frame.raw.clone()
            });
        }
        if messages.is_empty() {
            return Ok(());
        }
        self.send(messages).await
    }

    /// Sends messages, unless the connection is cut meanwhile or the client takes none of them.
    async fn send(&mut self, messages: Vec<Message>) -> Result<(), Over> {
        let socket = &mut self.socket;
        let all = async {
            for message in messages {
                socket.feed(message).await.map_err(|_| Over)?;
            }
            socket.flush().await.map_err(|_| Over)
        };
        let cuts = self.cuts;
        tokio::select! {
            biased;
            sent = timeout(STUCK, all) => sent.unwrap_or(Err(Over)),
            _ = self.signal.wait_for(|signal| signal.cuts != cuts) => Err(Over),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

    use super::super::server::router;
    use super::{Arc, Duration, Exchange, Instant, Terms};

    type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

    /// Reads to the end, which answers pings: how many came, and whether the end was announced.
    async fn read(mut client: Client) -> (usize, bool) {
        let (mut pings, mut closed) = (0, false);
        while let Some(Ok(message)) = client.next().await {
            pings += usize::from(matches!(message, Message::Ping(_)));
            closed |= matches!(message, Message::Close(_));
        }
        (pings, closed)
    }

    #[tokio::test]
    async fn a_connection_lasts_its_time_and_ends_before_it_where_pings_are_not_answered() {
        let mut exchange = Exchange::new(1, 0);
        exchange.terms = Terms {
            // Answers count as messages.
            ping: Duration::from_millis(300),
            answer: Duration::from_secs(1),
            life: Duration::from_secs(3),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/ws", listener.local_addr().unwrap());
        let router = router(&Arc::new(exchange));
        tokio::spawn(axum::serve(listener, router).into_future());

        let start = Instant::now();
        let (answers, _) = connect_async(&url).await.unwrap();
        let (mute, _) = connect_async(&url).await.unwrap();
        let answers = async {
            let (pings, closed) = read(answers).await;
            (pings, closed, start.elapsed())
        };
        let mute = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            read(mute).await
        };
        let ((pings, closed, lasted), (heard, told)) = tokio::join!(answers, mute);
        assert!(pings > 5 && closed, "{pings} {closed}");
        assert!(lasted >= Duration::from_secs(3), "{lasted:?}");
        // It was pinged until the second was over.
        assert!((1..=4).contains(&heard) && !told, "{heard} {told}");
    }
}
