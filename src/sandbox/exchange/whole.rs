//! Tests of the whole exchange, over real connections.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::server::{Options, serve};
use crate::base::Result;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An exchange at two addresses that makes no trades until it is asked to.
struct Running {
    addresses: Vec<String>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<()>>,
}

impl Running {
    async fn start() -> Self {
        let (mut listeners, mut addresses) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            addresses.push(listener.local_addr().expect("an address").to_string());
            listeners.push(listener);
        }
        let (stop, stopped) = oneshot::channel();
        let options = Options { seed: 5, rate: 0 };
        let served = tokio::spawn(serve(listeners, options, async {
            let _ = stopped.await;
        }));
        Self {
            addresses,
            stop,
            served,
        }
    }

    async fn socket(&self, at: usize, path: &str) -> Socket {
        let url = format!("ws://{}{path}", self.addresses[at]);
        connect_async(url).await.expect("a websocket").0
    }

    async fn call(&self, path: &str) -> (u16, Value) {
        let url = format!("http://{}{path}", self.addresses[0]);
        let answer = reqwest::get(url).await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn control(&self, wish: &Value) {
        let url = format!("http://{}/control", self.addresses[1]);
        let sent = reqwest::Client::new().post(url).json(wish).send();
        assert_eq!(sent.await.expect("an answer").status(), 200, "{wish}");
    }

    /// Has at least so many more trades made for the dearest pair; its last id.
    async fn trade(&self, many: u64) -> u64 {
        let last = async || self.call("/control/counts").await.1["last_id"]["BTCUSDT"].as_u64();
        let before = last().await.expect("a number");
        self.control(&json!({"rate": 2_000})).await;
        while last().await.expect("a number") < before + many {}
        self.control(&json!({"rate": 0})).await;
        last().await.expect("a number")
    }
}

/// The events up to that id.
async fn events(socket: &mut Socket, last: u64) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let message = socket.next().await.expect("more").expect("a message");
        if let Ok(event) = serde_json::from_slice::<Value>(&message.into_data()) {
            let id = event["t"].as_u64();
            events.push(event);
            if id == Some(last) {
                return events;
            }
        }
    }
}

fn ids(events: &[Value]) -> Vec<u64> {
    events
        .iter()
        .filter_map(|event| event["t"].as_u64())
        .collect()
}

