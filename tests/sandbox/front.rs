//! Stands before the emulator and keeps client tokens as EC2 does; loses answers and hides
//! instances when told to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

/// The server; its state can be looked at and set.
pub(crate) struct Front {
    pub(crate) endpoint: String,
    pub(crate) state: Arc<Shared>,
}

/// What it knows and what it is told to do.
pub(crate) struct Shared {
    behind: String,
    client: reqwest::Client,
    /// Launches by token: the request's parameters and the answer.
    launches: Mutex<HashMap<String, (String, Bytes)>>,
    /// How many answers to launches are lost on the way.
    pub(crate) lose_answers: AtomicUsize,
    /// How many listings of instances see none.
    pub(crate) blind: AtomicUsize,
}

impl Shared {
    /// The tokens that launched something.
    pub(crate) fn launched(&self) -> Vec<String> {
        self.launches.lock().unwrap().keys().cloned().collect()
    }
}

fn takes(counter: &AtomicUsize) -> bool {
    let less = |count: usize| count.checked_sub(1);
    counter
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        .is_ok()
}

impl Front {
    pub(crate) async fn before(behind: &str) -> Self {
        let state = Arc::new(Shared {
            behind: behind.to_owned(),
            client: reqwest::Client::new(),
            launches: Mutex::default(),
            lose_answers: AtomicUsize::new(0),
            blind: AtomicUsize::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { endpoint, state }
    }
}

async fn answer(State(state): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let params: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let param = |name: &str| params.get(name).cloned().unwrap_or_default();
    match param("Action").as_str() {
        "DescribeInstances" if takes(&state.blind) => {
            let none = "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>";
            none.into_response()
        }
        "RunInstances" => {
            let (token, data) = (param("ClientToken"), param("UserData"));
            let before = state.launches.lock().unwrap().get(&token).cloned();
            match before {
                Some((same, answer)) if same == data => answer.into_response(),
                Some(_) => {
                    let error = "<Response><Errors><Error>\
                         <Code>IdempotentParameterMismatch</Code><Message>other parameters\
                         </Message></Error></Errors><RequestID>r</RequestID></Response>";
                    (StatusCode::BAD_REQUEST, error).into_response()
                }
                None => {
                    let answer = forward(&state, headers, body).await;
                    let kept = (data, answer.clone());
                    state.launches.lock().unwrap().insert(token, kept);
                    if takes(&state.lose_answers) {
                        return StatusCode::BAD_GATEWAY.into_response();
                    }
                    answer.into_response()
                }
            }
        }
        _ => forward_whole(&state, headers, body).await,
    }
}

async fn forward(state: &Shared, headers: HeaderMap, body: Bytes) -> Bytes {
    let response = state
        .client
        .post(&state.behind)
        .headers(headers)
        .body(body)
        .send()
        .await;
    let response = response.unwrap();
    assert!(response.status().is_success());
    response.bytes().await.unwrap()
}

async fn forward_whole(state: &Shared, headers: HeaderMap, body: Bytes) -> Response {
    let response = state
        .client
        .post(&state.behind)
        .headers(headers)
        .body(body)
        .send()
        .await;
    let response = response.unwrap();
    let status = StatusCode::from_u16(response.status().as_u16()).unwrap();
    (status, response.bytes().await.unwrap()).into_response()
}
