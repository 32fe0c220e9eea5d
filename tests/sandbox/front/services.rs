//! Names, faults and stale reads of services in each protocol: JSON (Kinesis), XML by path
//! (Route 53, S3), a form (IAM), CBOR (`CloudWatch`).

use std::time::Duration;

use aws_sdk_cloudwatch::types::{ComparisonOperator, Statistic, Tag as AlarmTag};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use tidewalk::aws::Clients;
use tidewalk::sandbox::{Effect, Fault, Recorded};

use super::{clients, code, control};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// Strikes the next `times` calls of an action with a service, wherever it is asked from.
async fn strike(service: &str, action: &str, times: u32, effect: Effect) {
    let fault = Fault {
        service: Some(service.to_owned()),
        action: Some(action.to_owned()),
        region: None,
        after: 0,
        times,
        effect,
    };
    control().add_faults(&[fault]).await.unwrap();
}

async fn recorded(service: &str, action: &str) -> Vec<Recorded> {
    let all = control().record().await.unwrap().into_iter();
    all.filter(|call| call.service == service && call.action == action)
        .collect()
}

async fn alarm(aws: &Clients, name: &str) {
    let made = aws.cloudwatch.put_metric_alarm().alarm_name(name);
    let made = made
        .namespace("n")
        .metric_name("m")
        .period(60)
        .threshold(1.5);
    let made = made.statistic(Statistic::Sum).evaluation_periods(1);
    let made = made.comparison_operator(ComparisonOperator::GreaterThanThreshold);
    let tag = AlarmTag::builder().key("a").value("b").build();
    made.tags(tag).send().await.unwrap();
}

#[tokio::test]
async fn calls_are_recorded_by_the_names_of_their_operations() {
    let aws = clients("ap-southeast-3").await;
    let place = BucketLocationConstraint::from("ap-southeast-3");
    let place = CreateBucketConfiguration::builder().location_constraint(place);
    let s3 = &aws.s3;
    let make = s3.create_bucket().bucket("named");
    make.create_bucket_configuration(place.build())
        .send()
        .await
        .unwrap();
    let put = s3.put_object().bucket("named").key("a/b c");
    let put = put.body(ByteStream::from_static(b"text")).send().await;
    assert!(put.unwrap().e_tag().is_some());
    let read = s3.get_object().bucket("named").key("a/b c").send().await;
    let body = read.unwrap().body.collect().await.unwrap();
    assert_eq!(body.into_bytes().as_ref(), b"text");
    let head = s3.head_object().bucket("named").key("a/b c").send().await;
    assert_eq!(head.unwrap().content_length(), Some(4));
    s3.get_public_access_block()
        .bucket("named")
        .send()
        .await
        .unwrap();
    let listed = s3.list_objects_v2().bucket("named").send().await.unwrap();
    assert_eq!(listed.contents().len(), 1);
    alarm(&aws, "named").await;
    let alarms = aws.cloudwatch.describe_alarms().alarm_names("named");
    let alarms = alarms.send().await.unwrap();
    assert_eq!(alarms.metric_alarms()[0].threshold(), Some(1.5));
    let since = alarms.metric_alarms()[0].alarm_configuration_updated_timestamp();
    assert!(since.unwrap().secs() > 1_700_000_000);
    let group = aws.scheduler.create_schedule_group().name("named");
    group.send().await.unwrap();
    aws.route53.list_hosted_zones().send().await.unwrap();
    aws.iam.list_roles().send().await.unwrap();
    aws.kinesis.list_streams().send().await.unwrap();
    for (service, action) in [
        ("s3", "CreateBucket"),
        ("s3", "PutObject"),
        ("s3", "GetObject"),
        ("s3", "HeadObject"),
        ("s3", "GetPublicAccessBlock"),
        ("s3", "ListObjectsV2"),
        ("monitoring", "PutMetricAlarm"),
        ("monitoring", "DescribeAlarms"),
        ("scheduler", "CreateScheduleGroup"),
        ("route53", "ListHostedZones"),
        ("iam", "ListRoles"),
        ("kinesis", "ListStreams"),
    ] {
        let calls = recorded(service, action).await;
        assert!(!calls.is_empty(), "{service}:{action}");
        assert!(calls[0].status < 300);
    }
}

