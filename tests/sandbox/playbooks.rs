//! Every bundled playbook on the sandbox with real hosts: it loads, is planned, applied twice,
//! healed and destroyed.

use std::path::Path;

use serde_json::Value;

use crate::harness::Beach;

/// The documents of one name that a run printed with `--json`.
fn documents(stdout: &str, name: &str) -> Vec<Value> {
    let lines = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["event"] == name)
        .map(|line| line[name].clone())
        .collect()
}

/// `address field`, for everything that a plan would change.
fn changes(stdout: &str) -> Vec<String> {
    let plans = documents(stdout, "plan");
    let steps = plans
        .iter()
        .flat_map(|plan| plan["steps"].as_array().unwrap());
    steps
        .flat_map(|step| {
            let address = step["address"].as_str().unwrap();
            let changes = step["changes"].as_array().unwrap().iter();
            changes.map(move |change| format!("{address}: {}", change["field"].as_str().unwrap()))
        })
        .collect()
}

#[test]
fn the_data_server_comes_up_heals_and_goes() {
    let beach = Beach::with_hosts();
    let text = std::fs::read_to_string(bundled("data-server.yml")).unwrap();
    beach.write("site.yml", &text);
    let common = ["site.yml", "--sandbox", "--var", "admin_cidr=me"];
    let run = |code: i32, first: &[&str], rest: &[&str]| {
        let args = [first, &common, rest].concat();
        beach.expect(code, &args)
    };
    run(3, &["plan"], &[]);

    // A crash in the middle of a host's configuration is no harm.
    let kill = [("TIDEWALK_KILL_AFTER_ENTRY", "9")];
    let args = [&["apply"][..], &common, &["--yes"]].concat();
    assert_eq!(
        beach.run_with(&args, &kill).signal,
        Some(9),
        "it was to be killed"
    );
    run(0, &["apply"], &["--yes"]);
    run(0, &["plan"], &[]);

    let on_host = |program: &[&str]| {
        let args = [
            "exec",
            "server",
            "-f",
            "site.yml",
            "--sandbox",
            "--var",
            "admin_cidr=me",
            "--",
        ];
        beach.expect(0, &[&args, program].concat()).stdout
    };
    assert_eq!(on_host(&["redis-cli", "ping"]), "PONG\n");
    assert_eq!(
        on_host(&["systemctl", "is-active", "nginx", "data-api"]),
        "active\nactive\n"
    );

    // Somebody changes a file on the host, and opens a port in the console.
    on_host(&[
        "sudo",
        "sed",
        "-i",
        "s/Welcome/Farewell/",
        "/srv/landing/index.html",
    ]);
    beach.open_port("de3", 8787);
    let drifted = run(3, &["plan"], &["--json"]);
    assert_eq!(
        changes(&drifted.stdout),
        [
            "security_groups.de3: ingress",
            "hosts.server: template /srv/landing/index.html"
        ]
    );
    run(0, &["apply"], &["--yes"]);
    run(0, &["plan"], &[]);

    // Stopped, it keeps its place and is left alone; started, it is itself again.
    let stopped = text.replace(
        "    instance_type:",
        "    state: stopped\n    instance_type:",
    );
    let stopped = &stopped[..stopped.find("checks:").unwrap()];
    beach.write("site.yml", stopped);
    run(0, &["apply"], &["--yes"]);
    run(0, &["plan"], &[]);
    beach.write("site.yml", &text);
    run(0, &["apply"], &["--yes"]);
    run(0, &["plan"], &[]);

    let gone = run(0, &["destroy"], &["--yes", "--json"]);
    let receipts = documents(&gone.stdout, "receipt");
    assert_eq!(receipts[0]["proven"], true, "{receipts:?}");
    assert_eq!(beach.living(), 0);
}

fn bundled(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("playbooks")
        .join(name)
}

#[test]
fn the_readmes_playbook_comes_up_and_goes() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, block) = readme.split_once("```yaml\n").unwrap();
    let beach = Beach::with_hosts();
    beach.write("my-server.yml", block.split("```").next().unwrap());
    beach.expect(0, &["apply", "my-server.yml", "--sandbox", "--yes"]);
    beach.expect(0, &["plan", "my-server.yml", "--sandbox"]);
    let gone = beach.expect(0, &["destroy", "my-server.yml", "--sandbox", "--yes"]);
    assert!(gone.stdout.contains("Proven"), "{}", gone.stdout);
}
