//! Hundreds of hosts from one machine, directly and through one jump host with sshd's own limits.

use std::fmt::Write as _;

use super::node::Node;
use crate::harness::Beach;

/// How many hosts there are: one machine with so many addresses.
const MANY: usize = 300;
/// How many of them are looked at through the jump host, at 64 at a time.
const JUMPED: usize = 100;

/// Addresses of the bridge that nobody else gets: engines give out the lowest first.
fn addresses(node: &Node) -> Vec<String> {
    let (network, _) = node.address.rsplit_once('.').unwrap();
    let (network, _) = network.rsplit_once('.').unwrap();
    let all =
        (0..MANY).map(|number| format!("{network}.{}.{}", 200 + number / 100, 1 + number % 100));
    all.collect()
}

fn playbook(node: &Node, addresses: &[String], jump: &str) -> String {
    let mut hosts = String::new();
    for address in addresses {
        let _ = writeln!(hosts, "      h{}: {address}", address.replace('.', "-"));
    }
    format!(
        r#"
stack: many
region: eu-west-1
hosts:
  many:
    for_each:
{hosts}    address: "{{{{ each.value }}}}"
    user: root
    identity: {}
    host_key: {}
{jump}    operations:
      - file: {{ path: "/etc/many-{{{{ each.key }}}}", content: "here\n" }}
"#,
        node.identity(),
        node.host_key,
    )
}

#[test]
fn three_hundred_hosts_and_many_through_one_jump_host() {
    let (jump, node) = (Node::start(), Node::start());
    let addresses = addresses(&node);
    let mut script = String::new();
    for address in &addresses {
        let _ = writeln!(script, "ip address add {address}/32 dev eth0");
    }
    node.sh(&script);
    // What sshd does by itself: of more than ten that are logging in, it drops some at random.
    let limits = "printf 'MaxStartups 10:30:100\nMaxSessions 10\n' >/etc/ssh/sshd_config.d/0.conf; \
                  systemctl restart ssh";
    jump.sh(limits);
    node.sh(limits);
    let key = std::fs::read_to_string(node.folder.path().join("id.pub")).unwrap();
    jump.sh(&format!(
        "echo '{}' >>/root/.ssh/authorized_keys",
        key.trim()
    ));

    let beach = Beach::without_hosts();
    beach.write("many.yml", &playbook(&node, &addresses, ""));
    let wide = ["--sandbox", "--parallelism", "64"];
    beach.expect(0, &[&["apply", "many.yml", "--yes"], &wide[..]].concat());
    let made = node.sh("ls /etc/many-* | wc -l");
    assert_eq!(made.trim(), MANY.to_string());

    let through = format!(
        "    jump: root@{}:22\n    jump_host_key: {}\n",
        jump.address, jump.host_key
    );
    beach.write("many.yml", &playbook(&node, &addresses[..JUMPED], &through));
    beach.expect(0, &[&["plan", "many.yml"], &wide[..]].concat());
}