#[tokio::test]
async fn every_protocol_is_throttled_in_its_own_words_and_retried_by_the_sdk() {
    let aws = clients("ap-southeast-4").await;
    for (service, action) in [
        ("kinesis", "DescribeLimits"),
        ("iam", "ListUsers"),
        ("route53", "GetHostedZoneCount"),
        ("s3", "ListBuckets"),
        ("monitoring", "ListDashboards"),
        ("scheduler", "ListSchedules"),
        ("tagging", "GetTagKeys"),
    ] {
        strike(service, action, 1, Effect::Throttle).await;
    }
    aws.kinesis.describe_limits().send().await.unwrap();
    aws.iam.list_users().send().await.unwrap();
    aws.route53.get_hosted_zone_count().send().await.unwrap();
    aws.s3.list_buckets().send().await.unwrap();
    aws.cloudwatch.list_dashboards().send().await.unwrap();
    aws.scheduler.list_schedules().send().await.unwrap();
    aws.tagging.get_tag_keys().send().await.unwrap();
    for (service, action, status, code) in [
        ("kinesis", "DescribeLimits", 400, "LimitExceededException"),
        ("iam", "ListUsers", 400, "Throttling"),
        ("route53", "GetHostedZoneCount", 400, "Throttling"),
        ("s3", "ListBuckets", 503, "SlowDown"),
        ("monitoring", "ListDashboards", 400, "Throttling"),
        ("scheduler", "ListSchedules", 429, "ThrottlingException"),
        ("tagging", "GetTagKeys", 400, "ThrottledException"),
    ] {
        let calls = recorded(service, action).await;
        let first = (calls[0].status, calls[0].code.as_deref());
        assert_eq!(first, (status, Some(code)), "{service}");
        assert_eq!(calls[1].status, 200, "{service}");
    }
}

#[tokio::test]
async fn errors_and_lost_answers_in_every_protocol() {
    let aws = clients("ap-southeast-5").await;
    let blocked = || Effect::Error {
        status: 400,
        code: "Blocked".to_owned(),
    };
    strike("kinesis", "ListShards", 1, blocked()).await;
    let answer = aws.kinesis.list_shards().stream_name("x").send().await;
    assert_eq!(code(answer), "Blocked");
    strike("iam", "ListGroups", 1, blocked()).await;
    assert_eq!(code(aws.iam.list_groups().send().await), "Blocked");
    strike("route53", "ListHealthChecks", 1, blocked()).await;
    let answer = aws.route53.list_health_checks().send().await;
    assert_eq!(code(answer), "Blocked");
    strike("s3", "GetBucketPolicy", 1, blocked()).await;
    let answer = aws.s3.get_bucket_policy().bucket("x").send().await;
    assert_eq!(code(answer), "Blocked");
    strike("monitoring", "DescribeAlarmHistory", 1, blocked()).await;
    let answer = aws.cloudwatch.describe_alarm_history().send().await;
    assert_eq!(code(answer), "Blocked");

    // Done, but the answer is lost: the SDK's second attempt meets what the first one did.
    strike("kinesis", "CreateStream", 1, Effect::Lost).await;
    let make = aws.kinesis.create_stream().stream_name("lost");
    let again = make.shard_count(1).send().await;
    assert_eq!(code(again), "ResourceInUseException");
    strike("iam", "CreateGroup", 1, Effect::Lost).await;
    let again = aws.iam.create_group().group_name("lost").send().await;
    assert_eq!(code(again), "EntityAlreadyExists");
    strike("monitoring", "PutMetricAlarm", 1, Effect::Lost).await;
    alarm(&aws, "lost").await;
    assert_eq!(recorded("kinesis", "CreateStream").await[0].status, 200);
}

#[tokio::test]
async fn a_stale_read_gives_the_answer_from_before() {
    let aws = clients("me-central-1").await;
    let stale = || Effect::Stale { ms: 600_000 };
    let streams = async || {
        let answer = aws.kinesis.list_streams().send().await.unwrap();
        answer.stream_names().len()
    };
    assert_eq!(streams().await, 0);
    let make = aws.kinesis.create_stream().stream_name("young");
    make.shard_count(1).send().await.unwrap();
    let fault = Fault {
        service: Some("kinesis".to_owned()),
        action: None,
        region: Some("me-central-1".to_owned()),
        after: 0,
        times: 2,
        effect: stale(),
    };
    control().add_faults(&[fault]).await.unwrap();
    assert_eq!(streams().await, 0, "the answer from before");
    let one = aws.kinesis.describe_stream_summary().stream_name("young");
    let unseen = one.clone().send().await;
    assert_eq!(
        code(unseen),
        "ResourceNotFoundException",
        "never asked before"
    );
    assert_eq!(streams().await, 1);
    one.send().await.unwrap();
    // What happened longer ago than that is seen.
    strike("kinesis", "ListStreams", 1, Effect::Stale { ms: 0 }).await;
    assert_eq!(streams().await, 1);

    let role = aws.iam.create_role().role_name("young");
    role.assume_role_policy_document(TRUST)
        .send()
        .await
        .unwrap();
    strike("iam", "GetRole", 1, stale()).await;
    let get = aws.iam.get_role().role_name("young");
    assert_eq!(code(get.clone().send().await), "NoSuchEntity");
    get.send().await.unwrap();
}

#[tokio::test]
async fn the_front_takes_no_time_of_its_own() {
    let aws = clients("mx-central-1").await;
    aws.kinesis.list_streams().send().await.unwrap();
    let mut times = Vec::new();
    for _ in 0..20 {
        let start = std::time::Instant::now();
        aws.kinesis.list_streams().send().await.unwrap();
        times.push(start.elapsed());
    }
    times.sort();
    // With the emulator's own time in it, on a busy machine.
    assert!(times[0] < Duration::from_millis(40), "{times:?}");
}
