//! Fetches trades that were missed, by REST, one page after the other.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{Sender, UnboundedReceiver};
use tokio::time::{Instant, sleep, sleep_until};

use crate::backoff::Backoff;
use crate::event::Event;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::pairs::Pairs;
use crate::say::{Stop, causes, say};
use crate::sequence::{Ask, Page};

/// As many as the exchange gives at once
const PAGE: usize = 1000;

/// The longest that an exchange may keep us waiting by `Retry-After`
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Asks the exchange's REST interface
pub(crate) struct History {
    client: Client,
    url: String,
    key: Option<String>,
    give_up: Duration,
    pairs: Arc<Pairs>,
    metrics: Arc<Metrics>,
}

/// Why a page did not come
enum Miss {
    /// It would not come the next time, either
    Never(String),
    /// The exchange says when it may be asked again
    Wait(Duration, String),
    Later(String),
}

impl History {
    pub(crate) fn new(
        options: &Options,
        pairs: Arc<Pairs>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Stop> {
        let client = Client::builder()
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| {
                Stop::Failed(format!(
                    "setting up TLS: {error}; are CA certificates installed?"
                ))
            })?;
        Ok(Self {
            client,
            url: format!(
                "{}/api/v3/historicalTrades",
                options.exchange_url.trim_end_matches('/')
            ),
            key: options.exchange_api_key.clone(),
            give_up: options.give_up,
            pairs,
            metrics,
        })
    }

    /// Answers requests as they come due, one at a time: exchanges count what they are asked
    pub(crate) async fn serve(
        self,
        mut asks: UnboundedReceiver<Ask>,
        pages: Sender<Page>,
    ) -> Result<(), Stop> {
        let mut due: Vec<(Instant, Ask)> = Vec::new();
        loop {
            let next = (0..due.len()).min_by_key(|index| due[*index].0);
            let when = next.map_or_else(Instant::now, |index| due[index].0);
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(ask) => due.push((Instant::now() + ask.delay, ask)),
                    None => return Ok(()),
                },
                () = sleep_until(when), if next.is_some() => if let Some(index) = next {
                    let (_, ask) = due.remove(index);
                    let page = self.page(ask).await?;
                    if pages.send(page).await.is_err() {
                        return Ok(());
                    }
                },
            }
        }
    }

    /// Tries until a page comes
    async fn page(&self, ask: Ask) -> Result<Page, Stop> {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(15));
        let mut failing = Instant::now();
        let name = self.pairs.name(ask.pair);
        loop {
            let (pause, why) = match self.fetch(name, ask).await {
                Ok(page) => return Ok(page),
                Err(Miss::Never(why)) => {
                    return Err(Stop::Failed(format!(
                        "fetching missed trades of {name}: {why}"
                    )));
                }
                Err(Miss::Wait(pause, why)) => {
                    // Being told to wait is no failure
                    failing = Instant::now() + pause;
                    (pause, why)
                }
                Err(Miss::Later(why)) => (backoff.pause(), why),
            };
            let failed = Instant::now().saturating_duration_since(failing);
            if failed >= self.give_up {
                return Err(Stop::Failed(format!(
                    "fetching missed trades of {name} has failed for {:.0} s: {why}; see whether {} can be reached",
                    failed.as_secs_f64(),
                    self.url
                )));
            }
            self.metrics.retries.add(1);
            say(format_args!(
                "fetching missed trades of {name}: {why}; trying again in {:.1} s",
                pause.as_secs_f64()
            ));
            sleep(pause).await;
        }
    }

    async fn fetch(&self, name: &str, ask: Ask) -> Result<Page, Miss> {
        let url = format!(
            "{}?symbol={name}&fromId={}&limit={PAGE}",
            self.url, ask.from
        );
        let mut request = self.client.get(url);
        if let Some(key) = &self.key {
            request = request.header("X-MBX-APIKEY", key);
        }
        let response = request
            .send()
            .await
            .map_err(|error| Miss::Later(causes(&error)))?;
        if !response.status().is_success() {
            return Err(miss(response).await);
        }
        let body = response
            .bytes()
            .await
            .map_err(|error| Miss::Later(causes(&error)))?;
        let past: Vec<Past> = serde_json::from_slice(&body)
            .map_err(|error| Miss::Later(format!("the answer is no list of trades ({error})")))?;
        let full = past.len() >= PAGE;
        let mut events: Vec<_> = past.iter().filter_map(|past| past.event(name)).collect();
        events.sort_by_key(|event| event.id);
        Ok(Page { ask, events, full })
    }
}

/// What an error of the exchange means
async fn miss(response: Response) -> Miss {
    let status = response.status();
    let wait = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let body = response.text().await.unwrap_or_default();
    let words: String = body.trim().chars().take(200).collect();
    let why = format!("the exchange answers {status} {words}");
    match (status, wait) {
        // 418 is Binance's ban of those who went on after a 429
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::IM_A_TEAPOT, Some(wait)) => {
            Miss::Wait(wait.min(LONGEST_WAIT), why)
        }
        (StatusCode::UNAUTHORIZED, _) => Miss::Never(format!(
            "{why}; set EXCHANGE_API_KEY to a key that may read"
        )),
        (StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND, _) => {
            Miss::Never(format!("{why}; are the pair and EXCHANGE_URL right?"))
        }
        _ => Miss::Later(why),
    }
}

/// A trade as the REST interface has it
#[derive(Deserialize)]
struct Past<'a> {
    id: u64,
    price: &'a str,
    qty: &'a str,
    time: u64,
    #[serde(rename = "isBuyerMaker")]
    buyer_is_maker: bool,
    #[serde(rename = "isBestMatch")]
    best_match: bool,
}

/// The same as the stream has it, without the order ids, which are not told
#[derive(Serialize)]
struct Line<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    sent: u64,
    s: &'a str,
    t: u64,
    p: &'a str,
    q: &'a str,
    #[serde(rename = "T")]
    time: u64,
    m: bool,
    #[serde(rename = "M")]
    best_match: bool,
}

impl Past<'_> {
    fn event(&self, name: &str) -> Option<Event> {
        let line = Line {
            e: "trade",
            sent: self.time,
            s: name,
            t: self.id,
            p: self.price,
            q: self.qty,
            time: self.time,
            m: self.buyer_is_maker,
            best_match: self.best_match,
        };
        Some(Event {
            id: self.id,
            time: self.time,
            line: serde_json::to_string(&line).ok()?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetched_trade_looks_like_one_of_the_stream() {
        let past = r#"{"id":5,"price":"8300.10000000","qty":"0.00120000","quoteQty":"9.96","time":1600000000122,"isBuyerMaker":true,"isBestMatch":false}"#;
        let event = serde_json::from_str::<Past>(past)
            .unwrap()
            .event("BTCUSDT")
            .unwrap();
        let line = r#"{"e":"trade","E":1600000000122,"s":"BTCUSDT","t":5,"p":"8300.10000000","q":"0.00120000","T":1600000000122,"m":true,"M":false}"#;
        assert_eq!(
            (event.id, event.time, &*event.line),
            (5, 1_600_000_000_122, line)
        );
        let pairs = Pairs::new(["BTCUSDT".into()]);
        assert!(crate::event::Frame::read(line, &pairs).is_some());
    }
}
