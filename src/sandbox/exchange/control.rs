//! The exchange's own requests, beside Binance's: faults, counts, and what was asked and posted.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::faults::{Shown, Wish};
use super::floor::Exchange;
use super::tape::Count;

/// The routes.
pub(super) fn routes() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/control", get(shown).post(take))
        .route("/control/counts", get(counts))
        .route("/control/requests", get(requests))
        .route("/control/slack", get(posted).delete(forget))
        .route("/control/slack/files/{number}", get(file))
}

async fn shown(Shared(exchange): Shared<Arc<Exchange>>) -> Json<Shown> {
    Json(exchange.shown())
}

async fn take(Shared(exchange): Shared<Arc<Exchange>>, body: Bytes) -> Response {
    let wish = serde_json::from_slice::<Wish>(&body).map_err(|error| error.to_string());
    match wish.and_then(|wish| exchange.take(&wish)) {
        Ok(()) => Json(exchange.shown()).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response(),
    }
}

async fn counts(Shared(exchange): Shared<Arc<Exchange>>) -> Json<Value> {
    let counts = exchange.counts();
    let by_symbol = |value: fn(&Count) -> Value| -> Map<String, Value> {
        let one = |count: &Count| (count.symbol.to_owned(), value(count));
        counts.iter().map(one).collect()
    };
    Json(json!({
        // Ids begin with 1 and have no gap.
        "count": by_symbol(|count| count.last_id.into()),
        "amount_e8": by_symbol(|count| count.amount.to_string().into()),
        "last_id": by_symbol(|count| count.last_id.into()),
    }))
}

async fn requests(Shared(exchange): Shared<Arc<Exchange>>) -> Json<Value> {
    Json(json!(exchange.requests.all()))
}

async fn posted(Shared(exchange): Shared<Arc<Exchange>>) -> Json<Value> {
    Json(exchange.slack.posted())
}

async fn forget(Shared(exchange): Shared<Arc<Exchange>>) -> StatusCode {
    exchange.slack.forget();
    StatusCode::NO_CONTENT
}

async fn file(Shared(exchange): Shared<Arc<Exchange>>, Path(number): Path<usize>) -> Response {
    match exchange.slack.file(number) {
        Some(bytes) => ([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
