//! Runs that are killed anywhere, a real host in the middle of it: the next one goes on.

use std::thread;
use std::time::Duration;

use crate::harness::Beach;
use crate::life::NODE;

const HOST: &str = r#"
hosts:
  server:
    instance: server
    user: ubuntu
    identity: life.pem
    operations:
      - directory: { path: /srv/app, mode: "0755" }
      - file: { path: /srv/app/version, content: "VERSION\n" }
      - user: { name: app, system: true }
      - command: { shell: "sleep 1; date > /srv/app/made-VERSION", creates: /srv/app/made-VERSION }
"#;

/// Milliseconds until each kill, drawn with a fixed seed.
fn delays() -> impl Iterator<Item = u64> {
    let mut state: u64 = 20_261_124;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        200 + (state >> 33) % 4800
    })
}

#[test]
fn killed_at_any_moment_a_node_with_a_host_converges() {
    let beach = Beach::with_hosts();
    let mut version = 0;
    let write = |version: i32| {
        let text = format!("{NODE}{HOST}").replace("VERSION", &version.to_string());
        beach.write("node.yml", &text);
    };
    write(version);
    let apply = ["apply", "node.yml", "--sandbox", "--yes"];
    for delay in delays().take(8) {
        let mut run = beach.start(&apply);
        // Not to wait for anything: the moment is the test.
        thread::sleep(Duration::from_millis(delay));
        if let Some(ended) = run.try_wait().unwrap() {
            assert!(ended.success());
            // It came about before the kill: give the next one something to do.
            version += 1;
            write(version);
            continue;
        }
        run.kill().unwrap();
        run.wait().unwrap();
    }
    beach.expect(0, &apply);
    beach.expect(0, &["plan", "node.yml", "--sandbox"]);
    assert_eq!(beach.census("eu-west-1"), [1, 1, 1, 1]);
    let pinned = beach.by_hand(async |ec2| {
        let listed = ec2.describe_instances().send().await.unwrap();
        let instances = listed
            .reservations()
            .iter()
            .flat_map(aws_sdk_ec2::types::Reservation::instances);
        let tags = instances.flat_map(aws_sdk_ec2::types::Instance::tags);
        let mut keys = tags.filter(|tag| tag.key() == Some("tidewalk:host-key"));
        keys.next().unwrap().value().unwrap().to_owned()
    });
    assert!(pinned.starts_with("ssh-ed25519 "), "{pinned}");
    let said = beach.expect(
        0,
        &[
            "exec",
            "server",
            "--playbook",
            "node.yml",
            "--sandbox",
            "--",
            "cat",
            "/srv/app/version",
        ],
    );
    assert_eq!(said.stdout.trim(), version.to_string());

    let destroy = ["destroy", "node.yml", "--sandbox", "--yes"];
    for delay in [900, 1500] {
        let mut run = beach.start(&destroy);
        thread::sleep(Duration::from_millis(delay));
        run.kill().unwrap();
        run.wait().unwrap();
    }
    beach.expect(0, &destroy);
    assert_eq!(beach.census("eu-west-1"), [0, 0, 0, 0]);
}
