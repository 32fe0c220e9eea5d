//! Several hosts in one run: one after the other with a look after each, and one that fails alone.

use std::fmt::Write as _;

use super::node::{Node, docker};
use crate::harness::{Beach, Ended};

struct Fleet {
    beach: Beach,
    nodes: Vec<Node>,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

impl Fleet {
    fn new() -> Self {
        let nodes = NAMES.map(|_| Node::start()).into();
        let beach = Beach::without_hosts();
        Self { beach, nodes }
    }

    /// All three, with lines of their own and operations.
    fn write(&self, lines: &str, operations: &str) {
        let mut text = "stack: web\nregion: eu-west-1\nhosts:\n  web:\n    for_each:\n".to_owned();
        for (name, node) in NAMES.iter().zip(&self.nodes) {
            let Node {
                address, host_key, ..
            } = node;
            let identity = node.identity();
            let _ = writeln!(
                text,
                "      {name}: {{ address: {address}, key: {host_key}, identity: {identity} }}"
            );
        }
        text.push_str(
            "    address: '{{ each.value.address }}'\n    host_key: '{{ each.value.key }}'\n    \
             identity: '{{ each.value.identity }}'\n    user: root\n",
        );
        let _ = writeln!(text, "{lines}\n    operations:\n{operations}");
        self.beach.write("web.yml", &text);
    }

    #[track_caller]
    fn run(&self, code: i32, verb: &str, more: &[&str]) -> Ended {
        let args = [&[verb, "web.yml", "--sandbox"], more].concat();
        self.beach.expect(code, &args)
    }

    /// What is in a file on every host.
    fn read(&self, path: &str) -> Vec<String> {
        let read = |node: &Node| node.sh(&format!("cat {path} 2>/dev/null || true"));
        self.nodes.iter().map(read).collect()
    }
}

#[test]
fn a_rollout_goes_on_only_while_hosts_stay_healthy() {
    let fleet = Fleet::new();
    let rolling = "    serial: 1
    healthy: { http: 'http://{{ each.value.address }}:8000/page', contains: good, within: 4s }";
    let page = |text: &str| {
        format!(
            "      - file: {{ path: /srv/web/page, content: '{text}' }}
      - unit:
          name: web.service
          content: |
            [Service]
            ExecStart=/usr/bin/python3 -m http.server --directory /srv/web 8000
      - service: {{ name: web, running: true }}"
        )
    };
    fleet.write(rolling, &page("good 1"));
    fleet.run(0, "apply", &["--yes"]);
    fleet.run(0, "plan", &[]);

    fleet.write(rolling, &page("bad 2"));
    let failed = fleet.run(1, "apply", &["--yes"]).stderr;
    assert!(failed.contains("but not the text `good`"), "{failed}");
    assert!(failed.contains("hosts.web[a]"), "{failed}");
    assert_eq!(fleet.read("/srv/web/page"), ["bad 2", "good 1", "good 1"]);

    // Nothing differs on the first host any more, but it still has to prove itself.
    let planned = fleet.run(3, "plan", &[]).stdout;
    assert!(planned.contains("healthy"), "{planned}");
    fleet.run(1, "apply", &["--yes"]);
    assert_eq!(fleet.read("/srv/web/page"), ["bad 2", "good 1", "good 1"]);

    fleet.write(rolling, &page("good 3"));
    fleet.run(0, "apply", &["--yes"]);
    assert_eq!(fleet.read("/srv/web/page"), ["good 3"; 3]);
    fleet.run(0, "plan", &[]);
}

#[test]
fn a_host_that_is_away_stops_no_other_and_is_finished_when_it_is_back() {
    let mut fleet = Fleet::new();
    let wanted = "      - file: { path: /etc/a, content: x }";
    fleet.write("", wanted);
    fleet.nodes[1].sh("systemctl stop ssh.service ssh.socket; pkill sshd; true");
    let planned = fleet.run(4, "plan", &[]);
    assert!(
        planned.stdout.contains("1 could not be looked at"),
        "{}",
        planned.stdout
    );
    assert!(
        planned.stderr.contains("connecting to hosts.web[b]"),
        "{}",
        planned.stderr
    );
    let applied = fleet.run(1, "apply", &["--yes"]);
    assert!(
        applied.stderr.contains("Connection refused"),
        "{}",
        applied.stderr
    );
    assert_eq!(fleet.read("/etc/a"), ["x", "", "x"]);
    fleet.nodes[1].sh("systemctl start ssh.service");
    fleet.run(0, "apply", &["--yes"]);
    assert_eq!(fleet.read("/etc/a"), ["x"; 3]);

    // One dies in the middle of its operations: the others are done, and the next run finishes it.
    let slow = "      - file: { path: /etc/b, content: x }
      - command: { shell: 'sleep 6; touch /etc/c', creates: /etc/c }
      - file: { path: /etc/d, content: x }";
    fleet.write("", slow);
    let name = fleet.nodes[2].name().to_owned();
    let killer = std::thread::spawn(move || {
        let look = |path: &str| docker(&["exec", &name, "sh", "-c", &format!("ls {path} || true")]);
        while look("/etc/b").is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        docker(&["kill", &name]);
    });
    let died = fleet.run(1, "apply", &["--yes"]).stderr;
    killer.join().expect("killed");
    assert!(died.contains("hosts.web[c]"), "{died}");
    assert!(died.contains("it continues where it stopped"), "{died}");
    assert_eq!(fleet.nodes[0].sh("cat /etc/d"), "x");
    fleet.nodes[2].start_again();
    fleet.write("", slow);
    fleet.run(0, "apply", &["--yes"]);
    assert_eq!(fleet.read("/etc/d"), ["x"; 3]);
    fleet.run(0, "plan", &[]);
}

#[test]
fn after_enough_failures_no_other_host_is_begun() {
    let fleet = Fleet::new();
    let wanted = "      - file: { path: /etc/a, content: x }
      - command: { argv: ['false'], creates: /etc/none }";
    fleet.write("", wanted);
    let one = ["--yes", "--parallelism", "1", "--max-failures", "1"];
    let failed = fleet.run(1, "apply", &one);
    let said = format!("{}{}", failed.stdout, failed.stderr);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("not begun: `hosts.web[b]`, `hosts.web[c]`"),
        "{said}"
    );
    assert_eq!(fleet.read("/etc/a"), ["x", "", ""]);
}
