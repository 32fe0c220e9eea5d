//! Launches that go wrong on the way: each ends with exactly one instance.

use tidewalk::contract::Found;
use tidewalk::sandbox::Effect;

use super::{plain, server};
use crate::cloud::{Play, kind};
use crate::stage::Stage;

/// Longer than any test takes.
const YOUNG: Effect = Effect::Stale { ms: 3_600_000 };

async fn begin() -> (Play, Stage) {
    let mut play = Play::start().await;
    let stage = server(&mut play, &plain()).await;
    (play, stage)
}

async fn launch(play: &Play, stage: &Stage) -> Found {
    let launched = kind("instances")
        .apply(&play.cx, stage.target(), None)
        .await;
    launched.unwrap()
}

/// The instances of the region, dead ones too.
async fn instances(play: &Play) -> usize {
    let listed = play.cx.aws.ec2.describe_instances().send().await.unwrap();
    listed
        .reservations()
        .iter()
        .map(|one| one.instances().len())
        .sum()
}

#[tokio::test]
async fn a_lost_answer_launches_once() {
    let (play, stage) = begin().await;
    play.strike("RunInstances", Effect::Lost).await;
    let made = launch(&play, &stage).await;
    assert_eq!(play.cx.aws.record().0["ec2:RunInstances"].attempts, 2);
    assert_eq!(instances(&play).await, 1);
    assert_eq!(play.found(&stage).await.unwrap().id, made.id);
}

#[tokio::test]
async fn a_launch_of_a_killed_run_is_adopted_even_while_it_cannot_be_seen() {
    let (play, stage) = begin().await;
    let first = launch(&play, &stage).await;
    play.strike("DescribeInstances", YOUNG).await;
    let second = launch(&play, &stage).await;
    assert_eq!(play.cx.aws.record().0["ec2:RunInstances"].calls, 2);
    assert_eq!(second.id, first.id);
    assert_eq!(instances(&play).await, 1);
    assert_eq!(
        second.outputs.text("host_key"),
        first.outputs.text("host_key")
    );
}

#[tokio::test]
async fn a_token_of_a_dead_instance_is_stepped_over() {
    let (play, stage) = begin().await;
    let first = launch(&play, &stage).await;
    kind("instances").delete(&play.cx, &first).await.unwrap();
    play.strike("DescribeInstances", YOUNG).await;
    let second = launch(&play, &stage).await;
    assert_eq!(play.cx.aws.record().0["ec2:RunInstances"].calls, 3);
    assert_ne!(second.id, first.id);
    assert_eq!(play.found(&stage).await.unwrap().id, second.id);
}

#[tokio::test]
async fn a_throttled_launch_is_tried_again() {
    let (play, stage) = begin().await;
    play.strike("RunInstances", Effect::Throttle).await;
    launch(&play, &stage).await;
    let count = play.cx.aws.record().0["ec2:RunInstances"];
    assert_eq!((count.calls, count.attempts, count.throttled), (1, 2, 1));
}

#[tokio::test]
async fn lost_answers_leave_no_second_group_key_or_address() {
    let (mut play, _) = begin().await;
    for (action, address, spec) in [
        (
            "CreateSecurityGroup",
            "security_groups.web",
            serde_json::json!({}),
        ),
        (
            "ImportKeyPair",
            "key_pairs.two",
            serde_json::json!({ "create": { "private_key": "k" } }),
        ),
        ("AllocateAddress", "elastic_ips.a", serde_json::json!({})),
    ] {
        play.strike(action, Effect::Lost).await;
        let stage = play.stage(address, &spec, &[]);
        // `bring` fails when discovery finds two.
        play.bring(&stage).await.unwrap();
        let record = play.cx.aws.record();
        assert!(record.0[&format!("ec2:{action}")].attempts >= 2, "{action}");
    }
}
