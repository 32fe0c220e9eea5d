//! What checks see, and what is concluded from no answer.

use serde_json::{Value as Json, json};
use tidewalk::contract::Presence;

use crate::cloud::{Play, endpoint, kind};

#[tokio::test]
async fn a_check_tells_what_it_saw() {
    let play = Play::at(endpoint(), "eu-north-1").await;
    let url = format!("{}/_sandbox/health", play.endpoint);
    let place = play.endpoint.trim_start_matches("http://").to_owned();
    let checks = kind("checks");
    let perform = async |spec: Json| {
        let stage = play.stage("checks.c", &spec, &[]);
        checks.check(&stage.node).unwrap();
        checks.apply(&play.cx, stage.target(), None).await
    };
    perform(json!({ "http": url, "contains": "emulator", "within": 20 }))
        .await
        .unwrap();
    perform(json!({ "tcp": place, "within": 20 }))
        .await
        .unwrap();
    let seen = async |spec: Json| {
        let error = perform(spec).await.err().expect("the check fails");
        assert_eq!(error.service_code(), Some("CheckFailed"));
        error.notes().join("\n")
    };
    let wrong = seen(json!({ "http": url, "status": 204, "within": 1 })).await;
    assert!(wrong.contains("status 200 instead of 204"), "{wrong}");
    let text = seen(json!({ "http": url, "contains": "no such text", "within": 1 })).await;
    assert!(text.contains("but not the text `no such text`"), "{text}");
    let refused = seen(json!({ "tcp": "127.0.0.1:1", "within": 1 })).await;
    assert!(refused.contains("refused"), "{refused}");
}

#[tokio::test]
async fn without_an_answer_nothing_is_concluded() {
    // Nobody listens on port 1.
    let Play { cx, .. } = Play::at("http://127.0.0.1:1", "eu-west-1").await;
    let answers = kind("key_pairs").presence(&cx, &["key-1".to_owned()]).await;
    assert!(matches!(answers[..], [Presence::Unknown(_)]), "{answers:?}");
    let error = kind("instances")
        .discover(&cx, &tidewalk::contract::Wanted::default())
        .await;
    let error = error.err().expect("a listing that failed is an error");
    assert_eq!(error.service_code(), Some("Unreachable"));
}
