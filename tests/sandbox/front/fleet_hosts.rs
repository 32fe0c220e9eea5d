//! The members of an Auto Scaling group as real hosts.

use aws_sdk_autoscaling::types::LaunchTemplateSpecification;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    Instance, InstanceStateName, InstanceType,
    LaunchTemplateIamInstanceProfileSpecificationRequest as Profile, RequestLaunchTemplateData,
};
use base64::Engine as _;
use tidewalk::aws::Clients;
use tidewalk::sandbox::Serving;

use super::roles::{TRUST, end, serve, within_soon};
use super::{clients_at, filter, image, key_pair, reach};

/// A version of the template whose user data writes a file.
async fn version(ec2: &Client, word: &str) -> RequestLaunchTemplateData {
    let script = format!("#!/bin/sh\necho {word} >/root/word\n");
    let profile = Profile::builder().name("member").build();
    RequestLaunchTemplateData::builder()
        .image_id(image(ec2, super::JAMMY).await)
        .instance_type(InstanceType::T3Small)
        .key_name("test")
        .iam_instance_profile(profile)
        .user_data(base64::engine::general_purpose::STANDARD.encode(script))
        .build()
}

async fn template(aws: &Clients) {
    key_pair(&aws.ec2).await;
    let role = aws.iam.create_role().role_name("member");
    let role = role.assume_role_policy_document(TRUST).send().await;
    role.unwrap();
    let profile = aws.iam.create_instance_profile();
    let profile = profile.instance_profile_name("member");
    profile.send().await.unwrap();
    let make = aws.ec2.create_launch_template();
    let make = make.launch_template_name("members");
    // The default version is another than the group's.
    let empty = RequestLaunchTemplateData::builder().instance_type(InstanceType::T3Large);
    let make = make.launch_template_data(empty.build());
    make.send().await.unwrap();
    add(&aws.ec2, "first").await;
}

async fn add(ec2: &Client, word: &str) {
    let add = ec2.create_launch_template_version();
    let add = add.launch_template_name("members");
    let add = add.launch_template_data(version(ec2, word).await);
    add.send().await.unwrap();
}

/// The members that are not gone, once each is in service and runs.
async fn members(aws: &Clients, count: usize) -> Vec<Instance> {
    let ask = aws.ec2.describe_instances();
    let ask = ask.filters(filter("tag:aws:autoscaling:groupName", "fleet"));
    let found = ask.send().await.unwrap();
    let found = found
        .reservations()
        .iter()
        .flat_map(aws_sdk_ec2::types::Reservation::instances);
    let gone = [
        InstanceStateName::ShuttingDown,
        InstanceStateName::Terminated,
    ];
    let living = found.filter(|it| !gone.contains(&super::state(it)));
    let ids: Vec<String> = living
        .map(|it| it.instance_id().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), count);
    let mut members = Vec::new();
    for id in &ids {
        members.push(reach(&aws.ec2, id, InstanceStateName::Running).await);
    }
    members
}

/// How Auto Scaling says the members are.
async fn lifecycle(aws: &Clients) -> Vec<String> {
    let asked = aws.autoscaling.describe_auto_scaling_groups();
    let asked = asked.send().await.unwrap();
    let members = asked.auto_scaling_groups()[0].instances().iter();
    let states = members.map(|it| it.lifecycle_state().unwrap().as_str().to_owned());
    states.collect()
}

async fn word(serving: &Serving, member: &Instance) -> String {
    let id = member.instance_id().unwrap();
    within_soon(serving, id, &["cat", "/root/word"]).await
}

fn containers(serving: &Serving) -> usize {
    let network = &serving.running.network.as_ref().unwrap().name;
    let mut docker = std::process::Command::new("docker");
    let name = format!("name={network}-");
    docker.args(["ps", "--all", "--quiet", "--filter", &name]);
    let listed = crate::patience::output(&mut docker);
    String::from_utf8(listed.stdout).unwrap().lines().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_members_of_a_group_are_hosts_and_go_with_it() {
    let serving = serve("fleets").await;
    let aws = clients_at(&serving.running.endpoint, "eu-west-1").await;
    template(&aws).await;
    let latest = LaunchTemplateSpecification::builder().version("$Latest");
    let latest = latest.launch_template_name("members").build();
    let make = aws.autoscaling.create_auto_scaling_group();
    let make = make
        .auto_scaling_group_name("fleet")
        .launch_template(latest);
    let make = make.min_size(0).max_size(3).desired_capacity(2);
    let make = make.availability_zones("eu-west-1a").send().await;
    make.unwrap();
    assert_eq!(lifecycle(&aws).await, ["Pending", "Pending"]);
    let two = members(&aws, 2).await;
    assert_eq!(lifecycle(&aws).await, ["InService", "InService"]);
    for member in &two {
        assert_eq!(word(&serving, member).await, "first\n");
        let profile = member.iam_instance_profile().unwrap().arn().unwrap();
        assert!(profile.ends_with("/member"), "{profile}");
        let id = member.instance_id().unwrap();
        // The key is put by cloud-init before the script is run.
        let keys = "/home/ubuntu/.ssh/authorized_keys";
        let keys = within_soon(&serving, id, &["cat", keys]).await;
        assert!(keys.contains("ssh-ed25519"), "{keys}");
    }

    let scale = aws.autoscaling.set_desired_capacity();
    let scale = scale.auto_scaling_group_name("fleet").desired_capacity(1);
    scale.send().await.unwrap();
    let one = members(&aws, 1).await.remove(0);
    let ended = two.iter().find(|it| it.instance_id() != one.instance_id());
    let ended = ended.unwrap().instance_id().unwrap();
    reach(&aws.ec2, ended, InstanceStateName::Terminated).await;
    assert_eq!(containers(&serving), 1);

    // One that somebody ends is replaced, from the version that is the latest then.
    add(&aws.ec2, "second").await;
    let id = one.instance_id().unwrap();
    let terminate = aws.ec2.terminate_instances().instance_ids(id);
    terminate.send().await.unwrap();
    let next = members(&aws, 1).await.remove(0);
    assert_eq!(word(&serving, &next).await, "second\n");
    // A refresh makes all anew.
    let refresh = aws.autoscaling.start_instance_refresh();
    let refresh = refresh.auto_scaling_group_name("fleet");
    refresh.send().await.unwrap();
    let last = members(&aws, 1).await.remove(0);
    assert_ne!(last.instance_id(), next.instance_id());

    let delete = aws.autoscaling.delete_auto_scaling_group();
    let delete = delete.auto_scaling_group_name("fleet").force_delete(true);
    delete.send().await.unwrap();
    let id = last.instance_id().unwrap();
    reach(&aws.ec2, id, InstanceStateName::Terminated).await;
    assert_eq!(containers(&serving), 0);
    end(serving, "fleets").await;
}
