//! A Kinesis stream that answers `PutRecords` as a test tells it: real ones refuse records only under load.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::program::{parse, within};

/// How a request is answered
#[derive(Clone)]
pub(crate) enum Plan {
    /// The records at these places are refused, all others taken
    Refuse(Vec<usize>),
    /// The whole request fails: status, code
    Fail(u16, &'static str),
}

/// The stream
pub(crate) struct Stream {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    plans: Mutex<VecDeque<Plan>>,
    seen: Mutex<Seen>,
    changed: Notify,
}

/// What came
#[derive(Default, Clone)]
pub(crate) struct Seen {
    /// Partition keys and lines, in the order in which they were taken
    pub(crate) taken: Vec<(String, String)>,
    /// The records of each request, taken or not
    pub(crate) requests: Vec<Vec<(String, u64)>>,
}

impl Seen {
    pub(crate) fn ids(&self, pair: &str) -> Vec<u64> {
        let of_pair = self.taken.iter().filter(|(key, _)| key == pair);
        of_pair.map(|(_, line)| parse(line).1).collect()
    }
}

impl Stream {
    /// One that answers by these plans, and takes everything after them
    pub(crate) async fn start(plans: impl IntoIterator<Item = Plan>) -> Self {
        let inner = Arc::new(Inner {
            plans: Mutex::new(plans.into_iter().collect()),
            ..Inner::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(put_records)
            .with_state(inner.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// What had come when it was enough
    pub(crate) async fn until(&self, enough: impl Fn(&Seen) -> bool) -> Seen {
        let waiting = async {
            loop {
                let changed = self.inner.changed.notified();
                let seen = self.inner.seen.lock().unwrap().clone();
                if enough(&seen) {
                    return seen;
                }
                changed.await;
            }
        };
        within("records", waiting).await
    }
}

async fn put_records(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!(headers["x-amz-target"], "Kinesis_20131202.PutRecords");
    let request: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(request["StreamName"], "crypto");
    let records: Vec<_> = request["Records"]
        .as_array()
        .unwrap()
        .iter()
        .map(read)
        .collect();
    let plan = inner
        .plans
        .lock()
        .unwrap()
        .pop_front()
        .unwrap_or(Plan::Refuse(Vec::new()));
    let mut seen = inner.seen.lock().unwrap();
    let ids = records.iter().map(|(_, line)| parse(line)).collect();
    seen.requests.push(ids);
    let answer = match plan {
        Plan::Fail(status, code) => {
            let body = json!({"__type": code, "message": "No."}).to_string();
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        }
        Plan::Refuse(places) => {
            let answers: Vec<_> = (0..records.len())
                .map(|place| answer(places.contains(&place)))
                .collect();
            for (place, record) in records.into_iter().enumerate() {
                if !places.contains(&place) {
                    seen.taken.push(record);
                }
            }
            json!({"FailedRecordCount": places.len(), "Records": answers})
                .to_string()
                .into_response()
        }
    };
    drop(seen);
    inner.changed.notify_waiters();
    answer
}

fn read(record: &Value) -> (String, String) {
    let line = BASE64_STANDARD
        .decode(record["Data"].as_str().unwrap())
        .unwrap();
    (
        record["PartitionKey"].as_str().unwrap().to_owned(),
        String::from_utf8(line).unwrap(),
    )
}

fn answer(refused: bool) -> Value {
    if refused {
        json!({"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"})
    } else {
        json!({"SequenceNumber": "1", "ShardId": "shardId-000000000000"})
    }
}
