//! What services other than EC2's instances refuse as AWS does, and the emulator would not.

use aws_sdk_autoscaling::types::LaunchTemplateSpecification;
use aws_sdk_ec2::types::RequestLaunchTemplateData;
use aws_sdk_ecs::types::{ContainerDefinition, ServiceField};
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerStateEnum,
    ProtocolEnum, TargetTypeEnum,
};
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecord, ResourceRecordSet, RrType,
};
use tidewalk::aws::Clients;

use super::{clients, code};

#[tokio::test]
async fn kinesis() {
    let aws = clients("us-gov-west-1").await;
    let kinesis = &aws.kinesis;
    let make = kinesis.create_stream().stream_name("s").shard_count(1);
    make.tags("a", "b").send().await.unwrap();
    let tags = kinesis.list_tags_for_stream().stream_name("s").send().await;
    assert_eq!(tags.unwrap().tags()[0].key(), "a");
    let about = kinesis.describe_stream_summary().stream_name("s");
    let about = about
        .send()
        .await
        .unwrap()
        .stream_description_summary
        .unwrap();
    let consumer = kinesis.register_stream_consumer().consumer_name("c");
    let consumer = consumer.stream_arn(about.stream_arn());
    consumer.clone().send().await.unwrap();
    assert_eq!(code(consumer.send().await), "ResourceInUseException");
    let delete = kinesis.delete_stream().stream_name("s");
    assert_eq!(code(delete.clone().send().await), "ResourceInUseException");
    delete.enforce_consumer_deletion(true).send().await.unwrap();
}

fn batch(action: ChangeAction, value: &str) -> ChangeBatch {
    let record = ResourceRecord::builder().value(value).build().unwrap();
    let set = ResourceRecordSet::builder().name("a.refused.test").ttl(60);
    let set = set.r#type(RrType::A).resource_records(record).build();
    let change = Change::builder().action(action);
    let change = change.resource_record_set(set.unwrap()).build().unwrap();
    ChangeBatch::builder().changes(change).build().unwrap()
}

#[tokio::test]
async fn route53() {
    let aws = clients("us-east-1").await;
    let make = aws.route53.create_hosted_zone().name("refused.test");
    let make = make.caller_reference("refused");
    let zone = make.clone().send().await.unwrap().hosted_zone.unwrap();
    assert_eq!(code(make.send().await), "HostedZoneAlreadyExists");
    let change = async |action: ChangeAction, value: &str| {
        let change = aws.route53.change_resource_record_sets();
        let change = change.hosted_zone_id(zone.id());
        change.change_batch(batch(action, value)).send().await
    };
    let made = change(ChangeAction::Create, "1.1.1.1").await.unwrap();
    let made = made.change_info.unwrap();
    assert_eq!(made.status(), &ChangeStatus::Pending);
    let ask = aws.route53.get_change().id(made.id());
    for wanted in [ChangeStatus::Pending, ChangeStatus::Insync] {
        let answer = ask.clone().send().await.unwrap();
        assert_eq!(answer.change_info.unwrap().status, wanted);
    }
    let again = change(ChangeAction::Create, "2.2.2.2").await;
    assert_eq!(code(again), "InvalidChangeBatch");
    change(ChangeAction::Upsert, "2.2.2.2").await.unwrap();
    let wrong = change(ChangeAction::Delete, "1.1.1.1").await;
    assert_eq!(code(wrong), "InvalidChangeBatch");
    let delete = aws.route53.delete_hosted_zone().id(zone.id());
    assert_eq!(code(delete.clone().send().await), "HostedZoneNotEmpty");
    change(ChangeAction::Delete, "2.2.2.2").await.unwrap();
    let gone = change(ChangeAction::Delete, "2.2.2.2").await;
    assert_eq!(code(gone), "InvalidChangeBatch");
    delete.send().await.unwrap();
}

async fn subnets(aws: &Clients) -> (String, Vec<String>) {
    let answer = aws.ec2.describe_subnets().send().await.unwrap();
    let subnets = answer.subnets();
    let ids = subnets.iter().map(|it| it.subnet_id().unwrap().to_owned());
    (subnets[0].vpc_id().unwrap().to_owned(), ids.collect())
}

