//! Records of a Kinesis stream: whole, in order, none lost, whatever the stream answers.

use std::process::Stdio;

use crate::exchange::{Exchange, trade};
use crate::program::{Program, command, total};
use crate::stream::{Plan, Stream};

fn start(exchange: &Exchange, stream: &Stream, arguments: &[&str]) -> Program {
    let mut command = command(exchange, &["--stream", "crypto"]);
    command
        .args(arguments)
        .env("AWS_ENDPOINT_URL", &stream.url)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    Program::of(command.stdout(Stdio::piped()))
}

#[tokio::test]
async fn records_are_the_trades_keyed_by_their_pair() {
    let (exchange, stream) = (Exchange::start().await, Stream::start([]).await);
    let program = start(&exchange, &stream, &["--to", "kinesis"]);
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", 1..=1300).await;
    connection.trades("ETHUSDT", [7]).await;
    let seen = stream.until(|seen| seen.taken.len() == 1301).await;
    assert_eq!(seen.ids("BTCUSDT"), (1..=1300).collect::<Vec<_>>());
    assert_eq!(seen.ids("ETHUSDT"), [7]);
    assert!(
        seen.taken
            .contains(&("ETHUSDT".into(), trade("ETHUSDT", 7)))
    );
    assert!(seen.requests.iter().all(|request| request.len() <= 500));
    let (lines, errors) = program.terminate().await;
    assert!(lines.is_empty());
    assert_eq!(total(&errors, "trades"), 1301);
}

#[tokio::test]
async fn only_what_was_refused_is_sent_again_and_before_newer_records() {
    let plans = [Plan::Refuse(vec![0]), Plan::Refuse(vec![0])];
    let (exchange, stream) = (Exchange::start().await, Stream::start(plans).await);
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("last.json");
    let program = start(
        &exchange,
        &stream,
        &["--to", "kinesis", "--state", state.to_str().unwrap()],
    );
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", [1]).await;
    stream.until(|seen| seen.requests.len() == 1).await;
    connection.trades("BTCUSDT", 2..=50).await;
    let seen = stream.until(|seen| seen.taken.len() == 50).await;
    assert_eq!(seen.ids("BTCUSDT"), (1..=50).collect::<Vec<_>>());
    let alone = vec![("BTCUSDT".to_owned(), 1)];
    assert_eq!(seen.requests[..3], [alone.clone(), alone.clone(), alone]);
    let (_, errors) = program.terminate().await;
    assert_eq!(total(&errors, "retries"), 2);
    assert!(
        errors.contains("ProvisionedThroughputExceededException: Rate exceeded"),
        "{errors}"
    );
    let state = std::fs::read_to_string(&state).unwrap();
    assert!(state.contains(r#""BTCUSDT":{"id":50,"#), "{state}");
}

#[tokio::test]
async fn in_strict_order_no_record_passes_a_refused_one() {
    let plans = (0..60).map(|n| Plan::Refuse(if n % 3 == 0 { vec![0] } else { vec![] }));
    let (exchange, stream) = (Exchange::start().await, Stream::start(plans).await);
    let program = start(&exchange, &stream, &["--to", "kinesis", "--strict-order"]);
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", 1..=20).await;
    connection.trades("ETHUSDT", 1..=20).await;
    let seen = stream.until(|seen| seen.taken.len() == 40).await;
    for pair in ["BTCUSDT", "ETHUSDT"] {
        assert_eq!(seen.ids(pair), (1..=20).collect::<Vec<_>>());
    }
    program.terminate().await;
}

#[tokio::test]
async fn whole_requests_that_fail_for_a_time_are_sent_again() {
    let plans = [
        Plan::Fail(500, "InternalFailure"),
        Plan::Fail(400, "ProvisionedThroughputExceededException"),
        Plan::Fail(400, "ExpiredTokenException"),
    ];
    let (exchange, stream) = (Exchange::start().await, Stream::start(plans).await);
    let program = start(&exchange, &stream, &["--to", "kinesis"]);
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", 1..=3).await;
    let seen = stream.until(|seen| seen.taken.len() == 3).await;
    assert_eq!(seen.ids("BTCUSDT"), [1, 2, 3]);
    program.terminate().await;
}

#[tokio::test]
async fn what_cannot_work_ends_it_with_what_to_do() {
    for (plan, told) in [
        (
            Plan::Fail(400, "ResourceNotFoundException"),
            "there is no stream `crypto`",
        ),
        (
            Plan::Fail(400, "AccessDeniedException"),
            "kinesis:PutRecords",
        ),
        (
            Plan::Fail(400, "UnrecognizedClientException"),
            "credentials",
        ),
    ] {
        let (exchange, stream) = (Exchange::start().await, Stream::start([plan]).await);
        let program = start(&exchange, &stream, &["--to", "kinesis"]);
        let mut connection = exchange.subscribed().await;
        connection.trades("BTCUSDT", [1]).await;
        let (status, _, errors) = program.end().await;
        assert_eq!(status.code(), Some(1), "{errors}");
        assert!(errors.lines().last().unwrap().contains(told), "{errors}");
    }
}

#[tokio::test]
async fn a_stream_that_takes_nothing_is_given_up() {
    let plans = vec![Plan::Fail(400, "ExpiredTokenException"); 1000];
    let (exchange, stream) = (Exchange::start().await, Stream::start(plans).await);
    let program = start(&exchange, &stream, &["--to", "kinesis", "--give-up", "3"]);
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", [1]).await;
    connection.live_on();
    let (status, _, errors) = program.end().await;
    assert_eq!(status.code(), Some(1), "{errors}");
    let last = errors.lines().last().unwrap();
    assert!(
        last.contains("`crypto` has taken nothing") && last.contains("renew"),
        "{errors}"
    );
}

#[tokio::test]
async fn both_get_everything_and_the_state_is_that_of_the_slower() {
    let plans = vec![Plan::Fail(500, "InternalFailure"); 1000];
    let (exchange, stream) = (Exchange::start().await, Stream::start(plans).await);
    exchange.has("BTCUSDT", 1..=5);
    exchange.has("ETHUSDT", [1]);
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("last.json");
    let arguments = ["--to", "both", "--state", state.to_str().unwrap()];
    let mut program = start(&exchange, &stream, &arguments);
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", 1..=5).await;
    assert_eq!(program.ids("BTCUSDT", 5).await, [1, 2, 3, 4, 5]);
    stream.until(|seen| !seen.requests.is_empty()).await;
    // The state is written before the first trade of a pair goes on
    connection.trades("ETHUSDT", [1]).await;
    assert_eq!(program.ids("ETHUSDT", 1).await, [1]);
    program.kill().await;

    let stream = Stream::start([]).await;
    let mut program = start(&exchange, &stream, &arguments);
    exchange.subscribed().await;
    let seen = stream.until(|seen| seen.taken.len() == 6).await;
    assert_eq!(seen.ids("BTCUSDT"), [1, 2, 3, 4, 5]);
    assert_eq!(program.ids("BTCUSDT", 5).await, [1, 2, 3, 4, 5]);
    assert_eq!(program.ids("ETHUSDT", 1).await, [1]);
    program.terminate().await;
}
