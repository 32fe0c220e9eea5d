//! The whole life of a stack on the emulator: the program itself, over HTTP.

use serde_json::Value;
use tidewalk::sandbox::{Effect, Fault};

use crate::harness::{Beach, Ended};

const NODE: &str = r#"
stack: life
region: eu-west-1
tags: { Class: DE3 }
key_pairs:
  life: { create: { private_key: life.pem } }
security_groups:
  life:
    description: life
    ingress:
      - { ports: 22, from: 10.0.0.0/8 }
      - { ports: [80, 443], from: anywhere }
instances:
  server:
    ami: { ubuntu: "22.04" }
    instance_type: t3a.small
    key_pair: life
    security_groups: [life]
elastic_ips:
  server: { instance: server }
"#;

fn plan(beach: &Beach, code: i32) -> Ended {
    beach.expect(code, &["plan", "node.yml", "--sandbox"])
}

fn instances(beach: &Beach) -> Vec<Value> {
    let status = beach.expect(0, &["status", "node.yml", "--sandbox", "--json"]);
    let last = status.stdout.lines().last().unwrap();
    let line: Value = serde_json::from_str(last).unwrap();
    let rows = line["status"]["resources"].as_array().unwrap().iter();
    rows.filter(|row| row["address"].as_str().unwrap().starts_with("instances."))
        .cloned()
        .collect()
}

/// A fault that strikes calls of one EC2 action.
fn fault(action: &str, after: u32, times: u32, effect: Effect) -> Fault {
    Fault {
        service: Some("ec2".to_owned()),
        action: Some(action.to_owned()),
        region: None,
        after,
        times,
        effect,
    }
}

/// What IAM says of a call that is not allowed.
fn denied() -> Effect {
    Effect::Error {
        status: 403,
        code: "UnauthorizedOperation".to_owned(),
    }
}

#[test]
fn a_node_comes_stays_changes_and_goes() {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    let planned = plan(&beach, 3);
    assert!(planned.stdout.contains("4 to create"), "{}", planned.stdout);
    beach.expect(0, &["apply", "node.yml", "--sandbox", "--yes"]);

    beach.forget_calls();
    plan(&beach, 0);
    let calls = beach.calls();
    assert!(
        calls.len() <= 10,
        "a plan of an unchanged node took {}: {calls:?}",
        calls.len()
    );
    beach.expect(0, &["apply", "node.yml", "--sandbox", "--yes"]);
    assert_eq!(instances(&beach).len(), 1);

    beach.write("node.yml", &NODE.replace("t3a.small", "t3a.medium"));
    let changed = plan(&beach, 3);
    assert!(
        changed.stdout.contains("stops and starts"),
        "{}",
        changed.stdout
    );
    beach.expect(0, &["apply", "node.yml", "--sandbox", "--yes"]);
    plan(&beach, 0);

    // The playbook is lost; the stack goes away all the same.
    std::fs::remove_file(beach.folder().join("node.yml")).unwrap();
    let gone = beach.expect(
        0,
        &[
            "destroy",
            "--stack",
            "life",
            "--region",
            "eu-west-1",
            "--sandbox",
            "--yes",
            "--receipt",
            "receipt.json",
        ],
    );
    assert!(gone.stdout.contains("absent"), "{}", gone.stdout);
    let receipt = std::fs::read_to_string(beach.folder().join("receipt.json")).unwrap();
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!(receipt["proven"], true);
    assert_eq!(beach.living(), 0);
}

#[test]
fn killed_after_any_journal_entry_the_next_run_converges() {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    for entry in 1.. {
        let abort = [("TIDEWALK_ABORT_AFTER_ENTRY", entry.to_string())];
        let abort = [(abort[0].0, abort[0].1.as_str())];
        let apply = ["apply", "node.yml", "--sandbox", "--yes"];
        let killed = beach.run_with(&apply, &abort);
        beach.expect(0, &apply);
        plan(&beach, 0);
        assert_eq!(beach.living(), 1, "after entry {entry}");
        let gone = beach.run_with(&["destroy", "node.yml", "--sandbox", "--yes"], &abort);
        beach.expect(0, &["destroy", "node.yml", "--sandbox", "--yes"]);
        assert_eq!(beach.living(), 0, "after entry {entry}");
        if killed.code == Some(0) && gone.code == Some(0) {
            assert!(
                entry > 8,
                "four creations and four deletions make eight entries each"
            );
            break;
        }
    }
}

#[test]
fn a_lost_answer_to_run_instances_makes_one_instance() {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    beach.fault(fault("RunInstances", 0, 1, Effect::Lost));
    beach.expect(0, &["apply", "node.yml", "--sandbox", "--yes"]);
    let launches = beach
        .calls()
        .iter()
        .filter(|call| *call == "ec2:RunInstances")
        .count();
    assert_eq!(launches, 2, "the launch was sent again");
    assert_eq!(beach.living(), 1);
    plan(&beach, 0);
}

#[test]
fn a_listing_that_fails_leaves_the_receipt_unknown() {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    beach.expect(0, &["apply", "node.yml", "--sandbox", "--yes"]);
    beach.fault(fault("DescribeKeyPairs", 1, 1000, denied()));
    let ended = beach.run(&["destroy", "node.yml", "--sandbox", "--yes"]);
    assert_eq!(ended.code, Some(4), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("UNKNOWN"), "{}", ended.stdout);

    beach.no_faults();
    beach.fault(fault("DescribeInstances", 0, 1000, denied()));
    assert_eq!(beach.run(&["plan", "node.yml", "--sandbox"]).code, Some(4));
    assert_eq!(
        beach
            .run(&["destroy", "node.yml", "--sandbox", "--yes"])
            .code,
        Some(4)
    );
}

#[test]
fn another_stack_is_never_touched() {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    let other = NODE
        .replace("stack: life", "stack: other")
        .replace("life:", "other:")
        .replace(": life\n", ": other\n")
        .replace("[life]", "[other]")
        .replace("life.pem", "other.pem");
    beach.write("other.yml", &other);
    beach.expect(0, &["apply", "node.yml", "--sandbox", "--yes"]);
    beach.expect(0, &["apply", "other.yml", "--sandbox", "--yes"]);
    assert_eq!(beach.living(), 2);
    beach.expect(0, &["destroy", "node.yml", "--sandbox", "--yes"]);
    beach.expect(0, &["plan", "other.yml", "--sandbox"]);
    assert_eq!(beach.living(), 1);
}

#[test]
fn two_hundred_instances_are_planned_in_fourteen_calls() {
    let beach = Beach::without_hosts();
    let names: Vec<String> = (0..200).map(|index| format!("n{index:03}")).collect();
    let fleet = NODE.replace(
        "  server:\n    ami",
        &format!("  server:\n    for_each: [{}]\n    ami", names.join(", ")),
    );
    let fleet = fleet[..fleet.find("elastic_ips").unwrap()].to_owned();
    beach.write("node.yml", &fleet);
    beach.expect(
        0,
        &[
            "apply",
            "node.yml",
            "--sandbox",
            "--yes",
            "--parallelism",
            "32",
        ],
    );
    beach.forget_calls();
    plan(&beach, 0);
    let calls = beach.calls();
    assert!(
        calls.len() <= 14,
        "a plan of 200 instances took {}: {calls:?}",
        calls.len()
    );
    assert_eq!(instances(&beach).len(), 200);
    beach.expect(
        0,
        &[
            "destroy",
            "node.yml",
            "--sandbox",
            "--yes",
            "--parallelism",
            "32",
        ],
    );
    assert_eq!(beach.living(), 0);
}
