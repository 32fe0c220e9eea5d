//! What people do by hand in the account, and what the next plan and apply make of it.

use aws_sdk_ec2::types::Tag;

use crate::harness::Beach;
use crate::life::{NODE, plan};

const APPLY: [&str; 4] = ["apply", "node.yml", "--sandbox", "--yes"];

fn applied() -> Beach {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    beach.expect(0, &APPLY);
    beach
}

fn instance(beach: &Beach) -> String {
    beach.by_hand(async |ec2| {
        let listed = ec2.describe_instances().send().await.unwrap();
        let mut instances = listed
            .reservations()
            .iter()
            .flat_map(aws_sdk_ec2::types::Reservation::instances);
        instances.next().unwrap().instance_id().unwrap().to_owned()
    })
}

fn heals(beach: &Beach, shown: &[&str]) {
    let planned = plan(beach, 3);
    for shown in shown {
        assert!(
            planned.stdout.contains(shown),
            "{shown}: {}",
            planned.stdout
        );
    }
    beach.expect(0, &APPLY);
    plan(beach, 0);
    assert_eq!(beach.census("eu-west-1"), [1, 1, 1, 1]);
}

#[test]
fn what_was_stopped_taken_off_or_deleted_comes_back() {
    let beach = applied();
    let id = instance(&beach);
    beach.by_hand(async |ec2| ec2.stop_instances().instance_ids(&id).send().await.unwrap());
    heals(&beach, &["~ instances.server", "stopped → running"]);

    beach.by_hand(async |ec2| {
        let listed = ec2.describe_addresses().send().await.unwrap();
        let association = listed.addresses()[0].association_id().unwrap();
        let call = ec2.disassociate_address().association_id(association);
        call.send().await.unwrap();
    });
    heals(&beach, &["~ elastic_ips.server"]);

    beach.by_hand(async |ec2| ec2.delete_key_pair().key_name("life").send().await.unwrap());
    heals(
        &beach,
        &["+ key_pairs.life", "1 to create, 0 to change, 0 to replace"],
    );

    beach.by_hand(async |ec2| {
        ec2.terminate_instances()
            .instance_ids(&id)
            .send()
            .await
            .unwrap()
    });
    heals(&beach, &["+ instances.server"]);
}

#[test]
fn tags_changed_by_hand_are_set_right_and_lost_ones_explained() {
    let beach = applied();
    let id = instance(&beach);
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    beach.by_hand(async |ec2| {
        let call = ec2.create_tags().resources(&id).tags(tag("Class", "other"));
        call.send().await.unwrap();
    });
    heals(&beach, &["tags.Class  other → DE3"]);

    beach.by_hand(async |ec2| {
        let call = ec2.delete_tags().resources(&id);
        call.tags(Tag::builder().key("tidewalk:address").build())
            .send()
            .await
            .unwrap();
    });
    for verb in ["apply", "destroy"] {
        let refused = beach.expect(1, &[verb, "node.yml", "--sandbox", "--yes"]);
        let told = format!("`{id}` belongs to stack `life`, but it has no tag `tidewalk:address`");
        assert!(refused.stderr.contains(&told), "{}", refused.stderr);
    }
    assert_eq!(
        beach.census("eu-west-1"),
        [1, 1, 1, 1],
        "nothing was touched"
    );
    beach.by_hand(async |ec2| {
        let call = ec2.create_tags().resources(&id);
        call.tags(tag("tidewalk:address", "instances.server"))
            .send()
            .await
            .unwrap();
    });
    plan(&beach, 0);
}

#[test]
fn what_is_others_is_named_and_left() {
    let beach = Beach::without_hosts();
    beach.by_hand(async |ec2| {
        ec2.create_key_pair().key_name("life").send().await.unwrap();
        let call = ec2.create_security_group().group_name("life");
        call.description("theirs").send().await.unwrap();
    });
    beach.write("node.yml", NODE);
    let refused = beach.expect(1, &APPLY);
    for told in ["InvalidKeyPair.Duplicate", "InvalidGroup.Duplicate"] {
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }
    beach.expect(0, &["destroy", "node.yml", "--sandbox", "--yes"]);
    assert_eq!(
        beach.census("eu-west-1"),
        [0, 1, 0, 1],
        "theirs are still there"
    );
}

