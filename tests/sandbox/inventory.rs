//! Many machines that others made, found by their tags and configured as one.

use std::time::{Duration, Instant};

use aws_sdk_ec2::types::{Filter, IamInstanceProfileSpecification, ResourceType, Tag};
use aws_sdk_ec2::types::{InstanceType, TagSpecification};
use serde_json::Value;

use crate::harness::{Beach, Ended};

const ROLE: &str = r"
stack: base
region: eu-west-1
roles:
  managed:
    trusted_service: ec2
    managed_policies: [AmazonSSMManagedInstanceCore]
    instance_profile: true
";

const WORKERS: &str = r#"
stack: workers
region: eu-west-1
inventory:
  workers: { tag: { Class: DE3 } }
hosts:
  worker:
    for_each: "{{ inventory.workers.instances }}"
    instance: "{{ each.key }}"
    transport: ssm
    operations:
      - file: { path: /etc/worker, content: "{{ each.value.name }} at {{ each.value.private_ip }}\n" }
"#;

/// Makes an instance as somebody would in the console; returns its id.
fn make(beach: &Beach, name: &str, class: &str) -> String {
    beach.by_hand(async |ec2| {
        let images = Filter::builder()
            .name("name")
            .values("ubuntu/*jammy*amd64*");
        let images = ec2.describe_images().filters(images.build()).send().await;
        let image = images.unwrap().images()[0].image_id.clone();
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let tags = TagSpecification::builder()
            .resource_type(ResourceType::Instance)
            .tags(tag("Name", name))
            .tags(tag("Class", class));
        let profile = IamInstanceProfileSpecification::builder().name("managed");
        let made = ec2
            .run_instances()
            .set_image_id(image)
            .instance_type(InstanceType::T3aSmall)
            .min_count(1)
            .max_count(1)
            .iam_instance_profile(profile.build())
            .tag_specifications(tags.build())
            .send()
            .await
            .unwrap();
        made.instances()[0].instance_id().unwrap().to_owned()
    })
}

/// The addresses of what a plan changes.
fn steps(planned: &Ended) -> Vec<String> {
    let lines = planned.stdout.lines();
    let documents = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let steps = documents
        .filter_map(|it| it["plan"]["steps"].as_array().cloned())
        .flatten();
    let changes = steps.filter(|step| step["action"] == "update");
    changes
        .map(|step| step["address"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn instances_with_a_tag_are_configured_as_they_come_and_go() {
    let beach = Beach::with_hosts();
    beach.write("base.yml", ROLE);
    beach.write("workers.yml", WORKERS);
    beach.expect(0, &["check", "workers.yml"]);
    let run = |code, args: &[&str]| {
        let (command, rest) = args.split_first().unwrap();
        beach.expect(
            code,
            &[&[*command, "workers.yml", "--sandbox"], rest].concat(),
        )
    };
    beach.expect(0, &["apply", "base.yml", "--sandbox", "--yes"]);
    // Nobody there, nothing to do.
    run(0, &["plan"]);
    let mut ids = ["one", "two", "three"].map(|name| make(&beach, name, "DE3"));
    make(&beach, "other", "another");
    ids.sort();
    // Pending ones do not run yet, and agents register a while after.
    let planned = || beach.run(&["plan", "workers.yml", "--sandbox", "--json"]);
    let soon = |count: usize| {
        let deadline = Instant::now() + Duration::from_mins(4);
        loop {
            let ended = planned();
            let steps = steps(&ended);
            if steps.len() == count {
                return steps;
            }
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(Instant::now() < deadline, "{steps:?}, not {count}: {said}");
        }
    };
    soon(ids.len());
    run(0, &["apply", "--yes"]);
    run(0, &["plan"]);
    let host = format!("worker[{}]", ids[1]);
    let args = [
        "exec",
        &host,
        "-f",
        "workers.yml",
        "--sandbox",
        "--",
        "cat",
        "/etc/worker",
    ];
    let said = beach.expect(0, &args).stdout;
    assert!(said.contains(" at 198."), "{said}");

    // One goes, one comes: only that one is new.
    beach.by_hand(async |ec2| {
        let end = ec2.terminate_instances().instance_ids(&ids[0]);
        end.send().await.unwrap();
    });
    run(0, &["plan"]);
    let new = make(&beach, "four", "DE3");
    assert_eq!(soon(1), [format!("hosts.worker[{new}]")]);
    run(0, &["apply", "--yes"]);
    run(0, &["plan"]);
    run(0, &["destroy", "--yes"]);
    let gone = beach.run(&args);
    assert!(gone.stderr.contains("No such file"), "{}", gone.stderr);
    assert_eq!(beach.living(), 4, "what others made stays");
}
