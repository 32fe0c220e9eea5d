//! Serves the exchange.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::floor::Exchange;
use super::orders::Subscriptions;
use super::socket::Session;
use super::{control, rest, slack_api};
use crate::base::{Error, Result, ResultExt};

/// What decides about the trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Prices, quantities and the order of trades belong to it.
    pub seed: u64,
    /// Trades in a second, over all pairs.
    pub rate: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, rate: 20 }
    }
}

/// Serves the same exchange at all listeners until `stop` is done; then all connections end.
///
/// # Errors
/// When a listener fails.
pub async fn serve(
    listeners: Vec<TcpListener>,
    options: Options,
    stop: impl Future<Output = ()> + Send,
) -> Result<()> {
    let exchange = Arc::new(Exchange::new(options.seed, options.rate));
    let router = router(&exchange);
    // They end with this function.
    let mut tasks = JoinSet::new();
    for listener in listeners {
        let listener = listener.tap_io(|stream| {
            // Without it a trade can wait for the answer to the one before.
            let _ = stream.set_nodelay(true);
        });
        let served = axum::serve(listener, router.clone()).into_future();
        tasks.spawn(async move { served.await.context("serving the exchange") });
    }
    let maker = Arc::clone(&exchange);
    tasks.spawn(async move {
        maker.run().await;
        Ok(())
    });
    let ended = tokio::select! {
        () = stop => Ok(()),
        Some(ended) = tasks.join_next() => match ended {
            Ok(Ok(())) => Err(Error::failed("the exchange ended by itself")),
            Ok(Err(error)) => Err(error),
            Err(error) => Err(error).context("serving the exchange"),
        },
    };
    // Websockets are tasks of their own.
    exchange.cut();
    ended
}

pub(super) fn router(exchange: &Arc<Exchange>) -> Router {
    Router::new()
        .route("/ws", get(raw))
        .route("/ws/{*streams}", get(raw_streams))
        .route("/stream", get(combined))
        .merge(rest::routes(exchange))
        .merge(control::routes())
        .merge(slack_api::routes())
        .with_state(Arc::clone(exchange))
}

type Of = Shared<Arc<Exchange>>;

async fn raw(Shared(exchange): Of, upgrade: WebSocketUpgrade) -> Response {
    open(exchange, upgrade, "", false)
}

async fn raw_streams(
    Shared(exchange): Of,
    Path(streams): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    open(exchange, upgrade, &streams, false)
}

/// The query of combined streams.
#[derive(Deserialize)]
struct Streams {
    /// Names with `/` between.
    #[serde(default)]
    streams: String,
}

async fn combined(
    Shared(exchange): Of,
    Query(query): Query<Streams>,
    upgrade: WebSocketUpgrade,
) -> Response {
    open(exchange, upgrade, &query.streams, true)
}

/// Begins a websocket, unless it is refused.
fn open(
    exchange: Arc<Exchange>,
    upgrade: WebSocketUpgrade,
    streams: &str,
    combined: bool,
) -> Response {
    if exchange.refuses() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match Subscriptions::of(streams) {
        Ok(subscriptions) => upgrade.on_upgrade(async move |socket| {
            Session::new(&exchange, socket, subscriptions, combined)
                .run()
                .await;
        }),
        Err(error) => (StatusCode::BAD_REQUEST, error).into_response(),
    }
}
