//! Records of a stream: put, looked at, counted; and trades on their whole way, from the simulated
//! exchange through the streamer, Kinesis, and the counter in R to Redis, none lost and none twice.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidewalk::sandbox::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};

use crate::harness::Beach;
use crate::patience;

const STACK: &str = "stack: crypto
region: eu-west-1
streams: { crypto: { shards: 2 } }
tables: { trade-counter: { partition_key: { name: leaseKey, type: string } } }
";

/// All of it is worked off within this, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(2);

fn stream(beach: &Beach, code: i32, args: &[&str]) -> crate::harness::Ended {
    let args = [&["stream"], args, &["--sandbox"]].concat();
    beach.expect(code, &args)
}

fn made() -> Beach {
    let beach = Beach::without_hosts();
    beach.write("site.yml", STACK);
    beach.expect(0, &["apply", "site.yml", "--sandbox", "--yes"]);
    beach
}

#[test]
fn records_are_put_seen_and_counted() {
    let beach = made();
    let none = stream(&beach, 0, &["peek", "crypto"]);
    assert!(
        none.stderr.contains("no record came to `crypto`"),
        "{}",
        none.stderr
    );

    stream(&beach, 0, &["put", "crypto", "--trades", "28"]);
    let lines = [
        "put",
        "crypto",
        "--key-of",
        "s",
        "{\"s\":\"X\",\"q\":\"1\"}",
        "{\"s\":7}",
    ];
    stream(&beach, 0, &lines);
    let peeked = stream(&beach, 0, &["peek", "crypto", "--count", "100", "--json"]);
    let documents = peeked
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let records: Vec<Value> = documents
        .filter(|it| it["event"] == "records")
        .flat_map(|it| it["records"].as_array().unwrap().clone())
        .collect();
    assert_eq!(records.len(), 30);
    let of_key = |key: &str| records.iter().filter(|it| it["key"] == key).count();
    assert_eq!((of_key("BTCUSDT"), of_key("X"), of_key("7")), (2, 1, 1));
    let shards: std::collections::BTreeSet<_> = records
        .iter()
        .map(|it| it["shard"].as_str().unwrap())
        .collect();
    assert_eq!(shards.len(), 2, "trades of many pairs are in both shards");

    // What is wrong is told before anything is put.
    let wrong = stream(
        &beach,
        2,
        &["put", "crypto", "--key-of", "s", "{\"s\":\"X\"}", "no JSON"],
    );
    assert!(
        wrong.stderr.contains("record 2 has no text `s`"),
        "{}",
        wrong.stderr
    );
    let missing = stream(&beach, 1, &["peek", "cripto"]);
    assert!(
        missing.stderr.contains("no stream `cripto`"),
        "{}",
        missing.stderr
    );

    let rate = [
        "stream",
        "rate",
        "crypto",
        "--for",
        "6s",
        "--sandbox",
        "--json",
    ];
    let mut rate = beach.command(&rate).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = rate.stdout.take().unwrap();
    let mut first = [0];
    std::io::Read::read_exact(&mut out, &mut first).unwrap();
    stream(&beach, 0, &["put", "crypto", "--trades", "700"]);
    let mut text = String::from_utf8(first.to_vec()).unwrap();
    std::io::Read::read_to_string(&mut out, &mut text).unwrap();
    assert!(patience::wait(&mut rate).success());
    let seconds = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let counted: u64 = seconds
        .filter_map(|it| it["rate"]["records"].as_u64())
        .sum();
    assert_eq!(counted, 700, "{text}");
}

/// A shard takes 1,000 records in a second.
#[test]
fn what_shards_have_no_room_for_is_put_again() {
    let beach = made();
    let put = stream(&beach, 0, &["put", "crypto", "--trades", "4000", "--json"]);
    let put: Value = serde_json::from_str(put.stdout.trim()).unwrap();
    let put = put["put"].as_object().unwrap().values();
    assert_eq!(put.map(|count| count.as_u64().unwrap()).sum::<u64>(), 4000);
    let peek = ["peek", "crypto", "--count", "5000", "--json"];
    let peeked = stream(&beach, 0, &peek).stdout;
    assert_eq!(peeked.matches("\"sequence\"").count(), 4000);
    let puts = beach.calls();
    let puts = puts.iter().filter(|call| *call == "kinesis:PutRecords");
    assert!(puts.count() >= 8, "500 in a request");
}

