//! The way to the emulator.

use axum::body::Bytes;
use axum::http::Method;
use axum::http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, SERVER, TRANSFER_ENCODING,
};
use axum::http::request::Parts;

use super::call::Call;
use super::reply::Reply;
use crate::base::{Result, ResultExt};

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
    pub(crate) async fn send(&self, call: &Call, parts: &Parts, body: impl Into<Bytes>) -> Reply {
        let mut request = self
            .http
            .request(
                parts.method.clone(),
                format!("{}{}", self.endpoint, call.path),
            )
            .body(reqwest::Body::from(body.into()));
        for (name, value) in &parts.headers {
            if ![HOST, CONTENT_LENGTH, CONNECTION, TRANSFER_ENCODING].contains(name) {
                request = request.header(name, value);
            }
        }
        match receive(request, parts.method == Method::HEAD).await {
            Ok(reply) => reply,
            Err(cause) => {
                let message = format!("the emulator does not answer: {cause}");
                Reply::error(call, 503, "ServiceUnavailable", &message)
            }
        }
    }
}

async fn receive(request: reqwest::RequestBuilder, head: bool) -> reqwest::Result<Reply> {
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
    let body = response.bytes().await?.to_vec();
    Ok(Reply {
        status,
        content_type,
        code: Reply::find_code(status, &body),
        rule: None,
        headers,
        body,
    })
}
