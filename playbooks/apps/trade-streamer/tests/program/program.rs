//! Runs the program and reads what it says.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::exchange::Exchange;

/// What no step takes longer than, on however slow a machine
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for something that must come
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let Ok(value) = timeout(PATIENCE, future).await else {
        panic!("{what}: nothing for {PATIENCE:?}");
    };
    value
}

/// A run of the program
pub(crate) struct Program {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
    errors: JoinHandle<String>,
}

/// The command that follows this exchange, with nothing of the caller's environment
pub(crate) fn command(exchange: &Exchange, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trade-streamer"));
    command
        .env_clear()
        .env("EXCHANGE_STREAM_URL", &exchange.stream_url)
        .env("EXCHANGE_URL", &exchange.url)
        .args(["--pairs", "BTCUSDT,ETHUSDT"])
        .args(arguments)
        .kill_on_drop(true);
    command
}

impl Program {
    pub(crate) fn start(exchange: &Exchange, arguments: &[&str]) -> Self {
        Self::of(command(exchange, arguments).stdout(Stdio::piped()))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = child.stdout.take().map(|out| BufReader::new(out).lines());
        let mut pipe = child.stderr.take().unwrap();
        let errors = tokio::spawn(async move {
            let mut text = String::new();
            pipe.read_to_string(&mut text).await.unwrap();
            text
        });
        Self {
            child,
            lines,
            errors,
        }
    }

    /// The next line of standard output
    pub(crate) async fn line(&mut self) -> String {
        let lines = self.lines.as_mut().unwrap();
        within("a line", lines.next_line())
            .await
            .unwrap()
            .expect("standard output ended")
    }

    /// The ids of the next `n` lines, which are all of this pair
    pub(crate) async fn ids(&mut self, pair: &str, n: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        for _ in 0..n {
            let (name, id) = parse(&self.line().await);
            assert_eq!(name, pair);
            ids.push(id);
        }
        ids
    }

    /// Nobody reads standard output any more
    pub(crate) fn close_output(&mut self) {
        self.lines = None;
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        let status = std::process::Command::new("kill")
            .args(["-s", name, &pid])
            .status();
        assert!(status.unwrap().success());
    }

    /// Ends it as a crash would
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Its end: how, the lines of standard output not yet read, and standard error
    pub(crate) async fn end(mut self) -> (ExitStatus, Vec<String>, String) {
        let mut rest = Vec::new();
        if let Some(lines) = &mut self.lines {
            while let Some(line) = within("the end", lines.next_line()).await.unwrap() {
                rest.push(line);
            }
        }
        let status = within("the end", self.child.wait()).await.unwrap();
        (status, rest, self.errors.await.unwrap())
    }

    /// Ends it by SIGTERM, which it must do well; what it said
    pub(crate) async fn terminate(self) -> (Vec<String>, String) {
        self.signal("TERM");
        let (status, rest, errors) = self.end().await;
        assert!(status.success(), "{status}: {errors}");
        (rest, errors)
    }
}

/// The pair and the id of a trade
pub(crate) fn parse(line: &str) -> (String, u64) {
    let trade: serde_json::Value = serde_json::from_str(line).unwrap();
    (
        trade["s"].as_str().unwrap().to_owned(),
        trade["t"].as_u64().unwrap(),
    )
}

/// A figure of the last line of figures
pub(crate) fn total(errors: &str, name: &str) -> u64 {
    let line = errors
        .lines()
        .rfind(|line| line.contains(" total "))
        .expect(errors);
    let figure = line
        .split(' ')
        .find_map(|word| word.strip_prefix(&format!("{name}=")));
    figure.expect(line).parse().unwrap()
}
