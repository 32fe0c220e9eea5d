//! How it ends: by signals, by readers that go, and by what it cannot overcome.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::exchange::{Exchange, trade};
use crate::program::{Program, command, within};

#[tokio::test]
async fn signals_end_it_after_what_was_taken_is_written() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("last.json");
        let exchange = Exchange::start().await;
        let mut program = Program::start(&exchange, &["--state", state.to_str().unwrap()]);
        let mut connection = exchange.subscribed().await;
        connection.trades("BTCUSDT", 1..=500).await;
        assert_eq!(program.ids("BTCUSDT", 1).await, [1]);
        program.signal(signal);
        let (status, rest, errors) = program.end().await;
        assert!(status.success(), "{status}: {errors}");
        let last = rest.len() as u64 + 1;
        let marks: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
        assert_eq!(
            marks["BTCUSDT"]["id"],
            json!(last),
            "written and remembered differ"
        );
    }
}

#[tokio::test]
async fn a_reader_that_goes_ends_it_quietly() {
    let exchange = Exchange::start().await;
    let mut program = Program::start(&exchange, &[]);
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", [1]).await;
    assert_eq!(program.ids("BTCUSDT", 1).await, [1]);
    program.close_output();
    connection.trades("BTCUSDT", [2]).await;
    let (status, _, errors) = program.end().await;
    assert!(status.success(), "{status}: {errors}");
    assert!(!errors.to_lowercase().contains("pipe"), "{errors}");
}

#[tokio::test]
async fn a_file_that_a_crash_left_within_a_line_is_appended_to_on_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trades.json");
    write!(
        File::create(&path).unwrap(),
        "{}\n{{\"e\":\"tra",
        trade("BTCUSDT", 1)
    )
    .unwrap();
    let exchange = Exchange::start().await;
    let out = OpenOptions::new().append(true).open(&path).unwrap();
    let program = Program::of(command(&exchange, &["--metrics", "0.1"]).stdout(Stdio::from(out)));
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", [2]).await;
    let text = || std::fs::read_to_string(&path).unwrap();
    let written = async {
        while !text().ends_with("}\n") {
            tokio::task::yield_now().await;
        }
    };
    within("a line in the file", written).await;
    program.terminate().await;
    let expected = format!(
        "{}\n{{\"e\":\"tra\n{}\n",
        trade("BTCUSDT", 1),
        trade("BTCUSDT", 2)
    );
    assert_eq!(text(), expected);
}

#[tokio::test]
async fn a_pair_that_the_exchange_refuses_is_named() {
    let exchange = Exchange::start().await;
    let program = Program::start(&exchange, &[]);
    let mut connection = exchange.connection().await;
    let refusal =
        |id| json!({"error": {"code": 2, "msg": "Invalid request"}, "id": id}).to_string();
    let (params, id) = connection.request().await;
    assert_eq!(params.len(), 2);
    connection.send(refusal(id)).await;
    let (params, id) = connection.request().await;
    assert_eq!(params, ["btcusdt@trade"]);
    connection
        .send(json!({"result": null, "id": id}).to_string())
        .await;
    let (params, id) = connection.request().await;
    assert_eq!(params, ["ethusdt@trade"]);
    connection.send(refusal(id)).await;
    let (status, _, errors) = program.end().await;
    assert_eq!(status.code(), Some(1));
    assert!(
        errors.contains("refuses the pair ETHUSDT: Invalid request; correct --pairs"),
        "{errors}"
    );
}

#[tokio::test]
async fn an_exchange_that_cannot_be_reached_is_given_up() {
    let mut exchange = Exchange::start().await;
    exchange.stream_url = exchange.url.clone().replace("http", "ws");
    let program = Program::start(&exchange, &["--give-up", "1.5"]);
    let (status, _, errors) = program.end().await;
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("connecting again in"), "{errors}");
    let last = errors.lines().last().unwrap();
    assert!(
        last.contains("nothing came from ws://") && last.contains("404"),
        "{errors}"
    );
}

#[tokio::test]
async fn an_exchange_that_only_says_hello_is_given_up() {
    let exchange = Exchange::start().await;
    let program = Program::start(&exchange, &["--give-up", "1", "--silence", "0.2"]);
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            open.push(exchange.subscribed().await);
        }
    });
    let (status, _, errors) = program.end().await;
    assert_eq!(status.code(), Some(1), "{errors}");
    assert!(errors.contains("nothing came from"), "{errors}");
}

#[tokio::test]
async fn history_that_cannot_be_fetched_is_given_up_with_the_reason() {
    for (failure, reason) in [
        (503, "has failed for"),
        (401, "EXCHANGE_API_KEY"),
        (400, "pair"),
    ] {
        let exchange = Exchange::start().await;
        exchange
            .history
            .lock()
            .unwrap()
            .failures
            .extend([(failure, None); 1000]);
        let program = Program::start(&exchange, &["--give-up", "3"]);
        let mut connection = exchange.subscribed().await;
        connection.trades("BTCUSDT", [1, 3]).await;
        connection.live_on();
        let (status, rest, errors) = program.end().await;
        assert_eq!(status.code(), Some(1), "{errors}");
        assert_eq!(rest.len(), 1, "newer trades went before missing ones");
        let last = errors.lines().last().unwrap();
        assert!(
            last.contains("missed trades of BTCUSDT") && last.contains(reason),
            "{errors}"
        );
    }
}

#[tokio::test]
async fn wrong_options_and_states_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("last.json");
    std::fs::write(&state, "{").unwrap();
    let state = state.to_str().unwrap();
    for (arguments, code, told) in [
        (&["--to", "kinesis"][..], 2, "--stream"),
        (&["--state", state], 1, "remove it to begin"),
        (
            &["--state", "/proc/none/last.json"],
            1,
            "make its folder writable",
        ),
        (
            &["--to", "kinesis", "--stream", "crypto"],
            1,
            "set AWS_REGION",
        ),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trade-streamer"));
        command
            .env_clear()
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .args(arguments);
        let output = within("the end", command.output()).await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(told), "{arguments:?}: {errors}");
    }
}
