//! The Tagging API over several services.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use aws_sdk_resourcegroupstagging::types::TagFilter;
use tidewalk::aws::Clients;
use tidewalk::sandbox;

use super::{clients, code};

/// Services and types of all that is tagged so in the region.
async fn found(aws: &Clients, per_page: i32) -> BTreeSet<String> {
    let filter = TagFilter::builder().key("stack").values("t").build();
    let pages = aws.tagging.get_resources().tag_filters(filter);
    let mut pages = pages.resources_per_page(per_page).into_paginator().send();
    let mut kinds = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        assert!(page.resource_tag_mapping_list().len() <= usize::try_from(per_page).unwrap());
        for mapping in page.resource_tag_mapping_list() {
            let arn = mapping.resource_arn().unwrap();
            let parts: Vec<&str> = arn.splitn(6, ':').collect();
            let kind = parts[5].split(['/', ':']).next().unwrap();
            kinds.insert(format!("{}:{kind}", parts[2]));
        }
    }
    kinds
}

async fn make(aws: &Clients) {
    let stream = aws.kinesis.create_stream().stream_name("t").shard_count(1);
    stream.tags("stack", "t").send().await.unwrap();
    let tag = aws_sdk_ecr::types::Tag::builder().key("stack").value("t");
    let repository = aws.ecr.create_repository().repository_name("tagged");
    repository.tags(tag.build().unwrap()).send().await.unwrap();
    let tag = aws_sdk_ecs::types::Tag::builder().key("stack").value("t");
    let cluster = aws.ecs.create_cluster().cluster_name("t");
    cluster.tags(tag.build()).send().await.unwrap();
    let tag = aws_sdk_scheduler::types::Tag::builder().key("stack");
    let group = aws.scheduler.create_schedule_group().name("t");
    let tag = tag.value("t").build().unwrap();
    group.tags(tag).send().await.unwrap();
    let group = aws.logs.create_log_group().log_group_name("/t");
    group.tags("stack", "t").send().await.unwrap();
    let tag = aws_sdk_sns::types::Tag::builder().key("stack").value("t");
    let topic = aws.sns.create_topic().name("t");
    topic.tags(tag.build().unwrap()).send().await.unwrap();
    let tags = || Tag::builder().key("stack").value("t").build();
    let specification = |of| {
        TagSpecification::builder()
            .resource_type(of)
            .tags(tags())
            .build()
    };
    let key = aws.ec2.create_key_pair().key_name("t");
    key.tag_specifications(specification(ResourceType::KeyPair))
        .send()
        .await
        .unwrap();
    let address = aws.ec2.allocate_address();
    address
        .tag_specifications(specification(ResourceType::ElasticIp))
        .send()
        .await
        .unwrap();
    let profile = aws.iam.create_instance_profile().instance_profile_name("t");
    let tag = aws_sdk_iam::types::Tag::builder().key("stack").value("t");
    profile.tags(tag.build().unwrap()).send().await.unwrap();
}

#[tokio::test]
async fn everything_that_is_tagged_is_found_where_aws_finds_it() {
    let aws = clients("ca-west-1").await;
    make(&aws).await;
    let wanted = [
        "ec2:elastic-ip",
        "ec2:key-pair",
        "ecr:repository",
        "ecs:cluster",
        "kinesis:stream",
        "logs:log-group",
        "scheduler:schedule-group",
        "sns:t",
    ];
    assert_eq!(found(&aws, 3).await, wanted.map(str::to_owned).into());
    let everywhere = found(&clients("us-east-1").await, 100).await;
    assert!(
        everywhere.contains("iam:instance-profile"),
        "{everywhere:?}"
    );

    let some = aws
        .tagging
        .get_resources()
        .resource_type_filters("ec2:key-pair");
    let some = some.resource_type_filters("sns").send().await.unwrap();
    assert_eq!(some.resource_tag_mapping_list().len(), 2);
    let arn = format!("arn:aws:sns:ca-west-1:{}:t", sandbox::ACCOUNT);
    let mixed = aws.tagging.get_resources().resource_arn_list(arn);
    mixed.clone().send().await.unwrap();
    let mixed = mixed.resource_type_filters("sns").send().await;
    assert_eq!(code(mixed), "InvalidParameterException");

    aws.kinesis
        .delete_stream()
        .stream_name("t")
        .send()
        .await
        .unwrap();
    assert!(!found(&aws, 100).await.contains("kinesis:stream"));
}
