//! Hosts that configure themselves: what an apply puts into the bucket, and what a machine makes of it.

use std::process::Command;
use std::time::{Duration, Instant};

use aws_sdk_ec2::types::{InstanceStateName, Reservation};
use aws_sdk_s3::config::{BehaviorVersion, Region};

use crate::harness::{Beach, credentials};
use crate::hosts::node::{Node, docker};
use crate::patience;
use crate::playbooks::changes;

/// What the machine is to be: a file, a template, a line of a file that is there, a user, a unit.
const OPERATIONS: &str = r#"
    operations:
      - directory: { path: /srv/app, mode: "0750" }
      - file: { path: /srv/app/version, content: "VERSION\n" }
      - template: { source: motd.j2, path: /etc/motd, vars: { name: tide } }
      - line: { path: /etc/login.defs, line: "TIDE yes" }
      - user: { name: app, system: true }
      - unit:
          name: app.service
          content: "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
      - service: { name: app, running: true, enabled: true }
      - command: { shell: "date > /srv/app/made", creates: /srv/app/made }
"#;

const FLEET: &str = r"
stack: fleet
region: eu-west-1
buckets:
  bundles: { name: tidewalk-bundles-1 }
hosts:
  worker:
    bootstrap: user_data
    bucket: bundles
OPERATIONS
launch_templates:
  worker:
    ami: { debian: '12' }
    instance_type: t3a.small
    user_data: '{{ hosts.worker.user_data }}'
";

