//! The job of fifteen kinds (`bench/cloud.yml`, nineteen objects), within its calls.

use std::fs;
use std::process::Command;

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
    let calls = |command: &[&str], code: i32, most: usize| {
        beach.forget_calls();
        let args = [&command[..1], &["cloud.yml", "--sandbox"], &command[1..]].concat();
        beach.expect(code, &args);
        let calls = beach.calls();
        let count = calls.len();
        assert!(count <= most, "{command:?} took {count} calls: {calls:?}");
    };
    calls(&["apply", "--yes"], 0, 60);
    calls(&["plan"], 0, 20);
    calls(&["destroy", "--yes"], 0, 45);
    assert_eq!(beach.living(), 0);
}