#[tokio::test]
async fn load_balancing() {
    let aws = clients("ap-southeast-7").await;
    let (network, subnets) = subnets(&aws).await;
    let make = aws.elb.create_load_balancer().name("lb");
    let make = make.set_subnets(Some(subnets[..2].to_vec()));
    let made = make.clone().send().await.unwrap();
    let arn = made.load_balancers()[0].load_balancer_arn().unwrap();
    let again = make.clone().send().await.unwrap();
    assert_eq!(again.load_balancers()[0].load_balancer_arn(), Some(arn));
    let other = make.scheme(LoadBalancerSchemeEnum::Internal).send().await;
    assert_eq!(code(other), "DuplicateLoadBalancerName");
    let there = aws.elb.describe_load_balancers().names("lb").send().await;
    let there = there.unwrap().load_balancers.unwrap().remove(0);
    let state = there.state.unwrap().code;
    assert_eq!(state, Some(LoadBalancerStateEnum::Active));

    let make = aws.elb.create_target_group().name("tg").vpc_id(network);
    let make = make.protocol(ProtocolEnum::Http).port(80);
    let make = make.target_type(TargetTypeEnum::Ip);
    let group = make.clone().send().await.unwrap();
    let group = group.target_groups()[0].target_group_arn().unwrap();
    let other = make.health_check_path("/other").send().await;
    assert_eq!(code(other), "DuplicateTargetGroupName");
    let forward = Action::builder().r#type(ActionTypeEnum::Forward);
    let forward = forward.target_group_arn(group).build();
    let listen = aws.elb.create_listener().load_balancer_arn(arn).port(80);
    let listen = listen.protocol(ProtocolEnum::Http).default_actions(forward);
    let listener = listen.clone().send().await.unwrap();
    assert_eq!(listener.listeners()[0].ssl_policy(), None);
    assert_eq!(code(listen.send().await), "DuplicateListener");
    let many = aws.elb.describe_tags();
    let many = many.set_resource_arns(Some(vec![arn.to_owned(); 21]));
    assert_eq!(code(many.send().await), "ValidationError");
    let delete = aws.elb.delete_target_group().target_group_arn(group);
    assert_eq!(code(delete.clone().send().await), "ResourceInUse");

    let protect = async |value: &str| {
        let attribute = LoadBalancerAttribute::builder();
        let attribute = attribute.key("deletion_protection.enabled").value(value);
        let modify = aws.elb.modify_load_balancer_attributes();
        let modify = modify.load_balancer_arn(arn).attributes(attribute.build());
        modify.send().await.unwrap();
    };
    let gone = aws.elb.delete_load_balancer().load_balancer_arn(arn);
    protect("true").await;
    assert_eq!(code(gone.clone().send().await), "OperationNotPermitted");
    protect("false").await;
    gone.send().await.unwrap();
    delete.send().await.unwrap();
}

