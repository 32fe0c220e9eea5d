//! Hosts as instances in a role: their metadata service, and AWS as far as the role goes.

use std::process::Command;
use std::time::{Duration, Instant};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{IamInstanceProfileSpecification, InstanceStateName};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tidewalk::aws::Clients;
use tidewalk::sandbox::{self, Control, Options, Serving};

use super::{clients_at, folder, image, reach};
use crate::patience;

const BOOTSTRAP: &str = include_str!("bootstrap.py");
pub(super) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bundles/fleet/*"},
    {"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::bundles/fleet/denied"}]}"#;
const REGION: &str = "eu-west-1";

/// A sandbox with hosts of its own.
pub(super) async fn serve(name: &str) -> Serving {
    sandbox::prepare(true, &|_| {}).await.unwrap();
    let (hosts, lazy) = (true, true);
    let options = Options { hosts, lazy };
    sandbox::start(&folder(name), options).await.unwrap()
}

/// What a command in an instance's host prints; `None` when it fails.
pub(super) fn within(serving: &Serving, id: &str, argv: &[&str]) -> Option<String> {
    let network = &serving.running.network.as_ref().unwrap().name;
    let mut docker = Command::new("docker");
    docker.args(["exec", &format!("{network}-{id}")]).args(argv);
    let output = patience::output(&mut docker);
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then_some(text)
}

/// The same, repeated until it succeeds.
pub(super) async fn within_soon(serving: &Serving, id: &str, argv: &[&str]) -> String {
    // A first boot, on a busy machine.
    let deadline = Instant::now() + Duration::from_mins(4);
    loop {
        if let Some(text) = within(serving, id, argv) {
            return text;
        }
        if Instant::now() > deadline {
            let log = within(serving, id, &["cat", "/var/log/cloud-init-output.log"]);
            panic!("{id}: {argv:?} does not succeed: {log:?}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Takes a sandbox down and sees that nothing on this machine is left of it.
pub(super) async fn end(serving: Serving, name: &str) {
    let endpoint = serving.running.endpoint.clone();
    let health = Control::new(&endpoint).unwrap().health().await.unwrap();
    assert_eq!(health.problems, Vec::<String>::new());
    let network = serving.running.network.clone().unwrap().name;
    serving.stop().await.unwrap();
    assert!(sandbox::down(&folder(name), &|_| {}).await.unwrap());
    assert_eq!(rules(&network), 0, "rules of {network} are left");
}

/// How many rules of this machine take a sandbox's packets to its metadata service.
pub(super) fn rules(network: &str) -> usize {
    let mut iptables = Command::new("iptables");
    let listed = patience::output(iptables.args(["-w", "-t", "nat", "-S", "PREROUTING"]));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let ours = network.replace("tidewalk-", "tidewalk-metadata-");
    listed.lines().filter(|line| line.contains(&ours)).count()
}

async fn launched(ec2: &Client, profile: Option<&str>, count: i32) -> Vec<String> {
    let data = base64::engine::general_purpose::STANDARD.encode(BOOTSTRAP);
    let profile = profile.map(|name| {
        IamInstanceProfileSpecification::builder()
            .name(name)
            .build()
    });
    let answer = ec2
        .run_instances()
        .image_id(image(ec2, super::JAMMY).await)
        .instance_type("t3a.small".into())
        .set_iam_instance_profile(profile)
        .min_count(count)
        .max_count(count)
        .user_data(data)
        .send()
        .await
        .unwrap();
    let ids = answer.instances().iter().map(|it| it.instance_id());
    ids.map(|id| id.unwrap().to_owned()).collect()
}

/// What cannot be packed, and is passed on piece by piece.
fn large() -> Vec<u8> {
    (0..3_000_000_u32).flat_map(u32::to_be_bytes).collect()
}

async fn bundles(aws: &Clients) {
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuWest1)
        .build();
    let make = aws.s3.create_bucket().bucket("bundles");
    make.create_bucket_configuration(place)
        .send()
        .await
        .unwrap();
    for (key, body) in [
        ("fleet/bundle one", b"the bundle".to_vec()),
        ("fleet/large", large()),
        ("fleet/denied", b"denied".to_vec()),
        ("other/secret", b"secret".to_vec()),
    ] {
        let put = aws.s3.put_object().bucket("bundles").key(key);
        put.body(ByteStream::from(body)).send().await.unwrap();
    }
    let role = aws.iam.create_role().role_name("reader");
    role.assume_role_policy_document(TRUST)
        .send()
        .await
        .unwrap();
    let policy = aws.iam.put_role_policy().role_name("reader");
    let policy = policy.policy_name("read").policy_document(POLICY);
    policy.send().await.unwrap();
    let profile = aws.iam.create_instance_profile();
    let profile = profile.instance_profile_name("reading");
    profile.send().await.unwrap();
    let add = aws.iam.add_role_to_instance_profile().role_name("reader");
    let add = add.instance_profile_name("reading");
    add.send().await.unwrap();
}

/// What the script of an instance said, and what is to be there whatever its role.
async fn said(serving: &Serving, ec2: &Client, id: &str) -> Value {
    let running = reach(ec2, id, InstanceStateName::Running).await;
    let text = within_soon(serving, id, &["cat", "/root/said"]).await;
    let said: Value = serde_json::from_str(&text).unwrap();
    let private = running.private_ip_address().unwrap();
    let zone = running.placement().unwrap().availability_zone().unwrap();
    for (key, wanted) in [
        ("token", json!(200)),
        ("bare", json!(401)),
        ("forged", json!(401)),
        ("without ttl", json!(400)),
        ("passed on", json!(403)),
        ("instance-id", json!(id)),
        ("placement/", json!("availability-zone\nregion")),
        ("placement/availability-zone", json!(zone)),
        ("local-ipv4", json!(private)),
        ("public-ipv4", json!(running.public_ip_address())),
        ("nothing", json!(404)),
        ("user data", json!(true)),
        ("unsigned", json!([403, "AccessDenied"])),
    ] {
        assert_eq!(said[key], wanted, "{key}: {said:#}");
    }
    let document = &said["document"];
    assert_eq!(document["accountId"], sandbox::ACCOUNT);
    assert_eq!(document["instanceId"], id);
    assert_eq!(document["privateIp"], private);
    assert_eq!(document["region"], REGION);
    assert_eq!(document["availabilityZone"], zone);
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_can_do_what_its_role_can_and_another_nothing() {
    let (one, other) = tokio::join!(serve("roles"), serve("roles-too"));
    let aws = clients_at(&one.running.endpoint, REGION).await;
    let there = clients_at(&other.running.endpoint, REGION).await;
    bundles(&aws).await;
    let (readers, plain, elsewhere) = tokio::join!(
        launched(&aws.ec2, Some("reading"), 2),
        launched(&aws.ec2, None, 1),
        launched(&there.ec2, None, 1),
    );

    let [reader, too] = &readers[..] else {
        panic!("{readers:?}");
    };
    let too = said(&one, &aws.ec2, too).await;
    assert_eq!(too["whole"], json!([200, "the bundle"]));
    let first = said(&one, &aws.ec2, reader).await;
    assert_ne!(first["caller"], too["caller"]);
    let info: Value = serde_json::from_str(first["info"].as_str().unwrap()).unwrap();
    let profile = info["InstanceProfileArn"].as_str().unwrap();
    assert!(profile.ends_with(":instance-profile/reading"), "{profile}");
    let hash = Sha256::digest(large());
    let hash = tidewalk::base::hex(&hash);
    let caller = format!(
        "arn:aws:sts::{}:assumed-role/reader/{reader}",
        sandbox::ACCOUNT
    );
    for (key, wanted) in [
        ("role", json!("reader")),
        ("keys", json!(["Success", "AWS-HMAC", true, "ASIA"])),
        ("whole", json!([200, "the bundle"])),
        ("range", json!([206, "bundl"])),
        ("large", json!([200, 12_000_000, hash])),
        ("end", json!([206, [45, 198, 191]])),
        ("other", json!([403, "AccessDenied"])),
        ("missing", json!([403, "AccessDenied"])),
        ("put", json!([403, "AccessDenied"])),
        ("denied", json!([403, "AccessDenied"])),
        ("wrong secret", json!([403, "SignatureDoesNotMatch"])),
        ("wrong token", json!([400, "InvalidToken"])),
        ("parameter", json!([400, "AccessDeniedException"])),
        ("caller", json!(caller)),
    ] {
        assert_eq!(first[key], wanted, "{key}: {first:#}");
    }
    // Where a shell of systemd's finds AWS, and where a login does.
    let endpoint = first["endpoint"].as_str().unwrap();
    let line = format!("AWS_ENDPOINT_URL={endpoint}\n");
    let login = within(&one, reader, &["cat", "/etc/environment"]);
    assert_eq!(login, Some(line));

    let second = said(&one, &aws.ec2, &plain[0]).await;
    assert_eq!(
        (&second["role"], &second["info"]),
        (&json!(404), &json!(404))
    );
    // Another sandbox beside this one is another world.
    let third = said(&other, &there.ec2, &elsewhere[0]).await;
    assert_ne!(third["endpoint"], first["endpoint"]);
    assert_eq!(third["role"], 404);
    assert_eq!(rules(&one.running.network.clone().unwrap().name), 1);
    tokio::join!(end(one, "roles"), end(other, "roles-too"));
}
