//! The whole life of a stack on the emulator: the program itself, over HTTP.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tidewalk::sandbox::{Effect, Fault};

use crate::harness::{Beach, Ended};
use crate::patience;

pub(crate) const NODE: &str = r#"
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

pub(crate) fn plan(beach: &Beach, code: i32) -> Ended {
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
        let kill = [("TIDEWALK_KILL_AFTER_ENTRY", entry.to_string())];
        let kill = [(kill[0].0, kill[0].1.as_str())];
        let apply = ["apply", "node.yml", "--sandbox", "--yes"];
        let killed = beach.run_with(&apply, &kill);
        beach.expect(0, &apply);
        plan(&beach, 0);
        assert_eq!(beach.living(), 1, "after entry {entry}");
        let gone = beach.run_with(&["destroy", "node.yml", "--sandbox", "--yes"], &kill);
        beach.expect(0, &["destroy", "node.yml", "--sandbox", "--yes"]);
        assert_eq!(beach.living(), 0, "after entry {entry}");
        for ended in [&killed, &gone] {
            assert!(
                ended.signal == Some(9) || ended.code == Some(0),
                "{}",
                ended.stderr
            );
        }
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
    beach.fault(fault("DescribeTags", 0, 1000, denied()));
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
    let count = calls.len();
    assert!(
        count <= 14,
        "a plan of 200 instances took {count}: {calls:?}"
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

#[test]
fn an_approved_plan_is_applied_only_while_it_is_still_true() {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    beach.expect(3, &["plan", "node.yml", "--sandbox", "--out", "node.plan"]);
    beach.expect(0, &["apply", "node.plan"]);
    assert_eq!(beach.living(), 1);
    plan(&beach, 0);
    let again = beach.expect(1, &["apply", "node.plan"]);
    assert!(again.stderr.contains("applied already"), "{}", again.stderr);

    beach.write("node.yml", &NODE.replace("t3a.small", "t3a.medium"));
    beach.expect(3, &["plan", "node.yml", "--sandbox", "--out", "node.plan"]);
    beach.write("node.yml", &NODE.replace("t3a.small", "t3a.large"));
    let refused = beach.expect(1, &["apply", "node.plan"]);
    assert!(
        refused.stderr.contains("the world has changed"),
        "{}",
        refused.stderr
    );
    beach.write("node.yml", NODE);
    plan(&beach, 0);
}

#[test]
fn a_secret_is_shown_nowhere() {
    let secret = "correct-horse-battery";
    let with_secret = NODE
        .replace("stack: life", "stack: life\nvars:\n  token: { secret: true }")
        .replace(
            "    key_pair: life\n",
            "    key_pair: life\n    user_data: \"#!/bin/sh\\necho {{ vars.token }} > /root/token\\n\"\n",
        )
        + "outputs: { told: \"token {{ vars.token }}\" }\n";
    let beach = Beach::without_hosts();
    beach.write("node.yml", &with_secret);
    let token = [("TIDEWALK_VAR_token", secret)];
    let run = |args: &[&str], code: i32| {
        let ended = beach.run_with(args, &token);
        assert_eq!(ended.code, Some(code), "{}{}", ended.stdout, ended.stderr);
        assert!(!ended.stdout.contains(secret), "{}", ended.stdout);
        assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
    };
    run(
        &[
            "plan",
            "node.yml",
            "--sandbox",
            "--out",
            "node.plan",
            "--full",
        ],
        3,
    );
    run(&["plan", "node.yml", "--sandbox", "--json"], 3);
    run(&["apply", "node.yml", "--sandbox", "--yes"], 0);
    run(&["plan", "node.yml", "--sandbox"], 0);
    let local = walk(beach.folder());
    let told: Vec<_> = local
        .into_iter()
        .filter(|path| !path.starts_with(beach.folder().join("sandbox")))
        .filter(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).contains(secret))
        .collect();
    assert!(told.is_empty(), "{told:?}");
    run(&["destroy", "node.yml", "--sandbox", "--yes"], 0);
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.is_file())
        .collect()
}

#[test]
fn ctrl_c_finishes_what_is_in_flight_and_the_next_run_goes_on() {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    beach.fault(fault("RunInstances", 0, 1, Effect::Latency { ms: 3000 }));
    let mut running = beach.start(&["apply", "node.yml", "--sandbox", "--yes"]);
    beach.wait_for(|| {
        beach
            .journal("life")
            .contains(r#""address":"instances.server""#)
    });
    let pid = running.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .unwrap();
    assert!(sent.success());
    assert_eq!(patience::wait(&mut running).code(), Some(130));
    let journal = beach.journal("life");
    let done = r#""address":"instances.server","action":"create","mark":"done""#;
    assert!(
        journal.contains(done),
        "the launch in flight was finished: {journal}"
    );
    assert!(
        !journal.contains("elastic_ips.server"),
        "nothing more was begun: {journal}"
    );
    beach.expect(0, &["apply", "node.yml", "--sandbox", "--yes"]);
    assert_eq!(beach.living(), 1);
}

#[test]
fn what_the_playbook_drops_goes_and_what_it_protects_stays() {
    let beach = Beach::without_hosts();
    let guarded = NODE.replace("    ami:", "    protect: true\n    ami:");
    beach.write("node.yml", &guarded);
    beach.expect(0, &["apply", "node.yml", "--sandbox", "--yes"]);
    let without_address = &guarded[..guarded.find("elastic_ips").unwrap()];
    beach.write("node.yml", without_address);
    let planned = plan(&beach, 3);
    assert!(
        planned.stdout.contains("- elastic_ips.server"),
        "{}",
        planned.stdout
    );
    beach.expect(0, &["apply", "node.yml", "--sandbox", "--yes"]);
    let kept = beach.expect(5, &["destroy", "node.yml", "--sandbox", "--yes"]);
    assert!(kept.stdout.contains("kept"), "{}", kept.stdout);
    assert_eq!(beach.living(), 1);
    let kept = beach.expect(
        5,
        &[
            "destroy",
            "--stack",
            "life",
            "--region",
            "eu-west-1",
            "--sandbox",
            "--yes",
            "--only",
            "instances.server",
        ],
    );
    assert!(kept.stdout.contains("protect: true"), "{}", kept.stdout);
    assert_eq!(beach.living(), 1);
}

#[test]
fn an_instance_that_is_not_visible_yet_is_not_launched_again() {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    let apply = ["apply", "node.yml", "--sandbox", "--yes"];
    let kill = [("TIDEWALK_KILL_AFTER_ENTRY", "6")];
    beach.run_with(&apply, &kill);
    assert_eq!(beach.living(), 1, "killed once it was launched");
    beach.fault(fault(
        "DescribeInstances",
        0,
        2,
        Effect::Stale { ms: 60_000 },
    ));
    beach.expect(0, &apply);
    assert_eq!(beach.living(), 1);
    plan(&beach, 0);
}
