//! What listings show: images, pages, states, addresses, and what is gone.

use super::{client, control, filter, image, instance, launch, launched, shared, state};

#[tokio::test]
async fn images_are_found_by_owner_and_name() {
    let ec2 = client(shared(), "ap-northeast-1");
    let names = [
        (
            "099720109477",
            "ubuntu/images/hvm-ssd/ubuntu-focal-20.04-amd64-server-*",
        ),
        (
            "099720109477",
            "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-*",
        ),
        ("136693071363", "debian-12-amd64-*"),
        ("137112412989", "al2023-ami-2023.*-kernel-6.1-x86_64"),
    ];
    for (owner, name) in names {
        let found = ec2
            .describe_images()
            .owners(owner)
            .filters(filter("name", name));
        assert_eq!(found.send().await.unwrap().images().len(), 2, "{name}");
    }
    let of_amazon = ec2.describe_images().owners("amazon").send().await.unwrap();
    let owners = of_amazon
        .images()
        .iter()
        .map(|image| image.owner_id().unwrap());
    assert!(owners.into_iter().all(|owner| owner == "137112412989"));
    let ubuntu = ec2
        .describe_images()
        .owners("099720109477")
        .send()
        .await
        .unwrap();
    assert_eq!(ubuntu.images()[0].image_owner_alias(), None);
}

#[tokio::test]
async fn pages_are_as_long_as_asked_and_hold_everything_once() {
    let ec2 = client(shared(), "ap-northeast-2");
    for _ in 0..12 {
        launched(&ec2).await;
    }
    let mut pages = ec2
        .describe_instances()
        .max_results(5)
        .into_paginator()
        .send();
    let mut lengths = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        lengths.push(page.reservations().len());
        for reservation in page.reservations() {
            ids.insert(reservation.instances()[0].instance_id().unwrap().to_owned());
        }
    }
    assert_eq!(lengths, [5, 5, 2]);
    assert_eq!(ids.len(), 12);
}

#[tokio::test]
async fn a_launch_makes_as_many_as_it_may() {
    let ec2 = client(shared(), "ap-northeast-3");
    let answer = launch(&ec2).await.max_count(3).send().await.unwrap();
    assert_eq!(answer.instances().len(), 3);
}

#[tokio::test]
async fn a_launch_is_pending_and_then_runs() {
    let ec2 = client(shared(), "ap-south-1");
    let answer = launch(&ec2).await.send().await.unwrap();
    assert_eq!(state(&answer.instances()[0]).as_str(), "pending");
    let id = answer.instances()[0].instance_id().unwrap();
    assert_eq!(state(&instance(&ec2, id).await).as_str(), "running");
    let with = async |states: &[&str]| {
        let wanted = states.iter().map(|state| (*state).to_owned()).collect();
        let filter = filter("instance-state-name", "shutting-down");
        let mut other = filter.clone();
        other.values = Some(wanted);
        let ask = ec2
            .describe_instances()
            .filters(other)
            .filters(super::filter("instance-id", id));
        ask.send().await.unwrap().reservations().len()
    };
    assert_eq!(with(&["running"]).await, 1);
    assert_eq!(with(&["pending", "stopped"]).await, 0);
}

#[tokio::test]
async fn a_terminated_instance_is_still_listed_and_takes_its_parts_with_it() {
    let ec2 = client(shared(), "sa-east-1");
    let id = launched(&ec2).await;
    let before = instance(&ec2, &id).await;
    let volume = before.block_device_mappings()[0]
        .ebs()
        .unwrap()
        .volume_id()
        .unwrap();
    let interface = before.network_interfaces()[0]
        .network_interface_id()
        .unwrap();
    let answer = ec2
        .terminate_instances()
        .instance_ids(&id)
        .send()
        .await
        .unwrap();
    let change = &answer.terminating_instances()[0];
    assert_eq!(
        change.current_state().unwrap().name().unwrap().as_str(),
        "shutting-down"
    );
    let after = instance(&ec2, &id).await;
    assert_eq!(state(&after).as_str(), "terminated");
    assert_eq!(
        (after.private_ip_address(), after.public_ip_address()),
        (None, None)
    );
    let volumes = ec2
        .describe_volumes()
        .filters(filter("volume-id", volume))
        .send()
        .await;
    assert!(volumes.unwrap().volumes().is_empty());
    let interfaces = ec2
        .describe_network_interfaces()
        .filters(filter("network-interface-id", interface));
    assert!(
        interfaces
            .send()
            .await
            .unwrap()
            .network_interfaces()
            .is_empty()
    );
}

#[tokio::test]
async fn a_start_gives_another_public_address_but_keeps_an_elastic_one() {
    let ec2 = client(shared(), "ca-central-1");
    let id = launched(&ec2).await;
    let public = async || instance(&ec2, &id).await.public_ip_address;
    let restart = async || {
        ec2.stop_instances().instance_ids(&id).send().await.unwrap();
        let stopped = public().await;
        ec2.start_instances()
            .instance_ids(&id)
            .send()
            .await
            .unwrap();
        stopped
    };
    let first = public().await;
    let private = instance(&ec2, &id).await.private_ip_address;
    assert_eq!(restart().await, None);
    let second = public().await;
    assert!(second.is_some() && first != second, "{first:?} {second:?}");
    assert_eq!(instance(&ec2, &id).await.private_ip_address, private);

    let made = ec2.allocate_address().send().await.unwrap();
    let associate = ec2
        .associate_address()
        .allocation_id(made.allocation_id().unwrap());
    associate.instance_id(&id).send().await.unwrap();
    assert_eq!(restart().await, made.public_ip);
    assert_eq!(public().await, made.public_ip);
}

#[tokio::test]
async fn addresses_are_the_sandboxes_own_and_can_be_asked_for() {
    let ec2 = client(shared(), "me-south-1");
    let id = launched(&ec2).await;
    let shown = instance(&ec2, &id).await;
    let (private, public) = (
        shown.private_ip_address().unwrap(),
        shown.public_ip_address().unwrap(),
    );
    for address in [private, public] {
        assert!(
            address.starts_with("198.18.") || address.starts_with("198.19."),
            "{address}"
        );
    }
    for (name, address) in [("private-ip-address", private), ("ip-address", public)] {
        let found = ec2
            .describe_instances()
            .filters(filter(name, address))
            .send()
            .await
            .unwrap();
        assert_eq!(found.reservations().len(), 1, "{name}");
    }
    assert!(
        shown
            .public_dns_name()
            .unwrap()
            .contains(&public.replace('.', "-"))
    );
    let own: std::net::Ipv4Addr = control().own_address().await.unwrap().parse().unwrap();
    assert_eq!(own.octets()[3], 1);
    assert!(image(&ec2, super::JAMMY).await.starts_with("ami-0"));
}