/// Instances are terminated by one call; AWS refuses all of them for one that is protected.
#[test]
fn what_was_protected_by_hand_stays_and_holds_up_nothing_else() {
    let beach = Beach::without_hosts();
    let two = NODE.replace(
        "  server:\n    ami",
        "  server:\n    for_each: [a, b, c]\n    ami",
    );
    let two = two[..two.find("elastic_ips").unwrap()].to_owned();
    beach.write("node.yml", &two);
    beach.expect(0, &APPLY);
    let protected = instance(&beach);
    let protect = async |value: bool| {
        let value = aws_sdk_ec2::types::AttributeBooleanValue::builder().value(value);
        beach
            .ec2()
            .modify_instance_attribute()
            .instance_id(&protected)
            .disable_api_termination(value.build())
            .send()
            .await
            .unwrap();
    };
    beach.by_hand(async |_| protect(true).await);
    beach.forget_calls();
    let ended = beach.expect(1, &["destroy", "node.yml", "--sandbox", "--yes"]);
    let calls = beach.calls();
    let ends = calls.iter().filter(|it| *it == "ec2:TerminateInstances");
    assert_eq!(ends.count(), 1 + 3, "together, then each alone: {calls:?}");
    let told = format!("instance `{protected}` has termination protection");
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
    assert_eq!(beach.living(), 1);
    beach.by_hand(async |_| protect(false).await);
    beach.expect(0, &["destroy", "node.yml", "--sandbox", "--yes"]);
    assert_eq!(beach.census("eu-west-1"), [0, 0, 0, 0]);
}

#[test]
fn an_address_that_was_allocated_twice_is_let_go_of() {
    let beach = applied();
    let twin = || {
        beach.by_hand(async |ec2| {
            let listed = ec2.describe_addresses().send().await.unwrap();
            let tags = listed.addresses()[0].tags().to_vec();
            let made = ec2.allocate_address().send().await.unwrap();
            let call = ec2
                .create_tags()
                .set_resources(made.allocation_id.map(|id| vec![id]));
            call.set_tags(Some(tags)).send().await.unwrap();
        });
    };
    twin();
    heals(&beach, &["allocated twice"]);
    twin();
    let gone = beach.expect(0, &["destroy", "node.yml", "--sandbox", "--yes"]);
    assert!(gone.stdout.contains("absent"), "{}", gone.stdout);
    assert_eq!(beach.census("eu-west-1"), [0, 0, 0, 0]);
}

#[test]
fn a_network_is_seen_as_it_is() {
    let beach = Beach::without_hosts();
    beach.write(
        "node.yml",
        "stack: net\nregion: eu-west-1\nnetworks: { main: {} }\n",
    );
    beach.expect(0, &APPLY);
    plan(&beach, 0);
    let shows = |shown: &str| {
        let planned = plan(&beach, 3);
        assert!(planned.stdout.contains(shown), "{}", planned.stdout);
        beach.expect(0, &APPLY);
        plan(&beach, 0);
    };

    beach.by_hand(async |ec2| {
        let listed = ec2.describe_internet_gateways().send().await.unwrap();
        let mut attached = listed.internet_gateways().iter();
        let ours = attached.find(|it| !it.tags().is_empty()).unwrap();
        let vpc = ours.attachments()[0].vpc_id().unwrap();
        let call = ec2.detach_internet_gateway().vpc_id(vpc);
        let id = ours.internet_gateway_id().unwrap();
        call.internet_gateway_id(id).send().await.unwrap();
    });
    shows("internet gateway");

    beach.by_hand(async |ec2| {
        let listed = ec2.describe_subnets().send().await.unwrap();
        let mut subnets = listed.subnets().iter();
        let ours = subnets.find(|it| !it.tags().is_empty()).unwrap();
        let call = ec2.delete_subnet().subnet_id(ours.subnet_id().unwrap());
        call.send().await.unwrap();
    });
    shows("zones");

    beach.by_hand(async |ec2| {
        let listed = ec2.describe_route_tables().send().await.unwrap();
        let mut tables = listed.route_tables().iter();
        let ours = tables.find(|it| !it.tags().is_empty()).unwrap();
        let call = ec2.delete_route().destination_cidr_block("0.0.0.0/0");
        let id = ours.route_table_id().unwrap();
        call.route_table_id(id).send().await.unwrap();
    });
    shows("route to everywhere");
}
