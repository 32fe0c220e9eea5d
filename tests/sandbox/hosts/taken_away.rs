//! `destroy` on a host that stays: what was put there goes, what was there before comes back.

use super::node::Node;
use crate::harness::{Beach, Ended};

const OPERATIONS: &str = "
      - file: { path: /etc/motd, content: ours }
      - file: { path: /srv/app/conf/a.conf, content: a }
      - file: { path: /srv/app/touched, content: ours }
      - line: { path: /etc/profile, line: '# ours' }
      - line: { path: /etc/ssh/sshd_config, line: MaxSessions 20, reload: ssh }
      - directory: { path: /srv/kept }
      - group: { name: crew }
      - user: { name: jane, groups: [crew], shell: /bin/sh }
      - user: { name: games, groups: [crew] }
      - authorized_keys: { user: root, keys: [ 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFnzMBFLaVqJYdtEnxXMpVRTrMPzRTHUKmEZ1mUg5rCM jane' ] }
      - unit:
          name: app.service
          content: |
            [Service]
            ExecStart=/bin/sleep infinity
            [Install]
            WantedBy=multi-user.target
      - service: { name: app, running: true, enabled: true }
      - service: { name: cron, running: false, enabled: false }
      - timer: { name: tidy, schedule: daily, command: [/bin/true] }
      - packages: { names: [bc], recommends: false }
      - command: { about: make a mark, shell: touch /srv/mark, creates: /srv/mark, undo: rm /srv/mark }
      - command: { about: make a stain, shell: touch /srv/stain, creates: /srv/stain }
";

/// Everything on the host that the operations touch, as one text.
const ALL: &str = "cat /etc/motd /etc/profile /etc/ssh/sshd_config /root/.ssh/authorized_keys; \
    ls -R /srv /etc/systemd/system; getent passwd; getent group; dpkg-query -W -f '${Package} ${db:Status-Status}\\n' | grep ' installed'; \
    systemctl is-active cron ssh app; systemctl is-enabled cron ssh; ls -A /var/lib/tidewalk/made/*/* 2>/dev/null; true";

struct Server {
    beach: Beach,
    node: Node,
}

impl Server {
    fn new() -> Self {
        let node = Node::start();
        node.sh(
            "printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' \
             >/etc/systemd/system/cron.service; systemctl daemon-reload; systemctl enable -q --now cron",
        );
        let beach = Beach::without_hosts();
        let Node {
            address, host_key, ..
        } = &node;
        let identity = node.identity();
        let text = format!(
            "stack: site\nregion: eu-west-1\nhosts:\n  server:\n    address: {address}\n    \
             host_key: {host_key}\n    user: root\n    identity: {identity}\n    operations:{OPERATIONS}"
        );
        beach.write("site.yml", &text);
        Self { beach, node }
    }

    #[track_caller]
    fn run(&self, code: i32, args: &[&str]) -> Ended {
        let args = [&[args[0], "site.yml", "--sandbox"], &args[1..]].concat();
        self.beach.expect(code, &args)
    }
}

#[test]
fn destroy_takes_away_what_was_put_on_a_host_that_stays() {
    let server = Server::new();
    let node = &server.node;
    let before = node.sh(ALL);
    server.run(0, &["apply", "--yes"]);
    server.run(0, &["plan"]);
    assert_ne!(node.sh(ALL), before);
    node.sh("sleep 1.1; echo mine >>/srv/app/touched; touch /srv/kept/mine");

    let ended = server.run(0, &["destroy", "--yes"]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    for part in [
        "things that were put there go",
        "file /srv/app/touched: somebody has changed it since",
        "directory /srv/kept: it is not empty",
        "command make a stain: the playbook does not say how (`undo`)",
        "user jane: the user is removed, its home /home/jane stays",
        "hosts.server",
        "absent",
    ] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    node.sh("test -d /home/jane && rm -r /srv/app /srv/kept /srv/stain");
    let after = node.sh(ALL);
    let differs = |one: &str, other: &str| -> Vec<String> {
        let is_new = |line: &&str| !other.lines().any(|it| it == *line);
        one.lines().filter(is_new).map(str::to_owned).collect()
    };
    let none: [String; 0] = [];
    assert_eq!(differs(&after, &before), none, "still there\n{said}");
    assert_eq!(differs(&before, &after), none, "not back\n{said}");

    let again = server.run(0, &["destroy", "--yes"]).stderr;
    assert!(again.contains("Nothing to delete"), "{again}");
    node.sh("systemctl stop ssh.service ssh.socket; pkill sshd; true");
    let unknown = server.run(4, &["destroy", "--yes"]);
    assert!(unknown.stdout.contains("UNKNOWN"), "{}", unknown.stdout);
}
