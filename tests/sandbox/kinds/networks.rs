//! Networks that something is in.

use std::sync::LazyLock;

use aws_sdk_ec2::types::InstanceType;
use serde_json::json;

use tidewalk::aws::ec2::of_stack;
use tidewalk::sandbox::Effect;

use crate::cloud::{Play, fields, kind, refused};
use crate::front::served;

/// An emulator of its own: the other plays have most of the regions.
async fn play(region: &str) -> Play {
    static ENDPOINT: LazyLock<String> = LazyLock::new(|| served("networks"));
    Play::at(&ENDPOINT, region).await
}

#[tokio::test]
async fn groups_and_instances_are_in_the_network_that_they_name() {
    let mut play = play("eu-west-1").await;
    let network = play.stage("networks.main", &json!({}), &[]);
    let (_, vpc) = play.bring(&network).await.unwrap();
    let subnets = vpc.outputs.0["subnet_ids"].as_array().unwrap().clone();
    assert_eq!(subnets.len(), 2);

    let spec = json!({ "network": "main" });
    let group = play.stage("security_groups.web", &spec, &[]);
    let (_, made) = play.bring(&group).await.unwrap();
    assert_eq!(made.outputs.text("vpc_id"), Some(vpc.id.as_str()));
    let (diff, _) = play.bring(&group).await.unwrap();
    assert!(diff.is_empty(), "{diff:?}");

    let spec = json!({
        "ami": { "ubuntu": "22.04" },
        "instance_type": "t3a.small",
        "network": "main",
        "security_groups": ["web"],
    });
    let server = play.stage("instances.server", &spec, &[]);
    let (_, made) = play.bring(&server).await.unwrap();
    let ec2 = &play.cx.aws.ec2;
    let call = ec2.describe_instances().instance_ids(&made.id).send().await;
    let told = call.unwrap();
    let told = &told.reservations()[0].instances()[0];
    assert_eq!(told.vpc_id(), Some(vpc.id.as_str()));
    assert_eq!(told.subnet_id(), subnets[0].as_str());
    let (diff, _) = play.bring(&server).await.unwrap();
    assert!(diff.is_empty(), "{diff:?}");

    let spec = json!({ "network": "other" });
    let moved = play.stage("security_groups.web", &spec, &[]);
    let live = play.found(&moved).await;
    let diff = kind("security_groups").diff(moved.target(), live.as_ref());
    let diff = diff.unwrap();
    assert_eq!(fields(&diff), ["network"]);
    assert!(diff.replaces());
}

#[tokio::test]
async fn a_network_that_a_strangers_instance_holds_is_left_and_the_holder_named() {
    let mut play = play("eu-west-2").await;
    let network = play.stage("networks.main", &json!({}), &[]);
    let (_, vpc) = play.bring(&network).await.unwrap();
    let subnet = vpc.outputs.0["subnet_ids"][0].as_str().unwrap();
    let ec2 = &play.cx.aws.ec2;
    let images = ec2.describe_images().owners("amazon").send().await.unwrap();
    let call = ec2.run_instances().min_count(1).max_count(1);
    let call = call.image_id(images.images()[0].image_id().unwrap());
    let call = call.subnet_id(subnet).instance_type(InstanceType::T3aSmall);
    let ran = call.send().await.unwrap();
    let theirs = ran.instances()[0].instance_id().unwrap();

    let deletion = kind("networks").delete(&play.cx, &vpc).await;
    let error = deletion.unwrap_err();
    assert_eq!(error.service_code(), Some("DependencyViolation"));
    assert!(error.message().contains(subnet), "{error:?}");
    let note = &error.notes()[0];
    assert!(note.starts_with("held by: eni-"), "{note}");
    assert!(note.ends_with(&format!("(of {theirs})")), "{note}");
    assert!(play.found(&network).await.is_some());
}

#[tokio::test]
async fn a_network_that_was_broken_off_at_any_call_is_finished_by_the_next_run() {
    let mut play = play("eu-west-3").await;
    let refusal = Effect::Error {
        status: 403,
        code: "UnauthorizedOperation".to_owned(),
    };
    for action in [
        "CreateVpc",
        "ModifyVpcAttribute",
        "CreateInternetGateway",
        "AttachInternetGateway",
        "CreateTags",
        "CreateRoute",
        "CreateSubnet",
        "ModifySubnetAttribute",
    ] {
        let network = play.stage("networks.main", &json!({}), &[]);
        play.strike(action, refusal.clone()).await;
        refused(play.bring(&network).await);
        let (_, made) = play.bring(&network).await.unwrap();
        let nouns = |noun: &str| made.parts.iter().filter(|part| part.noun == noun).count();
        let counts = ["subnet", "internet gateway", "route table", "network"].map(nouns);
        assert_eq!(counts, [2, 1, 1, 0], "{action}");
        let (diff, _) = play.bring(&network).await.unwrap();
        assert!(diff.is_empty(), "{action}: {diff:?}");
        play.delete(&network, &made).await;
    }
    let left = play.cx.aws.ec2.describe_internet_gateways();
    let left = left.filters(of_stack(&play.cx.stack)).send().await;
    assert!(left.unwrap().internet_gateways().is_empty());
}
