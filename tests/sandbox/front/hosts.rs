//! Instances as real hosts: they boot, take the key and the user data, keep their disk, move
//! their addresses, and go.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types::{Instance, InstanceStateName};
use base64::Engine as _;
use tidewalk::sandbox::{self, Control, Options};

use super::{client, filter, folder, image, instance, reach, state};
use crate::patience;

/// Keys in a folder of this run.
struct Keys {
    dir: tempfile::TempDir,
}

impl Keys {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["user", "host"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
                .arg(dir.path().join(name))
                .status();
            assert!(made.unwrap().success());
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs a command over SSH, pinned to the planted host key.
    fn ssh(&self, user: &str, address: &str, command: &str) -> Output {
        let known = self.path("known_hosts");
        std::fs::write(&known, format!("{address} {}", self.read("host.pub"))).unwrap();
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-o", "BatchMode=yes"]);
        ssh.args(["-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=5"]);
        ssh.args(["-o", "IdentitiesOnly=yes", "-o"]);
        ssh.arg(format!("UserKnownHostsFile={}", known.display()));
        ssh.arg("-i").arg(self.path("user"));
        patience::output(ssh.args([&format!("{user}@{address}"), command]))
    }

    /// The same, repeated until the host is up.
    async fn ssh_soon(&self, user: &str, address: &str, command: &str) -> String {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let output = self.ssh(user, address, command);
            if output.status.success() {
                return String::from_utf8(output.stdout).unwrap().trim().to_owned();
            }
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(Instant::now() < deadline, "{user}@{address}: {said}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn launched(ec2: &Client, keys: &Keys, image_name: &str) -> String {
    let key = keys.read("host").replace('\n', "\n    ");
    let user_data = format!(
        "#cloud-config\nssh_keys:\n  ed25519_private: |\n    {key}\n  ed25519_public: {}\nruncmd:\n  - [sh, -c, 'echo applied > /root/marker']\n",
        keys.read("host.pub").trim()
    );
    let answer = ec2
        .run_instances()
        .image_id(image(ec2, image_name).await)
        .instance_type("t3a.small".into())
        .key_name("hosts")
        .min_count(1)
        .max_count(1)
        .user_data(base64::engine::general_purpose::STANDARD.encode(user_data))
        .send()
        .await
        .unwrap();
    assert_eq!(state(&answer.instances()[0]), InstanceStateName::Pending);
    answer.instances()[0].instance_id().unwrap().to_owned()
}

/// Whose public address it has.
fn owner(instance: &Instance) -> Option<String> {
    let address = instance.network_interfaces()[0].association()?;
    address.ip_owner_id.clone()
}

async fn live_through(ec2: &Client, keys: &Keys) {
    let id = launched(ec2, keys, super::JAMMY).await;
    let running = reach(ec2, &id, InstanceStateName::Running).await;
    let first = running.public_ip_address().unwrap();
    assert_eq!(owner(&running).as_deref(), Some("amazon"));
    let wait = "cloud-init status --wait >/dev/null; sudo cat /root/marker; hostname";
    let private = running.private_ip_address().unwrap();
    let said = keys.ssh_soon("ubuntu", first, wait).await;
    assert_eq!(said, format!("applied\nip-{}", private.replace('.', "-")));

    // Those who log in find AWS, root too.
    let found = "echo $AWS_ENDPOINT_URL; sudo sh -c 'echo $AWS_ENDPOINT_URL'";
    let found = keys.ssh_soon("ubuntu", first, found).await;
    let (user, root) = found.split_once('\n').unwrap();
    assert!(user.starts_with("http://198.") && user == root, "{found}");

    // The disk stays, the public address changes.
    keys.ssh_soon("ubuntu", first, "echo mine > kept").await;
    ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    reach(ec2, &id, InstanceStateName::Stopped).await;
    assert!(!keys.ssh("ubuntu", first, "true").status.success());
    ec2.start_instances()
        .instance_ids(&id)
        .send()
        .await
        .unwrap();
    let running = reach(ec2, &id, InstanceStateName::Running).await;
    let second = running.public_ip_address().unwrap();
    assert_ne!(first, second);
    assert_eq!(keys.ssh_soon("ubuntu", second, "cat kept").await, "mine");

    // An elastic IP reaches the host at once, and takes the lent address's place.
    let made = ec2.allocate_address().send().await.unwrap();
    let elastic = made.public_ip().unwrap();
    let allocation = made.allocation_id().unwrap();
    let associate = ec2
        .associate_address()
        .allocation_id(allocation)
        .instance_id(&id);
    let association = associate.send().await.unwrap().association_id.unwrap();
    let reached = keys.ssh("ubuntu", elastic, "true");
    assert!(reached.status.success(), "{reached:?}");
    assert!(!keys.ssh("ubuntu", second, "true").status.success());
    let ours = owner(&reach(ec2, &id, InstanceStateName::Running).await);
    assert_eq!(ours.as_deref(), Some("123456789012"));
    ec2.reboot_instances()
        .instance_ids(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(keys.ssh_soon("ubuntu", elastic, "cat kept").await, "mine");
    ec2.disassociate_address()
        .association_id(association)
        .send()
        .await
        .unwrap();
    assert!(!keys.ssh("ubuntu", elastic, "true").status.success());

    ec2.terminate_instances()
        .instance_ids(&id)
        .send()
        .await
        .unwrap();
    let going = state(&instance(ec2, &id).await);
    assert!(matches!(
        going,
        InstanceStateName::ShuttingDown | InstanceStateName::Terminated
    ));
    reach(ec2, &id, InstanceStateName::Terminated).await;
    assert!(!keys.ssh("ubuntu", private, "true").status.success());
}

async fn boot_as(ec2: &Client, keys: &Keys, image_name: &str, user: &str) {
    let id = launched(ec2, keys, image_name).await;
    let listed = ec2
        .describe_instances()
        .filters(filter("instance-state-name", "pending"));
    let pending = listed.send().await.unwrap();
    let is_it = |reservation: &aws_sdk_ec2::types::Reservation| {
        reservation.instances()[0].instance_id() == Some(&id)
    };
    let running = reach(ec2, &id, InstanceStateName::Running).await;
    // The filter goes by the state that is shown, not by the emulator's.
    for reservation in pending.reservations().iter().filter(|found| is_it(found)) {
        assert_eq!(
            state(&reservation.instances()[0]),
            InstanceStateName::Pending
        );
    }
    let address = running.public_ip_address().unwrap();
    assert_eq!(keys.ssh_soon(user, address, "sudo id -un").await, "root");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_a_real_host_through_its_whole_life() {
    let dir: &Path = &folder("hosts");
    sandbox::prepare(true, &|_| {}).await.unwrap();
    let serving = sandbox::start(
        dir,
        Options {
            hosts: true,
            lazy: true,
        },
    )
    .await
    .unwrap();
    let endpoint = serving.running.endpoint.clone();
    let network = serving.running.network.clone().unwrap().name;
    let ec2 = client(&endpoint, "eu-west-1");
    let keys = Keys::new();
    ec2.import_key_pair()
        .key_name("hosts")
        .public_key_material(Blob::new(keys.read("user.pub")))
        .send()
        .await
        .unwrap();
    tokio::join!(
        live_through(&ec2, &keys),
        boot_as(&ec2, &keys, "debian-12-amd64-*", "admin"),
        boot_as(
            &ec2,
            &keys,
            "al2023-ami-2023.*-kernel-6.1-x86_64",
            "ec2-user"
        ),
    );
    let health = Control::new(&endpoint).unwrap().health().await.unwrap();
    assert_eq!(health.problems, Vec::<String>::new());
    assert_eq!(health.host_count, 2);
    serving.stop().await.unwrap();
    assert!(sandbox::down(dir, &|_| {}).await.unwrap());
    let mut docker = Command::new("docker");
    let left = patience::output(docker.args(["network", "inspect", &network]));
    assert!(!left.status.success(), "`{network}` is left");
}