#[tokio::test]
async fn ecs() {
    let aws = clients("ap-southeast-6").await;
    let (_, subnets) = subnets(&aws).await;
    let make = aws.ecs.create_cluster().cluster_name("c");
    make.clone().send().await.unwrap();
    let container = ContainerDefinition::builder().name("x").image("y");
    let register = aws.ecs.register_task_definition().family("f").cpu("256");
    let register = register.container_definitions(container.memory(64).build());
    let first = register.clone().send().await.unwrap();
    register.send().await.unwrap();
    let network = aws_sdk_ecs::types::AwsVpcConfiguration::builder();
    let network = network.subnets(&subnets[0]).build().unwrap();
    let network = aws_sdk_ecs::types::NetworkConfiguration::builder().awsvpc_configuration(network);
    let run = aws.ecs.create_service().cluster("c").service_name("s");
    let run = run.task_definition("f:2").desired_count(2);
    let run = run.network_configuration(network.build());
    let run = run.health_check_grace_period_seconds(10);
    run.clone().send().await.unwrap();
    assert_eq!(code(run.send().await), "InvalidParameterException");
    let ask = aws.ecs.describe_services().cluster("c").services("s");
    let ask = ask.include(ServiceField::Tags);
    let there = ask.clone().send().await.unwrap();
    let there = &there.services()[0];
    assert_eq!((there.running_count(), there.pending_count()), (2, 0));
    assert_eq!(there.health_check_grace_period_seconds(), Some(10));
    let delete = aws.ecs.delete_cluster().cluster("c");
    let held = code(delete.clone().send().await);
    assert_eq!(held, "ClusterContainsServicesException");
    let stop = aws.ecs.delete_service().cluster("c").service("s");
    assert_eq!(code(stop.clone().send().await), "InvalidParameterException");
    stop.force(true).send().await.unwrap();
    let gone = ask.send().await.unwrap();
    assert_eq!(gone.services()[0].status(), Some("INACTIVE"));
    let listed = aws.ecs.list_services().cluster("c").send().await.unwrap();
    assert!(listed.service_arns().is_empty());
    delete.send().await.unwrap();
    let listed = aws.ecs.list_clusters().send().await.unwrap();
    assert!(listed.cluster_arns().is_empty());

    let arn = first
        .task_definition()
        .unwrap()
        .task_definition_arn()
        .unwrap();
    let forget = aws.ecs.delete_task_definitions().task_definitions(arn);
    let refused = forget.clone().send().await.unwrap();
    assert_eq!(refused.failures().len(), 1);
    let end = aws.ecs.deregister_task_definition().task_definition(arn);
    end.send().await.unwrap();
    let about = aws.ecs.describe_task_definition().task_definition(arn);
    let inactive = about.clone().send().await.unwrap().task_definition.unwrap();
    assert_eq!(inactive.status().unwrap().as_str(), "INACTIVE");
    forget.send().await.unwrap();
    assert_eq!(code(about.send().await), "ClientException");
}

#[tokio::test]
async fn names_keys_and_values() {
    let aws = clients("us-gov-east-1").await;
    let group = aws.scheduler.create_schedule_group().name("g");
    group.clone().send().await.unwrap();
    assert_eq!(code(group.send().await), "ConflictException");

    let secret = aws.secrets.create_secret().name("n").secret_string("x");
    secret.clone().send().await.unwrap();
    let delete = aws.secrets.delete_secret().secret_id("n");
    delete.recovery_window_in_days(7).send().await.unwrap();
    assert_eq!(code(secret.clone().send().await), "InvalidRequestException");
    let delete = aws.secrets.delete_secret().secret_id("n");
    let delete = delete.force_delete_without_recovery(true);
    delete.send().await.unwrap();
    secret.send().await.unwrap();

    let group = aws.logs.create_log_group().log_group_name("l");
    group.send().await.unwrap();
    let keep = aws.logs.put_retention_policy().log_group_name("l");
    let odd = keep.clone().retention_in_days(8).send().await;
    assert_eq!(code(odd), "InvalidParameterException");
    keep.retention_in_days(7).send().await.unwrap();

    let topic = aws.sns.create_topic().name("t");
    let arn = topic.clone().send().await.unwrap().topic_arn.unwrap();
    let other = topic.attributes("DisplayName", "x").send().await;
    assert_eq!(code(other), "InvalidParameter");
    let subscribe = aws.sns.subscribe().topic_arn(&arn).protocol("email");
    subscribe.endpoint("a@example.com").send().await.unwrap();
    let listed = aws.sns.list_subscriptions_by_topic().topic_arn(&arn);
    let listed = listed.send().await.unwrap();
    let one = listed.subscriptions()[0].subscription_arn();
    assert_eq!(one, Some("PendingConfirmation"));

    let none = aws.cloudwatch.delete_alarms().alarm_names("none").send();
    assert_eq!(code(none.await), "ResourceNotFound");

    let key = aws.kms.create_key().send().await.unwrap();
    let key = key.key_metadata.unwrap().key_id;
    let delete = aws.kms.schedule_key_deletion().key_id(&key);
    delete.pending_window_in_days(7).send().await.unwrap();
    let rotate = aws.kms.enable_key_rotation().key_id(&key).send().await;
    assert_eq!(code(rotate), "KMSInvalidStateException");
    let alias = aws.kms.create_alias().alias_name("alias/a");
    let alias = alias.target_key_id(&key).send().await;
    assert_eq!(code(alias), "KMSInvalidStateException");
}

