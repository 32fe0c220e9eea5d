//! Faults on demand, and the record of calls.

use std::time::{Duration, Instant};

use tidewalk::sandbox::{Effect, Fault, Recorded};

use super::{client, code, control, instance, launch, shared};

/// Strikes the next `times` calls of an action in a region.
async fn strike(region: &str, action: &str, times: u32, effect: Effect) {
    let fault = Fault {
        service: Some("ec2".to_owned()),
        action: Some(action.to_owned()),
        region: Some(region.to_owned()),
        after: 0,
        times,
        effect,
    };
    control().add_faults(&[fault]).await.unwrap();
}

async fn recorded(region: &str, action: &str) -> Vec<Recorded> {
    let all = control().record().await.unwrap().into_iter();
    all.filter(|call| call.region == region && call.action == action)
        .collect()
}

#[tokio::test]
async fn throttled_calls_are_told_so_and_retried_by_the_sdk() {
    let region = "af-south-1";
    let ec2 = client(shared(), region);
    strike(region, "DescribeVpcs", 2, Effect::Throttle).await;
    ec2.describe_vpcs().send().await.unwrap();
    let calls = recorded(region, "DescribeVpcs").await;
    let codes: Vec<_> = calls
        .iter()
        .map(|call| (call.status, call.code.as_deref()))
        .collect();
    let throttled = (503, Some("RequestLimitExceeded"));
    assert_eq!(codes, [throttled, throttled, (200, None)]);
    assert_eq!(calls[0].fault.as_deref(), Some("throttle"));
    assert!(calls[0].user_agent.contains("aws-sdk-rust"));
    assert_eq!(calls[0].service, "ec2");
}

#[tokio::test]
async fn errors_come_with_the_status_and_code_asked_for() {
    let region = "ap-east-1";
    let ec2 = client(shared(), region);
    let effect = Effect::Error {
        status: 400,
        code: "Blocked".to_owned(),
    };
    strike(region, "DescribeVpcs", 1, effect).await;
    assert_eq!(code(ec2.describe_vpcs().send().await), "Blocked");
    ec2.describe_vpcs().send().await.unwrap();
}

#[tokio::test]
async fn late_answers_are_late() {
    let region = "ap-south-2";
    let ec2 = client(shared(), region);
    strike(region, "DescribeVpcs", 1, Effect::Latency { ms: 700 }).await;
    let start = Instant::now();
    ec2.describe_vpcs().send().await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(700));
}

#[tokio::test]
async fn a_reset_call_was_not_done() {
    let region = "eu-south-1";
    let ec2 = client(shared(), region);
    strike(region, "CreateSecurityGroup", 9, Effect::Reset).await;
    let make = ec2
        .create_security_group()
        .group_name("g")
        .description("test");
    make.clone()
        .send()
        .await
        .expect_err("every attempt is cut off");
    control().clear_faults().await.unwrap();
    make.send().await.expect("it was not made before");
}

#[tokio::test]
async fn a_lost_answer_leaves_one_instance_when_the_call_is_repeated() {
    let region = "eu-central-2";
    let ec2 = client(shared(), region);
    let ask = launch(&ec2).await;
    strike(region, "RunInstances", 1, Effect::Lost).await;
    // The SDK repeats it by itself, with the same token.
    let answer = ask.send().await.unwrap();
    let calls = recorded(region, "RunInstances").await;
    assert_eq!(calls.len(), 2);
    assert_eq!(
        (calls[0].fault.as_deref(), calls[0].status),
        (Some("lost"), 200)
    );
    let all = ec2.describe_instances().send().await.unwrap();
    assert_eq!(all.reservations().len(), 1);
    assert_eq!(
        all.reservations()[0].instances()[0].instance_id(),
        answer.instances()[0].instance_id()
    );
}

#[tokio::test]
async fn a_stale_read_does_not_see_what_is_young() {
    let region = "eu-south-2";
    let ec2 = client(shared(), region);
    let answer = launch(&ec2).await.send().await.unwrap();
    let id = answer.instances()[0].instance_id().unwrap();
    strike(
        region,
        "DescribeInstances",
        2,
        Effect::Stale { ms: 600_000 },
    )
    .await;
    let all = ec2.describe_instances().send().await.unwrap();
    assert!(all.reservations().is_empty());
    let one = ec2.describe_instances().instance_ids(id).send().await;
    assert_eq!(code(one), "InvalidInstanceID.NotFound");
    instance(&ec2, id).await;
    strike(region, "DescribeInstances", 1, Effect::Stale { ms: 0 }).await;
    instance(&ec2, id).await;
}