#[test]
fn a_program_that_cannot_work_is_told() {
    let beach = made();
    let run = |properties: &str| {
        beach.write("app.properties", properties);
        let args = ["stream", "consume", "app.properties", "--sandbox"];
        beach.expect(1, &args).stderr
    };
    let said = run("streamName = crypto\napplicationName = trade-counter\n");
    assert!(said.contains("`executableName` is missing"), "{said}");
    let whole = "executableName = ./nothing\nstreamName = crypto\napplicationName = NAME\n";
    let said = run(&whole.replace("NAME", "none"));
    assert!(
        said.contains("no table `none`") && said.contains("--create-table"),
        "{said}"
    );
    let whole = whole.replace("NAME", "trade-counter");
    let said = run(&whole);
    assert!(
        said.contains("starting `./nothing`") && said.contains("chmod +x"),
        "{said}"
    );
    // One that ends is begun again, for a while; one that says nothing is not waited for.
    let said = run(&whole.replace("./nothing", "false"));
    assert!(said.contains("`false` ended with exit status: 1"), "{said}");
    let again = said.matches("again from the last checkpoint").count();
    assert!((4..=8).contains(&again), "of two shards: {said}");
    let hangs = whole.replace("./nothing", "sleep 100") + "timeoutInSeconds = 1\n";
    let said = run(&hangs);
    assert!(
        said.contains("no answer to `initialize` within 1 s"),
        "{said}"
    );
    assert!(said.contains("`timeoutInSeconds`"), "{said}");
}

/// The parts that trades pass through, as processes of this machine.
struct Way {
    beach: Beach,
    exchange: String,
    redis_port: u16,
    streamer: Option<Child>,
    consumer: Option<Child>,
    redis: Option<Child>,
}