#[tokio::test]
async fn networks_volumes_and_images() {
    let aws = clients("af-south-1").await;
    let ec2 = &aws.ec2;
    let network = ec2.create_vpc().cidr_block("10.9.0.0/16").send().await;
    let network = network.unwrap().vpc.unwrap().vpc_id.unwrap();
    let subnet = ec2.create_subnet().vpc_id(&network);
    let subnet = subnet.cidr_block("10.9.1.0/24").send().await.unwrap();
    let subnet = subnet.subnet.unwrap().subnet_id.unwrap();
    let interface = ec2.create_network_interface().subnet_id(&subnet);
    let interface = interface.send().await.unwrap().network_interface.unwrap();
    let delete = ec2.delete_subnet().subnet_id(&subnet);
    assert_eq!(code(delete.clone().send().await), "DependencyViolation");
    let free = ec2.delete_network_interface();
    let free = free.set_network_interface_id(interface.network_interface_id);
    free.send().await.unwrap();
    delete.send().await.unwrap();
    let gateway = ec2.create_internet_gateway().send().await.unwrap();
    let gateway = gateway
        .internet_gateway
        .unwrap()
        .internet_gateway_id
        .unwrap();
    let attach = ec2.attach_internet_gateway().vpc_id(&network);
    attach.internet_gateway_id(&gateway).send().await.unwrap();
    let delete = ec2.delete_vpc().vpc_id(&network);
    assert_eq!(code(delete.clone().send().await), "DependencyViolation");
    let held = ec2.delete_internet_gateway().internet_gateway_id(&gateway);
    assert_eq!(code(held.send().await), "DependencyViolation");
    let detach = ec2.detach_internet_gateway().vpc_id(&network);
    detach.internet_gateway_id(&gateway).send().await.unwrap();
    let group = ec2.create_security_group().group_name("g");
    let group = group
        .description("d")
        .vpc_id(&network)
        .send()
        .await
        .unwrap();
    assert_eq!(code(delete.clone().send().await), "DependencyViolation");
    let free = ec2.delete_security_group().set_group_id(group.group_id);
    free.send().await.unwrap();
    delete.send().await.unwrap();

    let instance = super::launched(ec2).await;
    let volume = ec2.create_volume().availability_zone("af-south-1a").size(1);
    let volume = volume.send().await.unwrap().volume_id.unwrap();
    let attach = ec2.attach_volume().volume_id(&volume).device("/dev/sdf");
    let attach = attach.instance_id(&instance);
    attach.clone().send().await.unwrap();
    assert_eq!(code(attach.send().await), "VolumeInUse");
    let detach = ec2.detach_volume().volume_id(&volume);
    detach.clone().send().await.unwrap();
    assert_eq!(code(detach.send().await), "IncorrectState");
    let bake = ec2.create_image().instance_id(&instance).name("image");
    let image = bake.clone().send().await.unwrap().image_id.unwrap();
    assert_eq!(code(bake.send().await), "InvalidAMIName.Duplicate");
    let taken = async || {
        let mine = ec2.describe_snapshots().owner_ids("self");
        let mine = mine.send().await.unwrap();
        let text =
            |it: &aws_sdk_ec2::types::Snapshot| it.description().unwrap_or_default().to_owned();
        let of = mine.snapshots().iter().map(text);
        of.filter(|it| it.ends_with(&image)).count()
    };
    assert_eq!(taken().await, 1);
    let end = ec2.deregister_image().image_id(&image);
    end.delete_associated_snapshots(true).send().await.unwrap();
    assert_eq!(taken().await, 0);
}

