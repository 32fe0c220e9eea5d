//! Machines that start from a baked image: what was on the source is on them, its identity is not.

use std::collections::BTreeSet;

use tidewalk::sandbox::{Effect, Fault};

use crate::harness::Beach;

const SITE: &str = r#"
stack: baked
region: eu-west-1
key_pairs:
  baked: { create: { private_key: baked.pem } }
security_groups:
  baked: { ingress: [{ ports: 22, from: anywhere }] }
instances:
  source: &machine
    ami: { ubuntu: "22.04" }
    instance_type: t3a.small
    key_pair: baked
    security_groups: [baked]
  node:
    <<: *machine
    ami: { image: web }
    for_each: [a, b]
amis:
  web: { instance: source, host: source }
hosts:
  source: &host
    instance: source
    user: ubuntu
    identity: "{{ key_pairs.baked.private_key }}"
    operations:
      - file: { path: /etc/baked, content: "by the source\n" }
  a: { <<: *host, instance: "node[a]", operations: [] }
  b: { <<: *host, instance: "node[b]", operations: [] }
"#;

/// Host key, machine id, and what the source's operations made.
fn identity(beach: &Beach, host: &str) -> Vec<String> {
    let look = "cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub; cat /etc/machine-id /etc/baked";
    let said = beach.expect(
        0,
        &[
            "exec",
            host,
            "-f",
            "site.yml",
            "--sandbox",
            "--",
            "sudo",
            "sh",
            "-c",
            look,
        ],
    );
    said.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn machines_of_one_image_have_identities_of_their_own() {
    let beach = Beach::with_hosts();
    beach.write("site.yml", SITE);
    let apply = ["apply", "site.yml", "--sandbox", "--yes"];
    // Broken off while the source's identity is off it: it gets it back.
    beach.fault(Fault {
        service: Some("ec2".to_owned()),
        action: Some("CreateImage".to_owned()),
        region: None,
        after: 0,
        times: 1,
        effect: Effect::Error {
            status: 403,
            code: "UnauthorizedOperation".to_owned(),
        },
    });
    beach.expect(1, &apply);
    let before = identity(&beach, "source");
    beach.expect(0, &apply);
    beach.expect(0, &["plan", "site.yml", "--sandbox"]);
    assert_eq!(identity(&beach, "source"), before);
    let seen: Vec<_> = ["source", "a", "b"]
        .iter()
        .map(|host| identity(&beach, host))
        .collect();
    for (part, what) in ["host key", "machine id"].iter().enumerate() {
        let different: BTreeSet<_> = seen.iter().map(|lines| &lines[part]).collect();
        assert_eq!(different.len(), 3, "{what}: {seen:?}");
        assert!(different.iter().all(|text| text.len() >= 32), "{seen:?}");
    }
    assert!(
        seen.iter().all(|lines| lines[2] == "by the source"),
        "{seen:?}"
    );
    let left = beach.expect(0, &["destroy", "site.yml", "--sandbox", "--yes"]);
    assert!(left.stdout.contains("ami") || left.stderr.contains("ami"));
}
