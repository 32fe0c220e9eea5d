//! One websocket connection to the exchange: subscribes, answers pings (the library does), reads messages.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::event::{Event, Frame};
use crate::feed::Ended;
use crate::pairs::Pairs;

/// How long a connection and an answer may take
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two requests: the exchange hangs up on more than five messages a second
const SPACE: Duration = Duration::from_millis(300);

/// The id of the request that subscribes all pairs; those for single ones follow
const ALL: u64 = 1;

/// One message
#[derive(Debug)]
pub(crate) enum Heard {
    Trade {
        pair: usize,
        event: Event,
    },
    Subscribed,
    /// A ping or another sign that the exchange is well
    Sign,
    /// An answer to nothing that is waited for
    Answer,
    Malformed(String),
}

/// A connection
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Until when all pairs must be subscribed, if they are not yet
    subscribing: Option<Instant>,
}

impl Socket {
    pub(crate) async fn connect(url: &str, within: Duration) -> Result<Self, Ended> {
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(1024 * 1024);
        let connecting = connect_async_with_config(url, Some(config), true);
        let lost = |why: &str| Ended::Lost(format!("connecting to {url}: {why}"));
        match timeout(within.min(PATIENCE), connecting).await {
            Ok(Ok((stream, _))) => Ok(Self {
                stream,
                subscribing: None,
            }),
            Ok(Err(error)) => Err(lost(&error.to_string())),
            Err(_) => Err(lost("no answer")),
        }
    }

    /// Asks for the trades of all pairs; the answer comes among the messages
    pub(crate) async fn subscribe(&mut self, pairs: &Pairs) -> Result<(), Ended> {
        self.request(ALL, pairs.names()).await?;
        self.subscribing = Some(Instant::now() + PATIENCE);
        Ok(())
    }

    /// The next message, or why there is none
    pub(crate) async fn next(&mut self, pairs: &Pairs, silence: Duration) -> Result<Heard, Ended> {
        let until = Instant::now() + silence;
        let until = self
            .subscribing
            .map_or(until, |answered| answered.min(until));
        let Ok(message) = timeout_at(until, self.stream.next()).await else {
            return Err(Ended::Lost(match self.subscribing {
                Some(_) => "the exchange did not answer the subscription".into(),
                None => format!(
                    "the exchange sent nothing for {:.1} s",
                    silence.as_secs_f64()
                ),
            }));
        };
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(Heard::Sign),
            Some(Ok(Message::Close(frame))) => {
                let why = frame.map_or_else(|| "no reason given".into(), |frame| frame.to_string());
                return Err(Ended::Lost(format!(
                    "the exchange closed the connection ({why})"
                )));
            }
            Some(Ok(other)) => return Ok(Heard::Malformed(format!("{other:?}"))),
            Some(Err(error)) => return Err(Ended::Lost(format!("the connection broke: {error}"))),
            None => return Err(Ended::Lost("the exchange closed the connection".into())),
        };
        match Frame::read(&text, pairs) {
            Some(Frame::Trade { pair, event }) => Ok(Heard::Trade { pair, event }),
            Some(Frame::Other) => Ok(Heard::Sign),
            Some(Frame::Accepted { id }) if id == ALL && self.subscribing.take().is_some() => {
                Ok(Heard::Subscribed)
            }
            Some(Frame::Refused { why, .. }) if self.subscribing.is_some() => {
                Err(self.refused(pairs, why).await)
            }
            Some(Frame::Accepted { .. } | Frame::Refused { .. }) => Ok(Heard::Answer),
            None => Ok(Heard::Malformed(text.as_str().to_owned())),
        }
    }

    /// All pairs at once were refused: finds out which pair it was by asking for each
    async fn refused(&mut self, pairs: &Pairs, why: String) -> Ended {
        for (name, id) in pairs.names().iter().zip(ALL + 1..) {
            sleep(SPACE).await;
            if let Err(ended) = self.request(id, std::slice::from_ref(name)).await {
                return ended;
            }
            match timeout(PATIENCE, self.answer(id, pairs)).await {
                Ok(Some(Ok(()))) => {}
                Ok(Some(Err(why))) => {
                    return Ended::Refused(format!(
                        "the exchange refuses the pair {name}: {why}; correct --pairs (PAIRS)"
                    ));
                }
                Ok(None) | Err(_) => break,
            }
        }
        Ended::Lost(format!("the exchange refuses to subscribe: {why}"))
    }

    /// The answer to a request; `None` if the connection ends before
    async fn answer(&mut self, wanted: u64, pairs: &Pairs) -> Option<Result<(), String>> {
        while let Some(Ok(message)) = self.stream.next().await {
            let Message::Text(text) = message else {
                continue;
            };
            match Frame::read(&text, pairs) {
                Some(Frame::Accepted { id }) if id == wanted => return Some(Ok(())),
                Some(Frame::Refused { id, why }) if id.is_none_or(|id| id == wanted) => {
                    return Some(Err(why));
                }
                _ => {}
            }
        }
        None
    }

    async fn request(&mut self, id: u64, names: &[String]) -> Result<(), Ended> {
        let streams: Vec<_> = names
            .iter()
            .map(|name| format!("{}@trade", name.to_ascii_lowercase()))
            .collect();
        let request = json!({"method": "SUBSCRIBE", "params": streams, "id": id}).to_string();
        self.stream
            .send(Message::text(request))
            .await
            .map_err(|error| Ended::Lost(format!("subscribing: {error}")))
    }
}
