//! Measures a streamer: how many trades arrive, how late, which are missing, and what the process takes for it.
//!
//! `meter PID SECONDS` reads JSON lines from standard input; `meter PID SECONDS ADDRESS` is a Kinesis stream there.
//! It measures from the first trade on and writes one JSON object.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Sender, channel};

/// Ticks of a second in `/proc/PID/stat`
const TICKS: f64 = 100.0;

/// Lags above are counted as this many milliseconds
const LONGEST: usize = 60_000;

#[derive(Deserialize)]
struct Trade<'a> {
    s: &'a str,
    t: u64,
    #[serde(rename = "T")]
    time: u64,
}

/// What was measured so far
struct Meter {
    pid: String,
    period: Duration,
    began: Option<(Instant, f64)>,
    trades: u64,
    bytes: u64,
    /// First, last and number of the ids of each pair
    pairs: HashMap<String, (u64, u64, u64)>,
    unordered: u64,
    /// Trades by milliseconds between the trade and its arrival
    lags: Vec<u64>,
    report: Option<Value>,
}

impl Meter {
    fn new(pid: String, period: Duration) -> Self {
        Self {
            pid,
            period,
            began: None,
            trades: 0,
            bytes: 0,
            pairs: HashMap::new(),
            unordered: 0,
            lags: vec![0; LONGEST + 1],
            report: None,
        }
    }

    /// One trade arrived; true when it is enough
    fn take(&mut self, line: &str) -> Result<bool, Box<dyn Error>> {
        let trade: Trade = serde_json::from_str(line)?;
        let (began, cpu) = match self.began {
            Some(began) => began,
            None => *self.began.insert((Instant::now(), cpu_seconds(&self.pid)?)),
        };
        self.trades += 1;
        self.bytes += line.len() as u64 + 1;
        match self.pairs.get_mut(trade.s) {
            None => {
                self.pairs.insert(trade.s.to_owned(), (trade.t, trade.t, 1));
            }
            Some((_, last, count)) => {
                *count += 1;
                self.unordered += u64::from(trade.t <= *last);
                *last = trade.t.max(*last);
            }
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let lag = usize::try_from(now)?.saturating_sub(usize::try_from(trade.time)?);
        self.lags[lag.min(LONGEST)] += 1;
        let took = began.elapsed();
        if took < self.period {
            return Ok(false);
        }
        if self.report.is_none() {
            self.report = Some(self.report(took, cpu)?);
        }
        Ok(true)
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn report(&self, took: Duration, cpu: f64) -> Result<Value, Box<dyn Error>> {
        let missing: u64 = self
            .pairs
            .values()
            .map(|(first, last, count)| (last + 1 - first).saturating_sub(*count))
            .sum();
        Ok(json!({
            "seconds": took.as_secs_f64(),
            "trades": self.trades,
            "per_second": self.trades as f64 / took.as_secs_f64(),
            "megabytes": self.bytes as f64 / 1e6,
            "missing": missing,
            "unordered": self.unordered,
            "p50_ms": self.percentile(50),
            "p99_ms": self.percentile(99),
            "cpu_seconds": cpu_seconds(&self.pid)? - cpu,
            "peak_mib": peak_kib(&self.pid)? as f64 / 1024.0,
        }))
    }

    fn percentile(&self, percent: u64) -> usize {
        let mut left = self.trades * percent / 100;
        self.lags
            .iter()
            .take_while(|count| {
                let enough = **count > left;
                left = left.saturating_sub(**count);
                !enough
            })
            .count()
    }
}

/// User and system time of a process
fn cpu_seconds(pid: &str) -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: Vec<f64> = fields
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// The most memory that a process had resident
fn peak_kib(pid: &str) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .ok_or("no VmHWM")?;
    Ok(kib.parse()?)
}

fn lines(mut meter: Meter) -> Result<Value, Box<dyn Error>> {
    let (mut input, mut line) = (io::stdin().lock(), String::new());
    while input.read_line(&mut line)? > 0 {
        if meter.take(line.trim_end())? {
            break;
        }
        line.clear();
    }
    meter.report.ok_or_else(|| "it ended too early".into())
}

/// What the handler of requests shares
type Shared = Arc<(Mutex<Meter>, Sender<Value>)>;

async fn stream(meter: Meter, address: &str) -> Result<Value, Box<dyn Error>> {
    let (done, mut reports) = channel(1);
    let router = Router::new()
        .fallback(put_records)
        .layer(axum::extract::DefaultBodyLimit::max(16 * 1024 * 1024))
        .with_state(Arc::new((Mutex::new(meter), done)));
    let listener = TcpListener::bind(address).await?;
    tokio::select! {
        served = axum::serve(listener, router) => Err(format!("{served:?}").into()),
        report = reports.recv() => report.ok_or_else(|| "no report".into()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    #[serde(borrow)]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record<'a> {
    data: &'a str,
}

async fn put_records(State(shared): State<Shared>, body: Bytes) -> Result<String, String> {
    let (meter, done) = &*shared;
    let told = |error: Box<dyn Error>| error.to_string();
    let request: Request = serde_json::from_slice(&body).map_err(|error| told(error.into()))?;
    let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
    for record in &request.records {
        let line = BASE64_STANDARD
            .decode(record.data)
            .map_err(|error| told(error.into()))?;
        let enough = meter.take(&String::from_utf8_lossy(&line)).map_err(told)?;
        if let Some(report) = meter.report.as_ref().filter(|_| enough) {
            // One that is there already is the same
            let _ = done.try_send(report.clone());
        }
    }
    let taken = r#"{"SequenceNumber":"49590338271490256608559692538361571095921575989136588898","ShardId":"shardId-000000000000"}"#;
    let answers = vec![taken; request.records.len()].join(",");
    Ok(format!(
        r#"{{"FailedRecordCount":0,"Records":[{answers}]}}"#
    ))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: meter PID SECONDS [ADDRESS]";
    let pid = arguments.next().ok_or(usage)?;
    let period = Duration::from_secs(arguments.next().ok_or(usage)?.parse()?);
    let meter = Meter::new(pid, period);
    let report = match arguments.next() {
        None => lines(meter)?,
        Some(address) => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(stream(meter, &address))?,
    };
    writeln!(io::stdout(), "{report}")?;
    Ok(())
}
