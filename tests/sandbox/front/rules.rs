//! What AWS refuses and the emulator alone does not.

use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, IpPermission, Tag, UserIdGroupPair,
};

use super::{client, code, control, filter, instance, launch, launched, shared, state};

#[tokio::test]
async fn one_token_makes_one_instance_even_when_asked_at_once() {
    let ec2 = client(shared(), "us-east-1");
    let ask = launch(&ec2).await.client_token("one");
    let asks = std::iter::repeat_with(|| ask.clone().send()).take(4);
    let answers = futures::future::join_all(asks).await;
    let ids: Vec<String> = answers
        .into_iter()
        .map(|answer| {
            answer.unwrap().instances()[0]
                .instance_id()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let all = ec2.describe_instances().send().await.unwrap();
    assert_eq!(all.reservations().len(), 1);

    let again = ask.send().await.unwrap();
    assert_eq!(
        again.instances()[0].image_id(),
        instance(&ec2, &ids[0]).await.image_id()
    );
    assert_eq!(
        again.reservation_id(),
        all.reservations()[0].reservation_id()
    );
}

#[tokio::test]
async fn one_token_with_other_parameters_is_a_mismatch() {
    let ec2 = client(shared(), "us-east-2");
    let ask = launch(&ec2).await.client_token("two");
    ask.clone().send().await.unwrap();
    let other = ask.clone().instance_type("t3.medium".into()).send().await;
    assert_eq!(code(other), "IdempotentParameterMismatch");
    // A refused launch does not use its token up.
    let refused = ask
        .clone()
        .client_token("three")
        .image_id("ami-00000000000000000");
    assert_eq!(code(refused.send().await), "InvalidAMIID.NotFound");
    ask.client_token("three").send().await.unwrap();
}

#[tokio::test]
async fn a_protected_instance_is_not_terminated_nor_any_other_of_the_request() {
    let ec2 = client(shared(), "us-west-1");
    let plain = launched(&ec2).await;
    let answer = launch(&ec2)
        .await
        .disable_api_termination(true)
        .send()
        .await
        .unwrap();
    let protected = answer.instances()[0].instance_id().unwrap();
    let both = ec2
        .terminate_instances()
        .instance_ids(&plain)
        .instance_ids(protected);
    assert_eq!(code(both.clone().send().await), "OperationNotPermitted");
    assert_eq!(state(&instance(&ec2, &plain).await).as_str(), "running");
    let attribute = ec2
        .describe_instance_attribute()
        .instance_id(protected)
        .attribute("disableApiTermination".into())
        .send()
        .await
        .unwrap();
    assert_eq!(
        attribute.disable_api_termination().unwrap().value(),
        Some(true)
    );

    ec2.modify_instance_attribute()
        .instance_id(protected)
        .disable_api_termination(AttributeBooleanValue::builder().value(false).build())
        .send()
        .await
        .unwrap();
    both.send().await.unwrap();
    assert_eq!(
        state(&instance(&ec2, protected).await).as_str(),
        "terminated"
    );
}

#[tokio::test]
async fn a_group_in_use_is_not_deleted() {
    let ec2 = client(shared(), "us-west-2");
    let group = async |name: &str| {
        let made = ec2
            .create_security_group()
            .group_name(name)
            .description("test");
        made.send().await.unwrap().group_id.unwrap()
    };
    let (used, named) = (group("used").await, group("named").await);
    let answer = launch(&ec2)
        .await
        .security_group_ids(&used)
        .send()
        .await
        .unwrap();
    let id = answer.instances()[0].instance_id().unwrap();
    let delete = async |id: &str| ec2.delete_security_group().group_id(id).send().await;
    assert_eq!(code(delete(&used).await), "DependencyViolation");
    let calls = control().record().await.unwrap().into_iter();
    let mut refusals = calls.filter(|call| call.action == "DeleteSecurityGroup");
    let refusal = refusals.find(|call| call.region == "us-west-2").unwrap();
    assert_eq!(refusal.code.as_deref(), Some("DependencyViolation"));
    assert_eq!(refusal.resources, [used.as_str()]);
    assert!(refusal.rule.is_some());
    ec2.terminate_instances()
        .instance_ids(id)
        .send()
        .await
        .unwrap();

    let pair = UserIdGroupPair::builder().group_id(&named).build();
    let rule = IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(22)
        .to_port(22)
        .user_id_group_pairs(pair)
        .build();
    let add = ec2
        .authorize_security_group_ingress()
        .group_id(&used)
        .ip_permissions(rule);
    add.clone().send().await.unwrap();
    assert_eq!(code(add.send().await), "InvalidPermission.Duplicate");
    assert_eq!(code(delete(&named).await), "DependencyViolation");
    delete(&used).await.unwrap();
    delete(&named).await.unwrap();
}

#[tokio::test]
async fn an_associated_address_is_not_released() {
    let ec2 = client(shared(), "eu-west-2");
    let id = launched(&ec2).await;
    let made = ec2.allocate_address().send().await.unwrap();
    let allocation = made.allocation_id().unwrap();
    let associate = ec2
        .associate_address()
        .allocation_id(allocation)
        .instance_id(&id);
    let association = associate.send().await.unwrap().association_id.unwrap();
    assert_eq!(
        instance(&ec2, &id).await.public_ip_address(),
        made.public_ip()
    );
    let release = ec2.release_address().allocation_id(allocation);
    assert_eq!(code(release.clone().send().await), "InvalidIPAddress.InUse");
    ec2.disassociate_address()
        .association_id(association)
        .send()
        .await
        .unwrap();
    assert_ne!(
        instance(&ec2, &id).await.public_ip_address(),
        made.public_ip()
    );
    release.send().await.unwrap();
}

#[tokio::test]
async fn an_address_is_free_again_when_its_instance_is_terminated() {
    let ec2 = client(shared(), "eu-west-3");
    let id = launched(&ec2).await;
    let made = ec2.allocate_address().send().await.unwrap();
    let allocation = made.allocation_id().unwrap();
    ec2.associate_address()
        .allocation_id(allocation)
        .instance_id(&id)
        .send()
        .await
        .unwrap();
    ec2.terminate_instances()
        .instance_ids(&id)
        .send()
        .await
        .unwrap();
    let listed = ec2
        .describe_addresses()
        .allocation_ids(allocation)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.addresses()[0].association_id(), None);
    ec2.release_address()
        .allocation_id(allocation)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn what_may_be_done_depends_on_the_state() {
    let ec2 = client(shared(), "eu-central-1");
    let id = launched(&ec2).await;
    let resize = ec2
        .modify_instance_attribute()
        .instance_id(&id)
        .instance_type(AttributeValue::builder().value("t3.medium").build());
    assert_eq!(code(resize.clone().send().await), "IncorrectInstanceState");
    ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    let reboot = ec2.reboot_instances().instance_ids(&id);
    assert_eq!(code(reboot.send().await), "IncorrectInstanceState");
    resize.send().await.unwrap();
    assert_eq!(
        instance(&ec2, &id).await.instance_type().unwrap().as_str(),
        "t3.medium"
    );
    ec2.terminate_instances()
        .instance_ids(&id)
        .send()
        .await
        .unwrap();
    let start = ec2.start_instances().instance_ids(&id);
    assert_eq!(code(start.send().await), "IncorrectInstanceState");
    let stop = ec2.stop_instances().instance_ids(&id);
    assert_eq!(code(stop.send().await), "IncorrectInstanceState");
}

#[tokio::test]
async fn tag_keys_of_aws_are_refused() {
    let ec2 = client(shared(), "eu-north-1");
    let id = launched(&ec2).await;
    let tag = |key: &str| Tag::builder().key(key).value("x").build();
    let with = |key: &str| ec2.create_tags().resources(&id).tags(tag(key));
    assert_eq!(code(with("aws:mine").send().await), "InvalidParameterValue");
    with("awsome").send().await.unwrap();
    let found = ec2
        .describe_tags()
        .filters(filter("resource-id", &id))
        .send()
        .await
        .unwrap();
    assert_eq!(found.tags().len(), 1);
}

#[tokio::test]
async fn unknown_images_keys_and_types_are_refused() {
    let ec2 = client(shared(), "ap-southeast-1");
    let ask = launch(&ec2).await;
    let refused = [
        (
            ask.clone().image_id("ami-00000000000000000"),
            "InvalidAMIID.NotFound",
        ),
        (ask.clone().key_name("nobody"), "InvalidKeyPair.NotFound"),
        (
            ask.clone().instance_type("t99.huge".into()),
            "InvalidParameterValue",
        ),
    ];
    for (ask, wanted) in refused {
        assert_eq!(code(ask.send().await), wanted);
    }
    let all = ec2.describe_instances().send().await.unwrap();
    assert!(all.reservations().is_empty());
    ec2.delete_key_pair()
        .key_name("nobody")
        .send()
        .await
        .unwrap();
    let same = ec2
        .create_security_group()
        .group_name("same")
        .description("test");
    same.clone().send().await.unwrap();
    assert_eq!(code(same.send().await), "InvalidGroup.Duplicate");
}
