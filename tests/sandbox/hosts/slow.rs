//! Hosts that take their time to start, or never do.

use std::time::{Duration, Instant};

use super::node::{Node, image};
use super::site::Site;

/// sshd comes late; the login is made once it has been refused, however long that takes.
const SLOW: [(&str, &str); 3] = [
    (
        "etc/systemd/system/ssh.service.d/slow.conf",
        "[Service]\nExecStartPre=/bin/sleep 20\nTimeoutStartSec=90\n",
    ),
    (
        "etc/systemd/system/login.service",
        "[Unit]\nAfter=ssh.service\n[Service]\nExecStart=/bin/sh -c '\
         until journalctl -q -t sshd | grep -q \"Invalid user ops\"; do sleep 0.2; done; \
         useradd -m -s /bin/sh ops && install -d -o ops -m 700 /home/ops/.ssh && \
         echo \"ops ALL=(ALL) NOPASSWD: ALL\" >/etc/sudoers.d/ops && \
         install -o ops -m 600 /root/.ssh/authorized_keys /home/ops/.ssh/'\n",
    ),
    (
        "etc/systemd/system/multi-user.target.d/login.conf",
        "[Unit]\nWants=login.service\n",
    ),
];

#[tokio::test]
async fn a_first_start_is_waited_for_with_news() {
    let node = Node::boot(image(), &SLOW);
    let start = Instant::now();
    let planted = format!("planted {}", node.host_key);
    let mut site = Site::of_instance(&node, &planted).await;
    site.spec["user"] = "ops".into();
    let operations = "- file: { path: /etc/a, content: x }";
    let changes = site.plan(operations).await.expect("planned");
    assert_eq!(changes[0].field, "file /etc/a", "what it will get is shown");
    assert!(start.elapsed() < Duration::from_secs(20), "without a wait");

    site.apply(operations).await.expect("applied");
    assert!(start.elapsed() > Duration::from_secs(20));
    assert!(site.news.have("waiting for SSH"));
    assert!(site.news.have("first start"));
    assert_eq!(node.sh("cat /etc/a"), "x");
}

#[tokio::test]
async fn a_host_that_never_answers_is_an_error_within_the_given_time() {
    let node = Node::start();
    node.sh("systemctl disable -q --now ssh");
    let mut site = Site::of(&node).await;
    site.spec["answers_within"] = "2s".into();
    let start = Instant::now();
    let error = site.apply("[]").await.err().expect("no answer");
    let within = start.elapsed().as_secs();
    assert!(
        (1..30).contains(&within),
        "not the five minutes that are given otherwise: {within} s"
    );
    let text = error.message();
    assert!(text.contains("connecting to hosts.server"), "{error:?}");
    assert!(text.contains("Connection refused"), "{error:?}");
    let tried = error
        .notes()
        .iter()
        .any(|note| note.starts_with("tried for"));
    assert!(tried, "{error:?}");
}
