//! The job of fifteen kinds (`bench/cloud.yml`, nineteen objects), within its calls.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tidewalk::sandbox::{Effect, Fault};

use crate::harness::Beach;

#[test]
fn fifteen_kinds_come_and_go_within_their_calls() {
    let beach = Beach::without_hosts();
    let playbook = fs::read_to_string("bench/cloud.yml").unwrap();
    beach.write("cloud.yml", &playbook);
    let key = beach.folder().join("lab");
    let mut keygen = Command::new("ssh-keygen");
    let made = keygen
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(key);
    assert!(made.status().unwrap().success());
    let calls = |command: &[&str]| {
        beach.forget_calls();
        let args = [&command[..1], &["cloud.yml", "--sandbox"], &command[1..]].concat();
        beach.expect(0, &args);
        beach.calls()
    };
    let life = || {
        let steps: [&[&str]; 3] = [&["apply", "--yes"], &["plan"], &["destroy", "--yes"]];
        let took = steps.map(calls);
        assert_eq!(beach.living(), 0);
        took
    };
    // The fewer of two: a busy emulator drops a call at times, and it is sent again.
    for ((first, second), most) in life().into_iter().zip(life()).zip([60, 20, 48]) {
        let fewest = first.len().min(second.len());
        assert!(fewest <= most, "{fewest} calls: {first:?} {second:?}");
    }
    // What a receipt proved gone is over: the journal is not asked about again.
    let again = beach.expect(0, &["destroy", "cloud.yml", "--sandbox", "--yes", "--json"]);
    let receipt = again.stdout.lines().find(|it| it.contains("\"receipt\""));
    let receipt: Value = serde_json::from_str(receipt.unwrap()).unwrap();
    let receipt = &receipt["receipt"];
    assert_eq!(receipt["lines"], json!([]), "{receipt}");
    assert_eq!(receipt["proven"], true, "{receipt}");
}

/// A region may know a type less than another: then everything is listed.
#[test]
fn a_type_that_the_tagging_api_does_not_know_costs_one_call() {
    let beach = Beach::without_hosts();
    let playbook = "stack: s\nregion: eu-west-1\nbuckets: { ticks: {} }\n";
    beach.write("s.yml", playbook);
    beach.expect(0, &["apply", "s.yml", "--sandbox", "--yes"]);
    beach.fault(Fault {
        service: Some("tagging".to_owned()),
        action: Some("GetResources".to_owned()),
        region: None,
        after: 0,
        times: 1,
        effect: Effect::Error {
            status: 400,
            code: "InvalidParameterException".to_owned(),
        },
    });
    beach.forget_calls();
    beach.expect(0, &["plan", "s.yml", "--sandbox"]);
    let calls = beach.calls();
    let listings = calls.iter().filter(|it| *it == "tagging:GetResources");
    assert_eq!(listings.count(), 2, "{calls:?}");
}
