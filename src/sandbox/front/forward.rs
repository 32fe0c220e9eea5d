//! The way to the emulator.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Method;
use axum::http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, EXPECT, HOST, SERVER, TRANSFER_ENCODING,
};
use axum::http::request::Parts;

use super::call::Call;
use super::reply::Reply;
use crate::base::{Result, ResultExt};

/// What S3 holds passes through piece by piece from this size on.
const LARGE: u64 = 1 << 20;

/// Sends requests on to the emulator.
pub(crate) struct Forward {
    http: reqwest::Client,
    endpoint: String,
}

impl Forward {
    /// To the emulator at `endpoint`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub(crate) fn new(endpoint: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            // A redirection is the caller's to follow.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("setting up the way to the emulator")?;
        Ok(Self {
            http,
            endpoint: endpoint.to_owned(),
        })
    }

    /// Whether the emulator answers.
    pub(crate) async fn is_alive(&self) -> bool {
        let url = format!("{}/moto-api/", self.endpoint);
        self.http.get(url).send().await.is_ok()
    }

    /// Sends a request on, with `body` for its body.
    pub(crate) async fn send(
        &self,
        call: &Call,
        parts: &Parts,
        body: impl Into<reqwest::Body>,
    ) -> Reply {
        let body = body.into();
        // What comes piece by piece does not know its length.
        let length = parts.headers.get(CONTENT_LENGTH);
        let length = length.filter(|_| body.as_bytes().is_none());
        let mut request = self
            .http
            .request(
                parts.method.clone(),
                format!("{}{}", self.endpoint, call.path),
            )
            .body(body);
        if let Some(length) = length {
            request = request.header(CONTENT_LENGTH, length);
        }
        for (name, value) in &parts.headers {
            if ![HOST, CONTENT_LENGTH, CONNECTION, EXPECT, TRANSFER_ENCODING].contains(name) {
                request = request.header(name, value);
            }
        }
        let is_object = call.service == "s3" && call.action == "GetObject";
        match receive(request, parts.method == Method::HEAD, is_object).await {
            Ok(reply) => reply,
            Err(cause) => {
                let message = format!("the emulator does not answer: {cause}");
                Reply::error(call, 503, "ServiceUnavailable", &message)
            }
        }
    }
}

async fn receive(
    request: reqwest::RequestBuilder,
    head: bool,
    is_object: bool,
) -> reqwest::Result<Reply> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let mut headers = response.headers().clone();
    let content_type = headers
        .remove(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok().map(str::to_owned))
        .unwrap_or_else(|| "text/xml".to_owned());
    for name in [CONNECTION, TRANSFER_ENCODING, DATE, SERVER] {
        headers.remove(name);
    }
    if !head {
        headers.remove(CONTENT_LENGTH);
    }
    let length = response.content_length();
    if is_object && status < 300 && length.is_some_and(|it| it >= LARGE) {
        headers.extend(length.map(|it| (CONTENT_LENGTH, it.into())));
        let stream = Body::from_stream(response.bytes_stream());
        return Ok(Reply {
            status,
            content_type,
            headers,
            stream: Some(Arc::new(Mutex::new(stream))),
            ..Reply::default()
        });
    }
    let body = response.bytes().await?.to_vec();
    Ok(Reply {
        status,
        content_type,
        code: Reply::find_code(status, &body),
        headers,
        body,
        ..Reply::default()
    })
}
