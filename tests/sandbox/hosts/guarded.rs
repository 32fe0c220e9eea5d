//! Changes that can cut us off: kept when a new connection works, else taken back by the host.

use std::time::{Duration, Instant};

use super::node::Node;
use super::site::{Site, shown};

/// What is left on the host of a change that waits for its confirmation.
const WAITING: &str = "ls -d /var/lib/tidewalk/guard /etc/systemd/system/tidewalk-guard.service \
    /etc/systemd/system/multi-user.target.wants/tidewalk-guard.service 2>/dev/null; \
    systemctl is-active tidewalk-guard; true";
const NOTHING: &str = "inactive\n";

async fn server() -> (Node, Site) {
    let node = Node::start();
    let site = Site::of(&node).await;
    (node, site)
}

/// Applies what cuts us off; what the error says.
async fn cut_off(site: &Site, operations: &str) -> String {
    let error = site.apply(operations).await.err().expect("cut off");
    assert_eq!(
        error.hints()[0],
        "mend it in the playbook: the host is as it was before"
    );
    error.message().to_owned()
}

#[tokio::test]
async fn a_change_that_breaks_sshd_is_undone_by_itself() {
    let (node, site) = server().await;
    let before = node.sh("cat /etc/ssh/sshd_config");
    let locked = "
- file: { path: /etc/a, content: kept }
- line: { path: /etc/ssh/sshd_config, line: AllowUsers nobody, reload: ssh }
- line: { path: /etc/ssh/sshd_config, line: MaxSessions 20, reload: ssh }";
    let said = cut_off(&site, locked).await;
    assert!(
        said.contains("a change cut us off from hosts.server"),
        "{said}"
    );
    assert!(
        said.contains("was taken back (/etc/ssh/sshd_config)"),
        "{said}"
    );
    assert!(said.contains("refused the login"), "{said}");
    assert_eq!(node.sh("cat /etc/ssh/sshd_config"), before);
    assert_eq!(
        node.sh("cat /etc/a"),
        "kept",
        "what cannot cut us off stays"
    );
    assert_eq!(node.sh(WAITING), NOTHING);
    let left = site.plan(locked).await.expect("a new connection works");
    assert_eq!(left.len(), 2, "{}", shown(&left));

    // sshd does not even start again: it is stopped when the old connection takes it back.
    let stopped = "- service: { name: ssh, running: false, enabled: false }";
    let said = cut_off(&site, stopped).await;
    assert!(said.contains("Connection refused"), "{said}");
    let is = node.sh("systemctl is-active ssh; systemctl is-enabled ssh");
    assert_eq!(is, "active\nenabled\n");

    // Our own key goes.
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFnzMBFLaVqJYdtEnxXMpVRTrMPzRTHUKmEZ1mUg5rCM";
    let keys = format!("- authorized_keys: {{ user: root, keys: [{key}], exclusive: true }}");
    cut_off(&site, &keys).await;
    let locked = "- user: { name: root, shell: /usr/sbin/nologin }";
    cut_off(&site, locked).await;
    assert!(site.plan("[]").await.expect("planned").is_empty());
}