#[tokio::test]
async fn what_is_sent_is_what_is_counted() {
    let exchange = Running::start().await;
    let mut raw = exchange.socket(0, "/ws").await;
    let order = r#"{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}"#;
    raw.send(Message::text(order)).await.expect("an order");
    let answer = raw.next().await.expect("an answer").expect("a message");
    assert_eq!(answer, Message::text(r#"{"result":null,"id":1}"#));
    let mut combined = exchange
        .socket(1, "/stream?streams=btcusdt@trade/ethbtc@trade")
        .await;
    let last = exchange.trade(500).await;

    let events = events(&mut raw, last).await;
    assert_eq!(ids(&events), (1..=last).collect::<Vec<u64>>());
    let mut others = 0;
    for event in &events {
        loop {
            let message = combined.next().await.expect("more").expect("a message");
            let wrapped: Value = serde_json::from_slice(&message.into_data()).expect("JSON");
            if wrapped["stream"] == "btcusdt@trade" {
                assert_eq!(&wrapped["data"], event);
                break;
            }
            assert_eq!(wrapped["data"]["s"], "ETHBTC");
            others += 1;
        }
    }
    assert!(others > 0);

    let amount = |event: &Value| event["q"].as_str()?.replace('.', "").parse::<u64>().ok();
    let sum: u64 = events.iter().filter_map(amount).sum();
    let (_, counts) = exchange.call("/control/counts").await;
    assert_eq!(counts["count"]["BTCUSDT"], last);
    assert_eq!(counts["amount_e8"]["BTCUSDT"], sum.to_string());
    let (_, past) = exchange
        .call("/api/v3/historicalTrades?symbol=BTCUSDT&fromId=3&limit=2")
        .await;
    assert_eq!(past.as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&past[0]["id"], &past[0]["price"]),
        (&json!(3), &events[2]["p"])
    );

    exchange.stop.send(()).expect("a stop");
    exchange.served.await.expect("an end").expect("a good end");
    assert!(raw.next().await.is_none_or(|last| last.is_err()));
}

#[tokio::test]
async fn faults_strike_the_stream() {
    let exchange = Running::start().await;
    let mut socket = exchange.socket(0, "/ws/btcusdt@trade").await;
    exchange.control(&json!({"drop": 100})).await;
    let last = exchange.trade(100).await;
    let got = ids(&events(&mut socket, last).await);
    assert!(got[0] > 20 && got.len() > 20, "{got:?}");

    exchange.control(&json!({"malformed": 100})).await;
    let next = exchange.trade(100).await;
    let got = ids(&events(&mut socket, next).await);
    assert!(u64::try_from(got.len()).is_ok_and(|many| many < next - last - 20));

    exchange.control(&json!({"silence": 3600})).await;
    let silent = exchange.trade(100).await;
    exchange.control(&json!({"silence": 0})).await;
    let last = exchange.trade(10).await;
    let got = ids(&events(&mut socket, last).await);
    assert!(got[0] > silent, "{} was sent in the silence", got[0]);
    let path = format!("/api/v3/historicalTrades?symbol=BTCUSDT&fromId={silent}&limit=1");
    assert_eq!(exchange.call(&path).await.1[0]["id"], silent);

    exchange
        .control(&json!({"refuse": 3600, "disconnect": true}))
        .await;
    while let Some(Ok(_)) = socket.next().await {}
    let url = format!("ws://{}/ws", exchange.addresses[0]);
    let refused = connect_async(&url).await.expect_err("a refusal");
    assert!(refused.to_string().contains("503"), "{refused}");
    exchange.control(&json!({"refuse": 0})).await;
    exchange.socket(0, "/ws").await;
}

#[tokio::test]
async fn rest_calls_meet_faults_and_refusals() {
    let exchange = Running::start().await;
    let refused = exchange
        .call("/api/v3/klines?symbol=BTCEUR&interval=1m")
        .await;
    assert_eq!(
        refused,
        (400, json!({"code": -1121, "msg": "Invalid symbol."}))
    );
    exchange.control(&json!({"limit": 1})).await;
    assert_eq!(exchange.call("/api/v3/ping").await.0, 429);
    assert_eq!(exchange.call("/api/v3/ping").await, (200, json!({})));
    exchange.control(&json!({"down": 3600})).await;
    assert_eq!(exchange.call("/api/v3/ticker/price").await.0, 503);
    assert_eq!(
        exchange.call("/control/requests").await.1,
        json!({"/api/v3/klines": 1, "/api/v3/ping": 2, "/api/v3/ticker/price": 1})
    );
    exchange.control(&json!({"down": 0})).await;
    let (_, prices) = exchange.call("/api/v3/ticker/price").await;
    assert_eq!(prices.as_array().map(Vec::len), Some(14));
}

#[tokio::test]
async fn slack_keeps_what_is_posted() {
    let exchange = Running::start().await;
    let at = |path: &str| format!("http://{}/slack/{path}", exchange.addresses[0]);
    let client = reqwest::Client::new();
    let method = async |name: &str, token: &str, arguments: Value| -> Value {
        let url = at(&format!("api/{name}"));
        let sent = client.post(url).bearer_auth(token).json(&arguments).send();
        let answer = sent.await.expect("an answer");
        answer.json().await.expect("JSON")
    };
    for (token, arguments, error) in [
        ("bad", json!({"channel": "C1", "text": "a"}), "invalid_auth"),
        (
            "good",
            json!({"channel": "nowhere", "text": "a"}),
            "channel_not_found",
        ),
        ("good", json!({"channel": "C1"}), "no_text"),
    ] {
        let answer = method("chat.postMessage", token, arguments).await;
        assert_eq!(answer, json!({"ok": false, "error": error}));
    }
    let arguments = json!({"channel": "C1", "text": "a"});
    assert_eq!(
        method("chat.postMessage", "good", arguments).await["ok"],
        true
    );

    let arguments = json!({"filename": "a.txt", "length": 3});
    let url = method("files.getUploadURLExternal", "good", arguments).await;
    let upload = url["upload_url"].as_str().expect("an address");
    let uploaded = client
        .post(upload)
        .body("abc")
        .send()
        .await
        .expect("an answer");
    assert_eq!(uploaded.text().await.expect("a text"), "OK - 3");
    let arguments = json!({"files": [{"id": url["file_id"]}], "channel_id": "C1"});
    assert_eq!(
        method("files.completeUploadExternal", "good", arguments).await["ok"],
        true
    );

    for (body, status, text) in [
        (r#"{"text":"b"}"#, 200, "ok"),
        ("text", 400, "invalid_payload"),
        ("{}", 400, "no_text"),
        (
            r#"{"text":"b","channel":"nowhere"}"#,
            404,
            "channel_not_found",
        ),
    ] {
        let sent = client.post(at("webhook/T/B/key")).body(body).send();
        let answer = sent.await.expect("an answer");
        assert_eq!(answer.status(), status, "{body}");
        assert_eq!(answer.text().await.expect("a text"), text);
    }
    let (_, posted) = exchange.call("/control/slack").await;
    assert_eq!(
        posted["posts"],
        json!([
            {"via": "api", "channel": "C1", "text": "a"},
            {"via": "webhook", "channel": null, "text": "b"},
        ])
    );
    assert_eq!(posted["files"][0]["name"], "a.txt");
}
