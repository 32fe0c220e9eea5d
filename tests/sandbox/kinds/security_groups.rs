//! The life of security groups.

use aws_sdk_ec2::types::{IpPermission, UserIdGroupPair};
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
        { "ports": "8000-8100", "from": ["db", "self"] },
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

#[tokio::test]
async fn a_group_that_the_stacks_own_rules_hold_is_let_go() {
    let mut play = Play::start().await;
    let db = play.stage("security_groups.db", &json!({}), &[]);
    let (_, held) = play.bring(&db).await.unwrap();
    let spec = json!({ "ingress": [{ "ports": 22, "from": ["db", "10.0.0.0/8"] }] });
    let web = play.stage("security_groups.web", &spec, &[]);
    play.bring(&web).await.unwrap();
    play.delete(&db, &held).await;
    let rest = play.found(&web).await.unwrap();
    let diff = kind("security_groups")
        .diff(web.target(), Some(&rest))
        .unwrap();
    assert_eq!(diff.changes.len(), 1, "{diff:?}");
}

#[tokio::test]
async fn a_group_that_a_strangers_rule_holds_is_left_and_the_rule_named() {
    let mut play = Play::start().await;
    let db = play.stage("security_groups.db", &json!({}), &[]);
    let (_, held) = play.bring(&db).await.unwrap();
    let ec2 = &play.cx.aws.ec2;
    let call = ec2.create_security_group().group_name("theirs");
    let made = call.description("of somebody else").send().await.unwrap();
    let theirs = made.group_id.unwrap();
    let pair = UserIdGroupPair::builder().group_id(&held.id).build();
    let rule = IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(5432)
        .to_port(5432)
        .user_id_group_pairs(pair);
    let call = ec2.authorize_security_group_ingress().group_id(&theirs);
    call.ip_permissions(rule.build()).send().await.unwrap();

    let deletion = kind("security_groups").delete(&play.cx, &held).await;
    let error = deletion.unwrap_err();
    assert_eq!(error.service_code(), Some("DependencyViolation"));
    let note = format!("held by: a rule of {theirs} `theirs` (not ours)");
    assert_eq!(error.notes(), [note]);
    assert!(play.found(&db).await.is_some());
    let listed = ec2
        .describe_security_groups()
        .group_ids(&theirs)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.security_groups()[0].ip_permissions().len(), 1);
}
