//! `tidewalk sandbox up`, `status` and `down`, and what a killed sandbox leaves.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::roles::rules;
use crate::patience;

fn tidewalk(dir: &Path, args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tidewalk"));
    program.args(["--json", "sandbox"]).args(args);
    patience::output(program.arg("--dir").arg(dir))
}

fn answer(dir: &Path, args: &[&str]) -> Value {
    let output = tidewalk(dir, args);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    last["sandbox"].clone()
}

fn runs(pid: &Value) -> bool {
    Path::new(&format!("/proc/{pid}/exe")).exists()
}

fn wait_ended(pid: &Value) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while runs(pid) {
        assert!(Instant::now() < deadline, "process {pid} still runs");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_killed_sandbox_leaves_no_way_to_its_metadata_service() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let up = answer(dir, &["up", "--lazy"]);
    let network = up["running"]["network"]["name"].as_str().unwrap();
    assert_eq!(rules(network), 1);
    let pid = up["running"]["pid"].to_string();
    let killed = Command::new("kill").args(["-9", &pid]).status().unwrap();
    assert!(killed.success());
    wait_ended(&up["running"]["pid"]);
    answer(dir, &["down"]);
    assert_eq!(rules(network), 0);
}

#[test]
fn up_is_idempotent_and_a_killed_sandbox_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    assert_eq!(answer(dir, &["status"])["running"], Value::Null);
    assert_eq!(answer(dir, &["down"])["was_up"], false);

    let first = answer(dir, &["up", "--no-hosts"]);
    assert_eq!(first["was_up"], false);
    let second = answer(dir, &["up", "--no-hosts"]);
    assert_eq!(second["was_up"], true);
    assert_eq!(first["running"], second["running"]);
    assert_eq!(answer(dir, &["status"])["health"]["emulator"], true);

    let pid = &first["running"]["pid"];
    let killed = Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    // The emulator goes with the process that started it, however that ended.
    wait_ended(&first["running"]["moto_pid"]);
    assert_eq!(answer(dir, &["status"])["running"], Value::Null);

    let third = answer(dir, &["up", "--no-hosts"]);
    assert_eq!(third["was_up"], false);
    assert_ne!(&third["running"]["pid"], pid);
    assert_eq!(answer(dir, &["down"])["was_up"], true);
    wait_ended(&third["running"]["moto_pid"]);
    assert_eq!(answer(dir, &["status"])["running"], Value::Null);
    assert_eq!(answer(dir, &["down"])["was_up"], false);
}