/// What makes the machines: they may read in the bucket, and nobody has a key to them.
const MACHINES: &str = r"
roles:
  worker:
    trusted_service: ec2
    instance_profile: true
    policies:
      bundles: [{ Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:s3:::tidewalk-bundles-1/*' }]
networks:
  main: {}
fleets:
  workers:
    launch_template: worker
    network: main
    min_size: 0
    max_size: 4
    desired_capacity: 2
    refresh: true
";

fn s3(beach: &Beach) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(beach.endpoint())
        .force_path_style(true)
        .credentials_provider(credentials())
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// The keys in the bucket, and the newest bundle.
fn lies_there(beach: &Beach) -> (Vec<String>, Vec<u8>) {
    let s3 = s3(beach);
    beach.by_hand(async |_| {
        let listed = s3.list_objects_v2().bucket("tidewalk-bundles-1").send();
        let mut objects = listed.await.unwrap().contents.unwrap_or_default();
        objects.sort_by_key(|it| it.last_modified.unwrap().as_nanos());
        let keys: Vec<String> = objects.into_iter().filter_map(|it| it.key).collect();
        let bundle = keys.iter().rfind(|key| key.contains("/bundle-")).unwrap();
        let get = s3.get_object().bucket("tidewalk-bundles-1").key(bundle);
        let bytes = get.send().await.unwrap().body.collect().await.unwrap();
        (keys, bytes.to_vec())
    })
}

fn planned(beach: &Beach) -> Vec<String> {
    changes(
        &beach
            .expect(3, &["plan", "fleet.yml", "--sandbox", "--json"])
            .stdout,
    )
}

#[test]
fn a_bundle_makes_a_machine_what_a_connection_would() {
    let beach = Beach::without_hosts();
    beach.write("motd.j2", "Welcome to {{ name }}\n");
    let playbook = |version: &str| {
        let text = FLEET.replace("OPERATIONS", OPERATIONS);
        beach.write("fleet.yml", &text.replace("VERSION", version));
    };
    playbook("1");
    assert!(planned(&beach).contains(&"hosts.worker: bundle".to_owned()));
    let apply = ["apply", "fleet.yml", "--sandbox", "--yes"];
    beach.expect(0, &apply);
    beach.expect(0, &["plan", "fleet.yml", "--sandbox"]);

    let exec = [
        "exec",
        "worker",
        "-f",
        "fleet.yml",
        "--sandbox",
        "--",
        "true",
    ];
    let said = beach.expect(1, &exec).stderr;
    assert!(
        said.contains("machines that configure themselves"),
        "{said}"
    );

    // A machine that has fetched it is as one that was connected to.
    let node = Node::start();
    let configure = || {
        let (_, bundle) = lies_there(&beach);
        std::fs::write(beach.folder().join("bundle.json"), bundle).unwrap();
        let from = beach.folder().join("bundle.json").display().to_string();
        docker(&["cp", &from, &format!("{}:/root/bundle.json", node.name())]);
        node.sh("/root/tidewalk configure /root/bundle.json 2>&1")
    };
    let program = format!("{}:/root/tidewalk", node.name());
    docker(&["cp", env!("CARGO_BIN_EXE_tidewalk"), &program]);
    let said = configure();
    assert!(said.contains("hosts.worker: "), "{said}");
    assert!(said.contains(" changes made"), "{said}");
    assert_eq!(
        node.sh("cat /etc/motd /srv/app/version"),
        "Welcome to tide\n1\n"
    );
    assert_eq!(
        node.sh("grep -c ^UMASK /etc/login.defs; tail -1 /etc/login.defs"),
        "1\nTIDE yes\n"
    );
    assert_eq!(node.sh("systemctl is-active app"), "active\n");
    let connected = format!(
        "stack: connected\nhosts:\n  worker:\n    address: {}\n    user: root\n    identity: {}\n    host_key: {}\n{}",
        node.address,
        node.identity(),
        node.host_key,
        OPERATIONS.replace("VERSION", "1"),
    );
    beach.write("connected.yml", &connected);
    beach.expect(0, &["plan", "connected.yml"]);
    assert!(configure().contains("nothing to do"));

    // What changes is another bundle, and another version of the template; the first stays where
    // machines may be starting by it.
    playbook("2");
    let changed = planned(&beach);
    assert_eq!(
        changed,
        ["hosts.worker: bundle", "launch_templates.worker: user_data"]
    );
    beach.expect(0, &apply);
    beach.expect(0, &["plan", "fleet.yml", "--sandbox"]);
    let (keys, _) = lies_there(&beach);
    assert_eq!(keys.len(), 3, "two bundles and one program: {keys:?}");
    node.sh("echo by hand > /etc/motd");
    assert!(configure().contains("2 changes made"));
    assert_eq!(
        node.sh("cat /etc/motd /srv/app/version"),
        "Welcome to tide\n2\n"
    );

    beach.expect(0, &["destroy", "fleet.yml", "--sandbox", "--yes"]);
}

/// What a script prints on each host of the sandbox.
fn on_each(beach: &Beach, script: &str) -> Vec<String> {
    let network = format!("network={}", beach.network());
    let hosts = docker(&["ps", "-q", "--filter", &network]);
    let said = hosts.lines().map(|host| {
        let mut exec = Command::new("docker");
        let said = patience::output(exec.args(["exec", host, "sh", "-c", script]));
        String::from_utf8_lossy(&said.stdout).into_owned()
    });
    said.collect()
}

/// Waits until what a script prints on each host is as it should be: a machine has to start first.
#[track_caller]
fn until(beach: &Beach, script: &str, so: impl Fn(&[String]) -> bool) {
    let begun = Instant::now();
    loop {
        let said = on_each(beach, script);
        if so(&said) {
            return;
        }
        if begun.elapsed() > Duration::from_mins(3) {
            let log = "tail -n 20 /var/log/cloud-init-output.log";
            panic!("{said:?} {}", on_each(beach, log).concat());
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn a_fleet_configures_itself_and_what_changes_comes_with_new_machines() {
    let beach = Beach::with_hosts();
    beach.write("motd.j2", "Welcome to {{ name }}\n");
    let playbook = |version: &str| {
        let template = "    instance_profile: worker\n    user_data:";
        let text = FLEET.replace("    user_data:", template) + MACHINES;
        let text = text.replace("OPERATIONS", OPERATIONS);
        beach.write("fleet.yml", &text.replace("VERSION", version));
    };
    playbook("1");
    let apply = ["apply", "fleet.yml", "--sandbox", "--yes"];
    beach.expect(0, &apply);
    let is = "cat /etc/motd /srv/app/version; systemctl is-active app";
    until(&beach, is, |said| {
        said == ["Welcome to tide\n1\nactive\n"; 2]
    });
    beach.expect(0, &["plan", "fleet.yml", "--sandbox"]);

    playbook("2");
    beach.expect(0, &apply);
    until(&beach, is, |said| {
        said == ["Welcome to tide\n2\nactive\n"; 2]
    });
    beach.expect(0, &["plan", "fleet.yml", "--sandbox"]);

    // What somebody else has put in the bundle's place is not run.
    let (s3, (keys, _)) = (s3(&beach), lies_there(&beach));
    beach.by_hand(async |ec2| {
        for key in keys.iter().filter(|key| key.contains("/bundle-")) {
            let put = s3.put_object().bucket("tidewalk-bundles-1").key(key);
            put.body(b"{}".to_vec().into()).send().await.unwrap();
        }
        let listed = ec2.describe_instances().send().await.unwrap();
        let running = listed
            .reservations()
            .iter()
            .flat_map(Reservation::instances);
        let mut running = running.filter(|it| {
            let state = it.state().and_then(|state| state.name());
            state == Some(&InstanceStateName::Running)
        });
        let id = running.next().unwrap().instance_id().unwrap();
        let terminate = ec2.terminate_instances().instance_ids(id);
        terminate.send().await.unwrap();
    });
    let refused = "grep -q 'is not what was put there' /var/log/cloud-init-output.log && \
                   ! test -e /srv/app && echo refused";
    until(&beach, refused, |said| {
        said.contains(&"refused\n".to_owned())
    });

    beach.expect(0, &["destroy", "fleet.yml", "--sandbox", "--yes"]);
    assert_eq!(beach.living(), 0);
}

#[test]
fn what_lies_in_a_bucket_that_stays_is_taken_away() {
    let beach = Beach::without_hosts();
    let s3 = s3(&beach);
    beach.by_hand(async |_| {
        let place = aws_sdk_s3::types::BucketLocationConstraint::EuWest1;
        let place = aws_sdk_s3::types::CreateBucketConfiguration::builder()
            .location_constraint(place)
            .build();
        let create = s3.create_bucket().bucket("tidewalk-bundles-1");
        create
            .create_bucket_configuration(place)
            .send()
            .await
            .unwrap();
        let versioning = aws_sdk_s3::types::VersioningConfiguration::builder()
            .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
            .build();
        let keep = s3.put_bucket_versioning().bucket("tidewalk-bundles-1");
        keep.versioning_configuration(versioning)
            .send()
            .await
            .unwrap();
        let put = s3.put_object().bucket("tidewalk-bundles-1").key("mine");
        put.send().await.unwrap();
    });
    let text = "stack: fleet\nregion: eu-west-1\nhosts:\n  worker:\n    bootstrap: user_data\n    \
                bucket: tidewalk-bundles-1\n    operations:\n      - file: { path: /etc/a, content: x }\n";
    beach.write("fleet.yml", text);
    beach.expect(0, &["apply", "fleet.yml", "--sandbox", "--yes"]);
    assert_eq!(lies_there(&beach).0.len(), 3);
    let gone = beach.expect(0, &["destroy", "fleet.yml", "--sandbox", "--yes"]);
    assert!(
        gone.stdout
            .contains("tidewalk-bundles-1/tidewalk/fleet/worker/"),
        "{}",
        gone.stdout
    );
    let left = beach.by_hand(async |_| {
        let listed = s3
            .list_object_versions()
            .bucket("tidewalk-bundles-1")
            .send();
        let listed = listed.await.unwrap();
        (listed.versions().len(), listed.delete_markers().len())
    });
    assert_eq!(
        left,
        (1, 0),
        "old versions go, what is somebody else's stays"
    );

    // What cannot be in a bucket is refused before anything is done.
    for (operation, why) in [
        ("reboot: {}", "cannot wait for its own restart"),
        (
            "file: { path: /etc/a, content: '{{ vars.pw }}' }",
            "a secret is in `file /etc/a`",
        ),
    ] {
        let bad = text.replace("file: { path: /etc/a, content: x }", operation);
        let bad = bad.replace("hosts:", "vars:\n  pw: { secret: true }\nhosts:");
        beach.write("fleet.yml", &bad);
        let hush = [("TIDEWALK_VAR_pw", "hush")];
        let ended = beach.run_with(&["plan", "fleet.yml", "--sandbox"], &hush);
        assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
}
