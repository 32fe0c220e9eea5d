//! Launches that go wrong on the way: each ends with exactly one instance.

use std::sync::atomic::Ordering;

use tidewalk::contract::Found;

use super::{plain, server};
use crate::cloud::{Cloud, Play, kind};
use crate::front::Front;
use crate::stage::Stage;

async fn begin() -> (Front, Play, Stage) {
    let cloud = Cloud::start();
    let front = Front::before(&cloud.endpoint).await;
    let mut play = Play::at(cloud, front.endpoint.clone()).await;
    let stage = server(&mut play, &plain()).await;
    (front, play, stage)
}

async fn launch(play: &Play, stage: &Stage) -> Found {
    kind("instances")
        .apply(&play.cx, stage.target(), None)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_lost_answer_launches_once() {
    let (front, play, stage) = begin().await;
    front.state.lose_answers.store(1, Ordering::SeqCst);
    let made = launch(&play, &stage).await;
    assert_eq!(play.cx.aws.record().0["ec2:RunInstances"].attempts, 2);
    assert_eq!(front.state.launched().len(), 1);
    assert_eq!(play.found(&stage).await.unwrap().id, made.id);
}

#[tokio::test]
async fn a_launch_of_a_killed_run_is_adopted_even_while_it_cannot_be_seen() {
    let (front, play, stage) = begin().await;
    let first = launch(&play, &stage).await;
    front.state.blind.store(2, Ordering::SeqCst);
    let second = launch(&play, &stage).await;
    assert_eq!(second.id, first.id);
    assert_eq!(front.state.launched().len(), 1);
    assert_eq!(front.state.blind.load(Ordering::SeqCst), 0);
    assert_eq!(
        second.outputs.text("host_key"),
        first.outputs.text("host_key")
    );
}

#[tokio::test]
async fn a_token_of_a_dead_instance_is_stepped_over() {
    let (front, play, stage) = begin().await;
    let first = launch(&play, &stage).await;
    kind("instances").delete(&play.cx, &first).await.unwrap();
    front.state.blind.store(1, Ordering::SeqCst);
    let second = launch(&play, &stage).await;
    assert_ne!(second.id, first.id);
    assert_eq!(front.state.launched().len(), 2);
    assert_eq!(play.found(&stage).await.unwrap().id, second.id);
}
