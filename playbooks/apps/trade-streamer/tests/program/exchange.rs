//! An exchange that does what a test tells it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::program::within;

/// The exchange
pub(crate) struct Exchange {
    pub(crate) url: String,
    pub(crate) stream_url: String,
    listener: TcpListener,
    pub(crate) history: Arc<Mutex<History>>,
}

/// What REST requests are answered from
#[derive(Default)]
pub(crate) struct History {
    /// The ids that can be fetched, by pair
    pub(crate) ids: HashMap<String, BTreeSet<u64>>,
    /// Answers to the next requests: status and seconds of `Retry-After`
    pub(crate) failures: VecDeque<(u16, Option<u32>)>,
    /// What was asked for: pair and id
    pub(crate) asked: Vec<(String, u64)>,
}

impl Exchange {
    pub(crate) async fn start() -> Self {
        let history = Arc::new(Mutex::new(History::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let rest = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", rest.local_addr().unwrap());
        let router = Router::new()
            .route("/api/v3/historicalTrades", get(historical))
            .with_state(history.clone());
        tokio::spawn(async { axum::serve(rest, router).await });
        Self {
            url,
            stream_url: format!("ws://{}", listener.local_addr().unwrap()),
            listener,
            history,
        }
    }

    /// These trades can be fetched from now on
    pub(crate) fn has(&self, pair: &str, ids: impl IntoIterator<Item = u64>) {
        let mut history = self.history.lock().unwrap();
        history.ids.entry(pair.into()).or_default().extend(ids);
    }

    pub(crate) fn asked(&self) -> Vec<(String, u64)> {
        self.history.lock().unwrap().asked.clone()
    }

    /// The next client, which has sent nothing yet
    pub(crate) async fn connection(&self) -> Connection {
        let (stream, _) = within("a connection", self.listener.accept())
            .await
            .unwrap();
        let stream = tokio_tungstenite::accept_async(stream).await.unwrap();
        Connection { stream }
    }

    /// The next client, subscribed
    pub(crate) async fn subscribed(&self) -> Connection {
        let mut connection = self.connection().await;
        let (_, id) = connection.request().await;
        connection
            .send(json!({"result": null, "id": id}).to_string())
            .await;
        connection
    }
}

/// A client's websocket
pub(crate) struct Connection {
    pub(crate) stream: WebSocketStream<TcpStream>,
}

impl Connection {
    /// What it asks for, and the id of the request
    pub(crate) async fn request(&mut self) -> (Vec<String>, u64) {
        let message = within("a request", self.stream.next())
            .await
            .unwrap()
            .unwrap();
        let request: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        assert_eq!(request["method"], "SUBSCRIBE");
        let params = request["params"].as_array().unwrap().iter();
        let params = params
            .map(|param| param.as_str().unwrap().to_owned())
            .collect();
        (params, request["id"].as_u64().unwrap())
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.stream.send(Message::text(text.into())).await.unwrap();
    }

    pub(crate) async fn trades(&mut self, pair: &str, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            self.stream
                .feed(Message::text(trade(pair, id)))
                .await
                .unwrap();
        }
        self.stream.flush().await.unwrap();
    }

    /// Pings, so that it is not the exchange that seems dead
    pub(crate) fn live_on(mut self) {
        tokio::spawn(async move {
            while self.stream.send(Message::Ping(Bytes::new())).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
}

/// A trade as the stream has it
pub(crate) fn trade(pair: &str, id: u64) -> String {
    let time = 1_600_000_000_000 + id;
    format!(
        r#"{{"e":"trade","E":{time},"s":"{pair}","t":{id},"p":"8300.10000000","q":"0.00120000","b":88,"a":50,"T":{time},"m":true,"M":true}}"#
    )
}

async fn historical(
    State(history): State<Arc<Mutex<History>>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let mut history = history.lock().unwrap();
    let from = query["fromId"].parse().unwrap();
    history.asked.push((query["symbol"].clone(), from));
    if let Some((status, wait)) = history.failures.pop_front() {
        let status = StatusCode::from_u16(status).unwrap();
        let body = r#"{"code":-1,"msg":"No."}"#;
        return match wait {
            Some(seconds) => (status, [("retry-after", seconds.to_string())], body).into_response(),
            None => (status, body).into_response(),
        };
    }
    let limit = query["limit"].parse().unwrap();
    let ids = history.ids.get(&query["symbol"]).into_iter().flatten();
    let page: Vec<_> = ids
        .filter(|id| **id >= from)
        .take(limit)
        .map(|id| {
            json!({"id": id, "price": "8300.10000000", "qty": "0.00120000", "quoteQty": "9.96012000",
                "time": 1_600_000_000_000_u64 + id, "isBuyerMaker": true, "isBestMatch": true})
        })
        .collect();
    axum::Json(page).into_response()
}