#[tokio::test]
async fn a_change_that_lets_us_in_is_kept() {
    let (node, site) = server().await;
    let wanted = "
- line: { path: /etc/ssh/sshd_config, line: MaxSessions 20, validate: sshd -t -f %s, reload: ssh }
- file: { path: /etc/sudoers.d/ops, content: \"ops ALL=(ALL) NOPASSWD: ALL\\n\", mode: '0440' }";
    site.converge(wanted).await;
    assert!(site.news.have("whether a new connection works"));
    assert_eq!(node.sh(WAITING), NOTHING);

    // What is harmless asks for no second connection.
    let (node, site) = (&node, Site::of(&node).await);
    site.converge("- file: { path: /etc/a, content: x }").await;
    assert!(!site.news.have("whether a new connection works"));
    assert_eq!(node.sh("cat /etc/a"), "x");
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_not_changed() {
    let (node, site) = server().await;
    node.sh("mkdir -p /var/lib/tidewalk && : >/var/lib/tidewalk/guard");
    let before = node.sh("cat /etc/ssh/sshd_config");
    let wanted = "- line: { path: /etc/ssh/sshd_config, line: MaxSessions 20, reload: ssh }";
    let error = site.apply(wanted).await.err().expect("not ready");
    assert!(error.message().contains("could not get ready"), "{error:?}");
    assert_eq!(node.sh("cat /etc/ssh/sshd_config"), before);
}

#[tokio::test]
async fn a_lost_network_comes_back_by_itself() {
    let (node, site) = server().await;
    let start = Instant::now();
    let down = "
- command:
    about: take the network away
    shell: ip link set eth0 down
    unless: ip link show eth0 | grep -q 'state DOWN'
    undo: ip link set eth0 up";
    let said = cut_off(&site, down).await;
    assert!(said.contains("(command take the network away)"), "{said}");
    assert!(
        start.elapsed() > Duration::from_secs(30),
        "by the host's own clock"
    );
    assert_eq!(node.sh(WAITING), NOTHING);
}

#[tokio::test]
async fn lost_rights_come_back_by_themselves() {
    let node = Node::start();
    node.sh(
        "useradd -m -s /bin/sh ops && install -d -o ops -m 700 /home/ops/.ssh && \
         install -o ops -m 600 /root/.ssh/authorized_keys /home/ops/.ssh/ && \
         echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops",
    );
    let mut site = Site::of(&node).await;
    site.spec["user"] = "ops".into();
    let said = cut_off(&site, "- file: { path: /etc/sudoers.d/ops, state: absent }").await;
    assert!(said.contains("(/etc/sudoers.d/ops)"), "{said}");
    assert!(said.contains("becoming root"), "{said}");
    let left = site.plan("- file: { path: /etc/sudoers.d/ops, state: absent }");
    assert_eq!(left.await.expect("root again").len(), 1);
}

#[tokio::test]
async fn a_change_that_nobody_confirmed_is_told_and_confirmed_or_taken_back() {
    let (mut node, site) = server().await;
    let wanted = "- line: { path: /etc/ssh/sshd_config, line: MaxSessions 20, reload: ssh }";
    interrupted(&site, wanted).await;
    let left = site.plan(wanted).await.expect("planned");
    assert_eq!(left.len(), 1, "{}", shown(&left));
    assert_eq!(left[0].field, "change of /etc/ssh/sshd_config");
    site.converge(wanted).await;
    assert_eq!(node.sh(WAITING), NOTHING);

    // The host's power fails before anybody comes back: it takes it back after its next start.
    let other = "- line: { path: /etc/ssh/sshd_config, line: MaxSessions 30, regexp: ^MaxSessions, reload: ssh }";
    interrupted(&site, other).await;
    node.reboot();
    node.wait_for("/var/lib/tidewalk/undone").await;
    let site = Site::of(&node).await;
    let start = Instant::now();
    while !site.plan(wanted).await.expect("planned").is_empty() {
        assert!(start.elapsed() < Duration::from_mins(1), "not taken back");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(node.sh(WAITING), NOTHING);
}

/// A run that ends between the change and its confirmation.
async fn interrupted(site: &Site, operations: &str) {
    site.news.take("");
    let confirming = async {
        while !site.news.take("whether a new connection works") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        biased;
        () = confirming => {}
        _ = site.apply(operations) => panic!("it went through"),
    }
}

#[tokio::test]
async fn files_of_one_service_are_all_new_or_all_old() {
    let (node, site) = server().await;
    let start = "
- unit:
    name: web.service
    content: \"[Service]\\nExecStart=/bin/sleep infinity\\n\"
- service: { name: web, running: true }
- file: { path: /etc/web/a, content: old, restart: web }";
    site.converge(start).await;
    let process = || node.sh("systemctl show -p MainPID web");
    let before = process();
    let refused = "
- file: { path: /etc/web/a, content: new, restart: web }
- file: { path: /etc/web/new, content: new, restart: web }
- file: { path: /etc/web/b, content: bad, validate: grep good %s, restart: web }
- file: { path: /etc/web/c, content: never, restart: web }";
    let error = site.apply(refused).await.err().expect("refused");
    let notes = format!("{error:?}");
    assert!(notes.contains("validation failed: grep good"), "{notes}");
    assert!(
        notes.contains(
            "put back, too, so that web.service keeps what it had: /etc/web/new /etc/web/a"
        ),
        "{notes}"
    );
    assert_eq!(node.sh("ls -A /etc/web; cat /etc/web/a"), "a\nold");
    assert_eq!(process(), before, "not restarted");
    assert_eq!(site.plan(refused).await.expect("planned").len(), 4);
}
