//! A stand-in for the parts of Slack that messages and files are posted by.
//!
//! Sources: Slack's documentation of the methods `chat.postMessage`, `files.getUploadURLExternal`,
//! `files.completeUploadExternal` and `auth.test`, and "Sending messages using incoming webhooks".

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State as Shared};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::floor::{Exchange, wall_clock};
use super::slack::{Post, Via};
use super::slack_form::{Form, file_in};

/// The largest file that is taken.
const LARGEST: usize = 20 * 1_048_576;
/// The longest text that Slack takes, in characters.
const LONGEST: usize = 40_000;

type Answer = Result<Value, &'static str>;

/// The routes.
pub(super) fn routes() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/slack/api/{method}", post(method).get(method))
        .route("/slack/upload/{id}", post(upload))
        .route("/slack/webhook/{*any}", post(webhook))
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// Every method answers with 200, and says in `ok` whether it worked.
async fn method(
    Shared(exchange): Shared<Arc<Exchange>>,
    Path(method): Path<String>,
    request: Request,
) -> Json<Value> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST)
        .await
        .unwrap_or_default();
    let form = Form::read(&parts, &body);
    let answer = form.and_then(|form| {
        authorized(&parts.headers, &form)?;
        match method.as_str() {
            "auth.test" => Ok(identity()),
            "chat.postMessage" => post_message(&exchange, &form),
            "files.getUploadURLExternal" => announce(&exchange, &form, &parts.headers),
            "files.completeUploadExternal" => share(&exchange, &form),
            _ => Err("unknown_method"),
        }
    });
    Json(answer.unwrap_or_else(|error| json!({"ok": false, "error": error})))
}

fn authorized(headers: &HeaderMap, form: &Form) -> Result<(), &'static str> {
    let header = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    let token = token.map(str::to_owned).or_else(|| form.text("token"));
    match token.as_deref().map(str::trim) {
        None | Some("" | "bad") => Err("invalid_auth"),
        Some(_) => Ok(()),
    }
}

fn identity() -> Value {
    json!({
        "ok": true,
        "url": "https://sandbox.slack.com/",
        "team": "Sandbox",
        "user": "tidewalk",
        "team_id": "T0000000001",
        "user_id": "U0000000001",
        "bot_id": "B0000000001",
    })
}

fn post_message(exchange: &Exchange, form: &Form) -> Answer {
    let channel = form.text("channel").filter(|channel| is_there(channel));
    let channel = channel.ok_or("channel_not_found")?;
    let text = said(form).ok_or("no_text")?;
    if text.chars().count() > LONGEST {
        return Err("msg_too_long");
    }
    let number = exchange.slack.post(Post {
        via: Via::Api,
        channel: Some(channel.clone()),
        text: text.clone(),
    });
    let stamp = format!("{}.{number:06}", wall_clock() / 1_000);
    Ok(json!({
        "ok": true,
        "channel": channel,
        "ts": stamp,
        "message": {
            "type": "message",
            "subtype": "bot_message",
            "text": text,
            "ts": stamp,
            "bot_id": "B0000000001",
        },
    }))
}

/// What a message says: its text, or else that it has something else to show.
fn said(form: &Form) -> Option<String> {
    let text = form.text("text").filter(|text| !text.is_empty());
    let shows = ["blocks", "attachments"]
        .into_iter()
        .any(|name| form.has(name));
    text.or_else(|| shows.then(String::new))
}

fn is_there(channel: &str) -> bool {
    !channel.is_empty() && !channel.contains("nowhere")
}

fn announce(exchange: &Exchange, form: &Form, headers: &HeaderMap) -> Answer {
    let name = form.text("filename").filter(|name| !name.is_empty());
    let length = form.text("length").and_then(|length| length.parse().ok());
    let (Some(name), Some(length @ 1..)) = (name, length) else {
        return Err("invalid_arguments");
    };
    let id = exchange.slack.announce(name, length);
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    let host = host.unwrap_or("127.0.0.1");
    Ok(json!({
        "ok": true,
        "upload_url": format!("http://{host}/slack/upload/{id}"),
        "file_id": id,
    }))
}

fn share(exchange: &Exchange, form: &Form) -> Answer {
    let files = form.list("files").ok_or("invalid_arguments")?;
    let id = |file: &Value| file["id"].as_str().map(str::to_owned);
    let ids: Option<Vec<String>> = files.iter().map(id).collect();
    let ids = ids.filter(|ids| !ids.is_empty());
    let ids = ids.ok_or("invalid_arguments")?;
    let channel = form.text("channel_id").or_else(|| form.text("channels"));
    if channel.as_deref().is_some_and(|channel| !is_there(channel)) {
        return Err("channel_not_found");
    }
    let comment = form.text("initial_comment");
    exchange
        .slack
        .share(&ids, channel.as_deref(), comment.as_deref())?;
    Ok(json!({"ok": true, "files": files}))
}

async fn upload(
    Shared(exchange): Shared<Arc<Exchange>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let content = file_in(&headers, body);
    let bytes = content.len();
    match exchange.slack.upload(&id, content) {
        Ok(()) => format!("OK - {bytes}").into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error).into_response(),
    }
}

async fn webhook(
    Shared(exchange): Shared<Arc<Exchange>>,
    Path(any): Path<String>,
    request: Request,
) -> (StatusCode, &'static str) {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST)
        .await
        .unwrap_or_default();
    let Some(form) = Form::payload(&parts, &body) else {
        return (StatusCode::BAD_REQUEST, "invalid_payload");
    };
    let channel = form.text("channel");
    if !is_there(&any) {
        return (StatusCode::NOT_FOUND, "no_service");
    }
    if channel.as_deref().is_some_and(|channel| !is_there(channel)) {
        return (StatusCode::NOT_FOUND, "channel_not_found");
    }
    let Some(text) = said(&form) else {
        return (StatusCode::BAD_REQUEST, "no_text");
    };
    exchange.slack.post(Post {
        via: Via::Webhook,
        channel,
        text,
    });
    (StatusCode::OK, "ok")
}
