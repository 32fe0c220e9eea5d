//! The exchange's REST calls.
//!
//! Source: Binance Spot API documentation, "General endpoints" and "Market Data endpoints".

use std::sync::Arc;

use axum::extract::{Query as Sent, Request, State as Shared};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::decimal::written;
use super::faults::Gate;
use super::floor::{Exchange, wall_clock};
use super::klines::{self, Range};
use super::pairs::{PAIRS, Pair};
use super::query::{Choice, Query};
use super::refusal::Refusal;
use super::ticker;

type Parameters = Sent<Vec<(String, String)>>;
type Answer = Result<Json<Value>, Refusal>;

/// The routes.
pub(super) fn routes(exchange: &Arc<Exchange>) -> Router<Arc<Exchange>> {
    Router::new()
        .route("/api/v3/ping", get(async || Json(json!({}))))
        .route("/api/v3/time", get(time))
        .route("/api/v3/exchangeInfo", get(exchange_info))
        .route("/api/v3/klines", get(klines))
        .route("/api/v3/ticker/price", get(prices))
        .route("/api/v3/ticker/24hr", get(days))
        .route("/api/v3/trades", get(trades))
        .route("/api/v3/historicalTrades", get(trades))
        .route("/api/{*other}", any(async || StatusCode::NOT_FOUND))
        .route_layer(from_fn_with_state(Arc::clone(exchange), gate))
}

/// Counts a call and has it meet the faults that were asked for.
async fn gate(Shared(exchange): Shared<Arc<Exchange>>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    let query = uri.query().unwrap_or_default();
    let used = exchange.requests.note(uri.path(), query, wall_clock());
    let mut response = match exchange.gate() {
        Gate::Open => next.run(request).await,
        Gate::Down => Refusal::Down.into_response(),
        Gate::Limited => Refusal::Limited.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert("x-mbx-used-weight-1m", HeaderValue::from(used));
    response
}

async fn time() -> Json<Value> {
    Json(json!({"serverTime": wall_clock()}))
}

async fn exchange_info(Sent(sent): Parameters) -> Answer {
    let query = Query::of(sent, &["symbol", "symbols"])?;
    let places = match query.choice()? {
        Choice::One(place) => vec![place],
        Choice::Many(places) => places,
    };
    let symbols: Vec<Value> = places
        .into_iter()
        .map(|place| info(&PAIRS[place]))
        .collect();
    Ok(Json(json!({
        "timezone": "UTC",
        "serverTime": wall_clock(),
        "rateLimits": [{
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": 6000,
        }],
        "exchangeFilters": [],
        "symbols": symbols,
    })))
}

fn info(pair: &Pair) -> Value {
    json!({
        "symbol": pair.symbol,
        "status": "TRADING",
        "baseAsset": pair.base.name(),
        "baseAssetPrecision": 8,
        "quoteAsset": pair.quote.name(),
        "quoteAssetPrecision": 8,
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": written(pair.tick)},
            {"filterType": "LOT_SIZE", "stepSize": written(pair.base.step())},
        ],
    })
}

async fn klines(Shared(exchange): Shared<Arc<Exchange>>, Sent(sent): Parameters) -> Answer {
    let known = ["symbol", "interval", "startTime", "endTime", "limit"];
    let query = Query::of(sent, &known)?;
    let (place, interval) = (query.place()?, query.interval()?);
    let range = Range {
        from: query.number("startTime")?,
        to: query.number("endTime")?,
        limit: usize::try_from(query.limit()?).unwrap_or_default(),
    };
    let pair = &PAIRS[place];
    let klines = klines::within(exchange.market, pair, interval, range, wall_clock());
    Ok(Json(klines.iter().map(klines::Kline::row).collect()))
}

async fn prices(Shared(exchange): Shared<Arc<Exchange>>, Sent(sent): Parameters) -> Answer {
    let now = wall_clock();
    chosen(sent, |place| {
        ticker::price(exchange.market, &PAIRS[place], now)
    })
}

async fn days(Shared(exchange): Shared<Arc<Exchange>>, Sent(sent): Parameters) -> Answer {
    let now = wall_clock();
    let counts = exchange.counts();
    chosen(sent, |place| {
        ticker::day(exchange.market, &PAIRS[place], now, counts[place].last_id)
    })
}

/// One object for one symbol, an array for several or all.
fn chosen(sent: Vec<(String, String)>, object: impl Fn(usize) -> Value) -> Answer {
    Ok(Json(
        match Query::of(sent, &["symbol", "symbols"])?.choice()? {
            Choice::One(place) => object(place),
            Choice::Many(places) => places.into_iter().map(object).collect(),
        },
    ))
}

/// Both calls for trades: the one of the past takes `fromId`, too.
async fn trades(
    Shared(exchange): Shared<Arc<Exchange>>,
    Sent(sent): Parameters,
    request: Request,
) -> Answer {
    let known: &[&str] = if request.uri().path().ends_with("/historicalTrades") {
        &["symbol", "limit", "fromId"]
    } else {
        &["symbol", "limit"]
    };
    let query = Query::of(sent, known)?;
    let trades = exchange.trades(query.place()?, query.number("fromId")?, query.limit()?);
    Ok(Json(trades.iter().map(super::trade::Trade::row).collect()))
}
