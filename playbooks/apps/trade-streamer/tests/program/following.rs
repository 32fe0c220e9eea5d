//! Trades are passed on as they come, none is left out, and pairs keep their order.

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::exchange::{Exchange, trade};
use crate::program::{Program, total};

fn asked(pair: &str, from: u64) -> (String, u64) {
    (pair.to_owned(), from)
}

#[tokio::test]
async fn trades_are_passed_on_as_they_came() {
    let exchange = Exchange::start().await;
    let mut program = Program::start(&exchange, &[]);
    let mut connection = exchange.connection().await;
    let (params, id) = connection.request().await;
    assert_eq!(params, ["btcusdt@trade", "ethusdt@trade"]);
    connection
        .send(json!({"result": null, "id": id}).to_string())
        .await;
    connection.send(trade("BTCUSDT", 7)).await;
    connection.send(format!(" {}\n", trade("ETHUSDT", 3))).await;
    connection
        .send(trade("BTCUSDT", 8).replace(',', ",\n"))
        .await;
    assert_eq!(program.line().await, trade("BTCUSDT", 7));
    assert_eq!(program.line().await, trade("ETHUSDT", 3));
    let line: Value = serde_json::from_str(&program.line().await).unwrap();
    assert_eq!(
        line,
        serde_json::from_str::<Value>(&trade("BTCUSDT", 8)).unwrap()
    );
    let (rest, errors) = program.terminate().await;
    assert!(rest.is_empty());
    assert_eq!(total(&errors, "trades"), 3);
    assert!(exchange.asked().is_empty());
}

#[tokio::test]
async fn lost_frames_are_fetched_in_pages_before_newer_trades_go_on() {
    let exchange = Exchange::start().await;
    exchange.has("BTCUSDT", 1..=2501);
    let failures = [(429, Some(1)), (503, None), (418, Some(0))];
    exchange.history.lock().unwrap().failures.extend(failures);
    let mut program = Program::start(&exchange, &[]);
    let mut connection = exchange.subscribed().await;
    connection
        .trades("BTCUSDT", [1, 2, 2501, 2502, 2502, 7])
        .await;
    assert_eq!(
        program.ids("BTCUSDT", 2502).await,
        (1..=2502).collect::<Vec<_>>()
    );
    let asked: Vec<_> = exchange.asked().into_iter().map(|(_, from)| from).collect();
    assert_eq!(asked, [3, 3, 3, 3, 1003, 2003]);
    let (_, errors) = program.terminate().await;
    assert!(errors.contains("trying again in 1.0 s"), "{errors}");
    assert_eq!(total(&errors, "backfilled"), 2499);
    assert_eq!(total(&errors, "retries"), 3);
    assert_eq!(total(&errors, "gaps"), 0);
}

#[tokio::test]
async fn after_a_lost_connection_it_subscribes_again_and_quiet_pairs_are_fetched() {
    let exchange = Exchange::start().await;
    let mut program = Program::start(&exchange, &[]);
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", [1, 2]).await;
    assert_eq!(program.ids("BTCUSDT", 2).await, [1, 2]);
    exchange.has("BTCUSDT", 1..=4);
    connection.stream.close(None).await.unwrap();
    let mut connection = exchange.subscribed().await;
    assert_eq!(program.ids("BTCUSDT", 2).await, [3, 4]);
    connection.trades("BTCUSDT", [4, 5]).await;
    connection.trades("ETHUSDT", [9]).await;
    assert_eq!(program.ids("BTCUSDT", 1).await, [5]);
    assert_eq!(program.ids("ETHUSDT", 1).await, [9]);
    assert_eq!(exchange.asked(), [asked("BTCUSDT", 3)]);
    // A connection that breaks without a word
    drop(connection);
    exchange.subscribed().await;
    let (_, errors) = program.terminate().await;
    assert!(errors.contains("closed the connection"), "{errors}");
    assert!(total(&errors, "reconnects") >= 2);
}