#[tokio::test]
async fn fleets_and_their_templates() {
    let aws = clients("cn-northwest-1").await;
    let image = super::image(&aws.ec2, super::JAMMY).await;
    let data = RequestLaunchTemplateData::builder().image_id(image);
    let data = data.instance_type(aws_sdk_ec2::types::InstanceType::T3Small);
    let make = aws
        .ec2
        .create_launch_template()
        .launch_template_name("template");
    make.launch_template_data(data.build())
        .send()
        .await
        .unwrap();
    let other = RequestLaunchTemplateData::builder();
    let other = other.instance_type(aws_sdk_ec2::types::InstanceType::T3Medium);
    let version = aws.ec2.create_launch_template_version().source_version("1");
    let version = version.launch_template_name("template");
    let version = version.launch_template_data(other.build()).send().await;
    let version = version.unwrap().launch_template_version.unwrap();
    assert!(version.launch_template_data.unwrap().image_id.is_some());

    let (_, subnets) = subnets(&aws).await;
    let template = LaunchTemplateSpecification::builder().version("$Latest");
    let template = template.launch_template_name("template").build();
    let make = aws.autoscaling.create_auto_scaling_group();
    let make = make
        .auto_scaling_group_name("fleet")
        .launch_template(template);
    let make = make.min_size(0).max_size(3).desired_capacity(2);
    let make = make.vpc_zone_identifier(&subnets[0]);
    make.clone().send().await.unwrap();
    assert_eq!(code(make.send().await), "AlreadyExists");
    let scale = aws.autoscaling.set_desired_capacity();
    let scale = scale.auto_scaling_group_name("fleet").desired_capacity(9);
    assert_eq!(code(scale.send().await), "ValidationError");
    let living = async || {
        let of = super::filter("tag:aws:autoscaling:groupName", "fleet");
        let running = super::filter("instance-state-name", "running");
        let found = aws.ec2.describe_instances().filters(of).filters(running);
        let found = found.send().await.unwrap();
        let found = found.reservations().iter();
        found.map(|it| it.instances().len()).sum::<usize>()
    };
    assert_eq!(living().await, 2);
    let delete = aws.autoscaling.delete_auto_scaling_group();
    let delete = delete.auto_scaling_group_name("fleet");
    assert_eq!(code(delete.clone().send().await), "ResourceInUse");
    delete.force_delete(true).send().await.unwrap();
    assert_eq!(living().await, 0);
    let none = aws
        .ec2
        .delete_launch_template()
        .launch_template_name("none-such");
    let gone = code(none.send().await);
    assert_eq!(gone, "InvalidLaunchTemplateName.NotFoundException");
}

#[tokio::test]
async fn iam_pages_and_conflicts() {
    const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let aws = clients("us-east-1").await;
    for name in ["one", "two"] {
        let make = aws.iam.create_role().role_name(name).path("/pages/");
        let make = make.assume_role_policy_document(TRUST);
        make.send().await.unwrap();
    }
    let make = aws
        .iam
        .create_policy()
        .policy_name("p")
        .policy_document(POLICY);
    let policy = make.send().await.unwrap().policy.unwrap().arn.unwrap();
    let attach = aws.iam.attach_role_policy().role_name("one");
    attach.policy_arn(&policy).send().await.unwrap();
    let delete = aws.iam.delete_policy().policy_arn(&policy);
    assert_eq!(code(delete.clone().send().await), "DeleteConflict");
    let pages = aws.iam.list_roles().path_prefix("/pages/").max_items(1);
    let mut pages = pages.into_paginator().send();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().roles.len());
    }
    assert_eq!(sizes, [1, 1]);
    let details = aws.iam.get_account_authorization_details().max_items(1);
    let details = details.filter(aws_sdk_iam::types::EntityType::Role);
    let mut pages = details.into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let roles = page.unwrap().role_detail_list.unwrap_or_default();
        names.extend(roles.into_iter().filter_map(|role| role.role_name));
    }
    assert!(names.contains(&"one".to_owned()) && names.contains(&"two".to_owned()));
    let detach = aws.iam.detach_role_policy().role_name("one");
    detach.policy_arn(&policy).send().await.unwrap();
    delete.send().await.unwrap();
}
