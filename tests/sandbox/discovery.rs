//! Discovery is bulk: `tests/playbooks/kinds/many/KIND.yml` is applied with few and with many of a
//! kind, and a plan of many takes no more calls than one of few, but for what AWS tells of some
//! resources at a time ([`TOLD`]).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

use crate::harness::Beach;

/// How many there are at first, and then.
const FEW: u64 = 2;
const MANY: u64 = 12;

/// Calls that a kind's own listings may take, however many there are of it.
const LISTINGS: u64 = 2;

/// Actions that tell of so many resources of a kind at most, and why. The bounds are upper ones:
/// who asks less often is welcome.
const TOLD: &[(&str, u64, &[&str], &str)] = &[
    (
        "buckets",
        1,
        &[
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketOwnershipControls",
            "s3:GetLifecycleConfiguration",
            "s3:GetBucketPolicy",
        ],
        "S3 tells each setting of one bucket",
    ),
    (
        "keys",
        1,
        &[
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
        ],
        "KMS lists keys by id only, and tells the rest of one",
    ),
    (
        "load_balancers",
        1,
        &[
            "elasticloadbalancing:DescribeLoadBalancerAttributes",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeRules",
        ],
        "attributes and listeners are those of one load balancer, rules those of one listener",
    ),
    (
        "load_balancers",
        20,
        &["elasticloadbalancing:DescribeTags"],
        "DescribeTags takes 20 ARNs",
    ),
    (
        "networks",
        10,
        &["tag:GetResources"],
        "a page has 100 resources, and a network with its parts is up to ten of them",
    ),
    (
        "parameters",
        10,
        &["ssm:GetParameters", "ssm:DescribeParameters"],
        "GetParameters takes 10 names; a page of DescribeParameters has 50, the emulator's 10",
    ),
    (
        "policies",
        1,
        &["iam:GetPolicy", "iam:GetPolicyVersion"],
        "IAM tells the tags and the document of one policy",
    ),
    (
        "repositories",
        1,
        &["ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy"],
        "ECR tells the policies of one repository",
    ),
    (
        "schedules",
        1,
        &["scheduler:GetSchedule"],
        "ListSchedules tells neither the expression nor the task",
    ),
    (
        "services",
        10,
        &["ecs:DescribeServices"],
        "DescribeServices takes 10 names",
    ),
    (
        "streams",
        1,
        &[
            "kinesis:DescribeStreamSummary",
            "kinesis:ListStreamConsumers",
        ],
        "Kinesis tells of one stream, and its consumers",
    ),
    (
        "tables",
        1,
        &[
            "dynamodb:DescribeTable",
            "dynamodb:DescribeTimeToLive",
            "dynamodb:DescribeContinuousBackups",
        ],
        "DynamoDB tells of one table",
    ),
    (
        "target_groups",
        1,
        &[
            "elasticloadbalancing:DescribeTargetGroupAttributes",
            "elasticloadbalancing:DescribeTargetHealth",
        ],
        "attributes and targets are those of one target group",
    ),
    (
        "target_groups",
        20,
        &["elasticloadbalancing:DescribeTags"],
        "DescribeTags takes 20 ARNs",
    ),
    (
        "task_definitions",
        1,
        &["ecs:DescribeTaskDefinition"],
        "ECS tells of one task definition",
    ),
    (
        "topics",
        1,
        &["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"],
        "SNS tells of one topic, and its subscriptions",
    ),
    (
        "zones",
        1,
        &["route53:GetHostedZone"],
        "the name servers and VPCs of a zone are told of one",
    ),
    (
        "zones",
        10,
        &["route53:ListTagsForResources"],
        "ListTagsForResources takes 10 ids",
    ),
];

per_kind! {
    is_bulk, every_kind_is_listed_in_bulk:
    alarms,
    amis,
    buckets,
    clusters,
    elastic_ips,
    fleets,
    instances,
    key_pairs,
    keys,
    launch_templates,
    load_balancers,
    log_groups,
    networks,
    parameters,
    policies,
    records,
    repositories,
    roles,
    schedules,
    secrets,
    security_groups,
    services,
    streams,
    tables,
    target_groups,
    task_definitions,
    topics,
    volumes,
    zones,
}

fn is_bulk(kind: &str) {
    let beach = Beach::without_hosts();
    let playbook = Path::new("tests/playbooks/kinds/many").join(format!("{kind}.yml"));
    std::fs::copy(playbook, beach.folder().join("many.yml")).unwrap();
    let few = calls_of_a_plan(&beach, FEW);
    let many = calls_of_a_plan(&beach, MANY);
    for (action, calls) in &many {
        let before = few.get(action).copied().unwrap_or_default();
        let more = told(kind, action, MANY) - told(kind, action, FEW);
        assert!(
            *calls <= before + more,
            "{FEW} {kind} took {before} of {action}, {MANY} took {calls}"
        );
    }
    let own = crate::cloud::kind(kind).iam().discover;
    let own = own.iter().filter(|action| **action != "tag:GetResources");
    let listings: Vec<(&str, u64)> = own
        .map(|action| {
            let calls = few.get(*action).copied().unwrap_or_default();
            (*action, calls.saturating_sub(told(kind, action, FEW)))
        })
        .filter(|(_, calls)| *calls > 0)
        .collect();
    let took: u64 = listings.iter().map(|(_, calls)| calls).sum();
    assert!(took <= LISTINGS, "listing {kind} took {listings:?}");
}

/// How many calls of an action `count` resources of a kind take by what one call can tell.
fn told(kind: &str, action: &str, count: u64) -> u64 {
    let its = |(name, _, actions, _): &&(&str, u64, &[&str], &str)| {
        *name == kind && actions.contains(&action)
    };
    let row = TOLD.iter().find(its);
    row.map_or(0, |(_, at_once, ..)| count.div_ceil(*at_once))
}

/// Makes so many, and plans again: nothing is left to do.
fn calls_of_a_plan(beach: &Beach, count: u64) -> BTreeMap<String, u64> {
    let count = format!("count={count}");
    let with = ["many.yml", "--sandbox", "--json", "--var", &count];
    let apply = [&["apply"], &with[..], &["--yes", "--parallelism", "16"]];
    beach.expect(0, &apply.concat());
    // The fewer of two: a busy emulator drops a call at times, and it is sent again.
    let plan = || {
        let planned = beach.expect(0, &[&["plan"], &with[..]].concat());
        let last: Json = serde_json::from_str(planned.stdout.lines().last().unwrap()).unwrap();
        serde_json::from_value::<BTreeMap<String, u64>>(last["calls"].clone()).unwrap()
    };
    let (mut first, second) = (plan(), plan());
    first.retain(|action, _| second.contains_key(action));
    for (action, calls) in &mut first {
        *calls = second[action].min(*calls);
    }
    first
}