#[tokio::test]
async fn malformed_messages_are_counted_and_their_trades_fetched() {
    let exchange = Exchange::start().await;
    exchange.has("BTCUSDT", 1..=9);
    let mut program = Program::start(&exchange, &[]);
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", [1]).await;
    connection.send(&trade("BTCUSDT", 2)[..70]).await;
    connection.send("").await;
    connection
        .send(trade("BTCUSDT", 3).replace("8300.1", "nan"))
        .await;
    let binary = Message::Binary(Bytes::from_static(b"\x00\xff"));
    connection.stream.send(binary).await.unwrap();
    connection
        .stream
        .send(Message::Ping(Bytes::from_static(b"you?")))
        .await
        .unwrap();
    connection.send(r#"{"e":"serverShutdown","E":1}"#).await;
    connection.trades("BTCUSDT", [4]).await;
    assert_eq!(program.ids("BTCUSDT", 4).await, [1, 2, 3, 4]);
    let (_, errors) = program.terminate().await;
    assert_eq!(total(&errors, "malformed"), 4);
    assert_eq!(total(&errors, "reconnects"), 0);
    assert!(errors.matches("is no trade").count() < 4, "{errors}");
}

#[tokio::test]
async fn an_exchange_that_is_silent_is_left() {
    let exchange = Exchange::start().await;
    let program = Program::start(&exchange, &["--silence", "0.3"]);
    let first = exchange.subscribed().await;
    let second = exchange.subscribed().await;
    let (_, errors) = program.terminate().await;
    assert!(
        errors.contains("sent nothing for 0.3 s; connecting again"),
        "{errors}"
    );
    drop((first, second));
}

#[tokio::test]
async fn the_last_trade_of_a_pair_is_not_lost_with_its_frame() {
    let exchange = Exchange::start().await;
    let mut program = Program::start(&exchange, &["--silence", "0.5", "--pairs", "BTCUSDT"]);
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", [1]).await;
    assert_eq!(program.ids("BTCUSDT", 1).await, [1]);
    exchange.has("BTCUSDT", [1, 2]);
    assert_eq!(program.ids("BTCUSDT", 1).await, [2]);
}

#[tokio::test]
async fn what_the_exchange_no_longer_has_is_told_and_counted() {
    let exchange = Exchange::start().await;
    exchange.has("BTCUSDT", 11..=20);
    let mut program = Program::start(&exchange, &[]);
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", [5, 20]).await;
    let expected: Vec<_> = std::iter::once(5).chain(11..=20).collect();
    assert_eq!(program.ids("BTCUSDT", 11).await, expected);
    let (_, errors) = program.terminate().await;
    assert!(
        errors.contains("BTCUSDT: trades 6 to 10 are lost"),
        "{errors}"
    );
    assert_eq!((total(&errors, "gaps"), total(&errors, "missing")), (1, 5));
}

#[tokio::test]
async fn after_a_crash_it_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("last.json");
    let state = state.to_str().unwrap();
    let exchange = Exchange::start().await;
    exchange.has("BTCUSDT", 1..=30);
    exchange.has("ETHUSDT", 100..=130);
    let mut program = Program::start(&exchange, &["--state", state]);
    let mut connection = exchange.subscribed().await;
    connection.trades("BTCUSDT", 5..=10).await;
    assert_eq!(
        program.ids("BTCUSDT", 6).await,
        (5..=10).collect::<Vec<_>>()
    );
    connection.trades("ETHUSDT", [110]).await;
    assert_eq!(program.ids("ETHUSDT", 1).await, [110]);
    program.kill().await;

    let mut program = Program::start(&exchange, &["--state", state]);
    let mut connection = exchange.subscribed().await;
    let mut all = Vec::new();
    while !all.contains(&("BTCUSDT".into(), 30)) || !all.contains(&("ETHUSDT".into(), 130)) {
        all.push(crate::program::parse(&program.line().await));
    }
    for (pair, first, last) in [("BTCUSDT", 11, 30), ("ETHUSDT", 111, 130)] {
        let ids: Vec<_> = all
            .iter()
            .filter(|(name, _)| name == pair)
            .map(|(_, id)| *id)
            .collect();
        assert!(ids[0] <= first && ids.is_sorted(), "{pair}: {ids:?}");
        assert_eq!(ids, (ids[0]..=last).collect::<Vec<_>>());
    }
    connection.trades("BTCUSDT", [31]).await;
    assert_eq!(program.ids("BTCUSDT", 1).await, [31]);
    program.terminate().await;
    let marks: Value = serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
    assert_eq!(
        (
            marks["BTCUSDT"]["id"].as_u64(),
            marks["ETHUSDT"]["id"].as_u64()
        ),
        (Some(31), Some(130))
    );
}
