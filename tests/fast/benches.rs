//! The playbooks that the benchmarks run are fine.

use std::process::Command;

fn check(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_tidewalk"))
        .arg("check")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_playbook_of_thirty_operations_is_fine() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    let host_key = format!("host_key={key}");
    check(&[
        "bench/hosts/job/tidewalk.yml",
        "--vars-file",
        "bench/hosts/job/vars.yml",
        "--var",
        "addresses=[127.0.1.1, 127.0.1.2]",
        "--var",
        &host_key,
        "--var",
        "identity=/nowhere/id",
        "--var",
        "root=/nowhere",
        "--var",
        "blob=app.ini",
    ]);
}

#[test]
fn the_playbook_of_fifteen_kinds_is_fine() {
    check(&["bench/cloud.yml"]);
}
