//! The life of security groups.

use serde_json::{Value as Json, json};

use crate::cloud::{Play, kind, refused};

#[tokio::test]
async fn a_security_group_lives() {
    let mut play = Play::start().await;
    let db = play.stage("security_groups.db", &json!({}), &[]);
    let (_, db_found) = play.bring(&db).await.unwrap();

    let rules = |list: Json| json!({ "ingress": list });
    let me = play.cx.aws.own_ip().await.unwrap();
    let from = rules(json!([
        { "ports": 22, "from": "me", "description": "ssh" },
        { "ports": [80, 443], "from": "anywhere" },
        { "ports": "8000-8100", "from": ["db", "web"] },
    ]));
    let stage = play.stage("security_groups.web", &from, &[("Owner", "me")]);
    let (_, first) = play.bring(&stage).await.unwrap();
    assert!(first.id.starts_with("sg-"), "{}", first.id);
    let again = kind("security_groups")
        .apply(&play.cx, stage.target(), None)
        .await
        .unwrap();
    assert_eq!(again.id, first.id);

    let to = json!({
        "ingress": [
            { "ports": 22, "from": "me", "description": "secure shell" },
            { "ports": 443, "from": "10.0.0.0/8" },
            { "protocol": "icmp", "from": "10.0.0.0/8" },
        ],
        "egress": [{ "ports": 443, "to": "anywhere" }, { "protocol": "all", "to": "db" }],
    });
    let stage = play.stage("security_groups.web", &to, &[]);
    let (diff, found) = play.bring(&stage).await.unwrap();
    assert_eq!(found.id, first.id);
    let shown: Vec<_> = diff
        .changes
        .iter()
        .map(|c| format!("{} -> {}", c.old, c.new))
        .collect();
    assert_eq!(
        shown[0],
        format!("tcp 22 from {me}/32 (ssh) -> tcp 22 from {me}/32 (secure shell)")
    );
    assert!(
        shown.contains(&"tcp 8000-8100 from group db -> (none)".to_owned()),
        "{shown:?}"
    );
    assert!(
        shown.contains(&"(none) -> tcp 443 to ::/0".to_owned()),
        "{shown:?}"
    );

    let anew = json!({ "name": "front" });
    let stage = play.stage("security_groups.web", &anew, &[]);
    let (diff, found) = play.bring(&stage).await.unwrap();
    assert!(diff.replaces());
    assert_ne!(found.id, first.id);
    play.delete(&stage, &found).await;
    play.delete(&db, &db_found).await;
}

#[tokio::test]
async fn a_security_groups_name_that_another_has_is_refused() {
    let mut play = Play::start().await;
    let spec = json!({ "name": "same" });
    let mine = play.stage("security_groups.mine", &spec, &[]);
    play.bring(&mine).await.unwrap();
    let yours = play.stage("security_groups.yours", &spec, &[]);
    let error = refused(play.bring(&yours).await);
    assert_eq!(error.service_code(), Some("InvalidGroup.Duplicate"));
    assert!(
        error
            .notes()
            .iter()
            .any(|note| note.contains("security_groups.mine")),
        "{error:?}"
    );
}