impl Way {
    fn new() -> Self {
        let beach = made();
        let status = beach.expect(0, &["sandbox", "status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        let exchange = &status["sandbox"]["running"]["exchange"]["url"];
        let exchange = exchange.as_str().unwrap().to_owned();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let redis_port = free.local_addr().unwrap().port();
        drop(free);
        let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/apps/trade-counter/app.R");
        let properties = format!(
            "executableName = {}\nstreamName = crypto\napplicationName = trade-counter\n\
             regionName = {REGION}\ninitialPositionInStream = TRIM_HORIZON\n\
             failoverTimeMillis = 3000\nidleTimeBetweenReadsInMillis = 250\n",
            app.display()
        );
        beach.write("app.properties", &properties);
        Self {
            beach,
            exchange,
            redis_port,
            streamer: None,
            consumer: None,
            redis: None,
        }
    }

    /// Asks the exchange for something odd.
    fn control(&self, what: &Value) {
        let url = format!("{}/control", self.exchange);
        let body = what.to_string();
        let argv = [
            "-fsS",
            "-H",
            "content-type: application/json",
            "-d",
            &body,
            &url,
        ];
        let done = patience::output(Command::new("curl").args(argv));
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// What the exchange itself counts: trades and amount, by symbol.
    fn truth(&self) -> Totals {
        let url = format!("{}/control/counts", self.exchange);
        let done = patience::output(Command::new("curl").args(["-fsS", &url]));
        let counts: Value = serde_json::from_slice(&done.stdout).unwrap();
        let number = |value: &Value| match value {
            Value::String(text) => text.parse::<i128>().unwrap(),
            value => i128::from(value.as_i64().unwrap()),
        };
        let column = |name: &str| -> Vec<(String, i128)> {
            let column = counts[name].as_object().unwrap().iter();
            column
                .map(|(symbol, value)| (symbol.clone(), number(value)))
                .collect()
        };
        Totals::new(column("count"), column("amount_e8"))
    }

    /// What is in Redis.
    fn counted(&self) -> Option<Totals> {
        let column = |key: &str| -> Option<Vec<(String, i128)>> {
            let port = self.redis_port.to_string();
            let argv = ["-p", &port, "HGETALL", key];
            let done = patience::output(Command::new("redis-cli").args(argv));
            let text = String::from_utf8(done.stdout).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            let pairs = lines.chunks_exact(2);
            pairs
                .map(|pair| Some((pair[0].to_owned(), pair[1].parse().ok()?)))
                .collect()
        };
        Some(Totals::new(
            column("trades:count")?,
            column("trades:amount_e8")?,
        ))
    }

    /// Waits until Redis has all that the exchange has made since `begun`; it makes none meanwhile.
    #[track_caller]
    fn arrives(&self, begun: &Totals) {
        let wanted = self.truth().minus(begun);
        assert!(wanted.trades() > 0, "there was something to count");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let counted = self.counted();
            if counted.as_ref() == Some(&wanted) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "wanted {wanted:?}\ncounted {counted:?}\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until Redis has so many trades at least.
    #[track_caller]
    fn passes(&self, trades: i128) {
        let deadline = Instant::now() + PATIENCE;
        while self.counted().is_none_or(|totals| totals.trades() < trades) {
            assert!(Instant::now() < deadline, "{}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the parts have said.
    fn said(&self) -> String {
        let logs = ["streamer.log", "consumer.log", "redis.log"];
        let logs = logs.map(|name| {
            let text = fs::read_to_string(self.beach.folder().join(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!(
                "{name}:\n{}\n",
                lines[lines.len().saturating_sub(40)..].join("\n")
            )
        });
        logs.concat()
    }

    fn spawn(&self, log: &str, command: &mut Command) -> Child {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.beach.folder().join(log))
            .unwrap();
        let said = log.try_clone().unwrap();
        command
            .current_dir(self.beach.folder())
            .stdin(Stdio::null());
        command.stdout(said).stderr(log).spawn().unwrap()
    }

    fn start_redis(&mut self) {
        let port = self.redis_port.to_string();
        let mut redis = Command::new("redis-server");
        redis.args(["--port", &port, "--save", "", "--appendonly", "yes"]);
        redis.args(["--appendfsync", "always", "--dir", "."]);
        self.redis = Some(self.spawn("redis.log", &mut redis));
    }

    fn start_streamer(&mut self) {
        let mut streamer = Command::new(streamer());
        let to = [
            "--to",
            "kinesis",
            "--stream",
            "crypto",
            "--state",
            "last.json",
        ];
        streamer.args(to).args(["--silence", "2"]);
        streamer
            .env("EXCHANGE_URL", &self.exchange)
            .env(
                "EXCHANGE_STREAM_URL",
                self.exchange.replacen("http", "ws", 1),
            )
            .env("AWS_ENDPOINT_URL", self.beach.endpoint())
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
        self.streamer = Some(self.spawn("streamer.log", &mut streamer));
    }

    /// Waits until the streamer has said something so often.
    #[track_caller]
    fn streamer_says(&self, what: &str, times: usize) {
        let log = self.beach.folder().join("streamer.log");
        self.beach.wait_for(|| {
            let text = fs::read_to_string(&log).unwrap_or_default();
            text.matches(what).count() >= times
        });
    }

    fn start_consumer(&mut self) {
        let args = ["stream", "consume", "app.properties", "--sandbox"];
        let mut consumer = self.beach.command(&args);
        consumer.env(
            "REDIS_URL",
            format!("redis://127.0.0.1:{}", self.redis_port),
        );
        self.consumer = Some(self.spawn("consumer.log", &mut consumer));
    }

    /// The R processes that count, which the consumer has started.
    fn counters(&self) -> Vec<String> {
        let parent = self.consumer.as_ref().unwrap().id().to_string();
        let found = patience::output(Command::new("pgrep").args(["-P", &parent]));
        let found = String::from_utf8(found.stdout).unwrap();
        found.lines().map(str::to_owned).collect()
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        for part in [&mut self.streamer, &mut self.consumer, &mut self.redis] {
            kill(part);
        }
    }
}

/// `kill -9`, and its end.
fn kill(part: &mut Option<Child>) {
    if let Some(mut child) = part.take() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The streamer of this workspace, beside the program under test.
fn streamer() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_tidewalk")).with_file_name("trade-streamer");
    assert!(path.is_file(), "`cargo build` makes {}", path.display());
    path
}

/// Trades and their amounts in units of 10⁻⁸, by symbol.
#[derive(Debug, PartialEq, Eq)]
struct Totals(std::collections::BTreeMap<String, (i128, i128)>);

impl Totals {
    fn new(count: Vec<(String, i128)>, amount: Vec<(String, i128)>) -> Self {
        let mut totals = std::collections::BTreeMap::<_, (i128, i128)>::new();
        for (symbol, count) in count {
            totals.entry(symbol).or_default().0 = count;
        }
        for (symbol, amount) in amount {
            totals.entry(symbol).or_default().1 = amount;
        }
        totals.retain(|_, totals| *totals != (0, 0));
        Self(totals)
    }

    fn minus(mut self, begun: &Self) -> Self {
        for (symbol, totals) in &mut self.0 {
            let (count, amount) = begun.0.get(symbol).copied().unwrap_or_default();
            *totals = (totals.0 - count, totals.1 - amount);
        }
        self.0.retain(|_, totals| *totals != (0, 0));
        self
    }

    fn trades(&self) -> i128 {
        self.0.values().map(|(count, _)| count).sum()
    }
}

#[test]
fn every_trade_is_counted_once_whatever_is_killed() {
    let mut way = Way::new();
    way.control(&json!({ "pause": true, "rate": 150 }));
    let begun = way.truth();
    way.start_redis();
    way.start_streamer();
    way.start_consumer();
    way.streamer_says("following 14 pairs", 1);
    way.control(&json!({ "pause": false }));
    way.passes(300);

    // Each part dies while trades go on.
    kill(&mut way.streamer);
    way.start_streamer();
    way.streamer_says("following 14 pairs", 2);
    let counters = way.counters();
    assert_eq!(counters.len(), 2, "one for each shard");
    for counter in counters {
        patience::output(Command::new("kill").args(["-9", &counter]));
    }
    way.passes(900);
    kill(&mut way.consumer);
    way.start_consumer();
    kill(&mut way.redis);
    way.start_redis();

    // The exchange hangs up, says nothing, sends rubbish, and is very busy for a while.
    way.control(&json!({ "disconnect": true }));
    way.streamer_says("following 14 pairs", 3);
    way.control(&json!({ "malformed": 5 }));
    way.control(&json!({ "drop": 50 }));
    way.control(&json!({ "silence": 4 }));
    way.streamer_says("following 14 pairs", 4);
    way.control(&json!({ "burst": { "rate": 2000, "seconds": 2 } }));

    // Two shards become four while it all comes in.
    let more = STACK.replace("shards: 2", "shards: 4");
    way.beach.write("site.yml", &more);
    way.beach
        .expect(0, &["apply", "site.yml", "--sandbox", "--yes"]);
    let truth = way.truth().minus(&begun);
    way.passes(truth.trades());
    way.control(&json!({ "pause": true }));
    way.arrives(&begun);

    // SIGTERM is an end in order: nothing comes twice after it.
    let consumer = way.consumer.take().unwrap();
    let id = consumer.id().to_string();
    patience::output(Command::new("kill").args(["-TERM", &id]));
    let ended = patience::wait(&mut { consumer });
    assert!(ended.success(), "{}", way.said());
    let log = fs::read_to_string(way.beach.folder().join("consumer.log")).unwrap();
    assert!(log.contains("closed, and all of it is done"), "{log}");
    way.start_consumer();
    way.control(&json!({ "pause": false }));
    way.passes(truth.trades() + 400);
    way.control(&json!({ "pause": true }));
    way.arrives(&begun);
    let after = fs::read_to_string(way.beach.folder().join("consumer.log")).unwrap();
    let after = &after[log.len()..];
    assert!(!after.contains("left out"), "{after}");
    assert_eq!(after.matches(": begun at").count(), 4, "{after}");
    assert!(!after.contains("begun at TRIM_HORIZON"), "{after}");
}
