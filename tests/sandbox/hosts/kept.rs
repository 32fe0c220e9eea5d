//! Connections that are kept from one run to the next, on real sshd.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tidewalk::ssh::Keep;
use tidewalk::ssh::kept::list;

use super::node::{Node, make_key};
use super::site::Site;
use crate::patience;

const OPERATIONS: &str = "- file: { path: /etc/a, content: x }";

fn folder(node: &Node) -> PathBuf {
    node.folder.path().join("kept")
}

async fn keeping(node: &Node) -> Site {
    let mut site = Site::of(node).await;
    let keep = Keep::within(folder(node), Duration::from_mins(2));
    site.cx.keep = Some(keep.expect("a private folder"));
    site
}

fn logins(node: &Node) -> usize {
    let log = node.sh("journalctl -u ssh -o cat | grep -c '^Accepted publickey' || true");
    log.trim().parse().expect("a count")
}

async fn close_all(node: &Node) {
    for one in list::all_in(&folder(node)).await.expect("listed") {
        one.close().await.expect("closed");
    }
}

#[tokio::test]
async fn later_runs_use_the_connection_of_the_first_until_it_is_closed() {
    let node = Node::start();
    let site = keeping(&node).await;
    site.converge(OPERATIONS).await;
    site.converge(OPERATIONS).await;
    assert_eq!(logins(&node), 1);
    let listed = list::all_in(&folder(&node)).await.expect("listed");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].login, format!("root@{}", node.address));
    assert_eq!(listed[0].name, "hosts.server");

    let words = ["echo", "by the same"].map(str::to_owned);
    let keep = site.cx.keep.as_ref();
    let output = tidewalk::ssh::capture(&site.destination(), keep, &words).await;
    assert_eq!(output.expect("ran").stdout, b"by the same\n");
    let status = tidewalk::ssh::exec(&site.destination(), keep, &["true".to_owned()]).await;
    assert_eq!(status.expect("ran"), 0);
    assert_eq!(logins(&node), 1);

    close_all(&node).await;
    assert_eq!(
        list::all_in(&folder(&node)).await.expect("listed"),
        Vec::new()
    );
    assert!(site.plan(OPERATIONS).await.expect("planned").is_empty());
    assert_eq!(logins(&node), 2);
    close_all(&node).await;
}

#[tokio::test]
async fn runs_at_once_share_one_connection() {
    let node = Node::start();
    let site = keeping(&node).await;
    site.apply(OPERATIONS).await.expect("applied");
    close_all(&node).await;
    let before = logins(&node);
    let plans = [0, 1, 2, 3].map(|_| site.plan(OPERATIONS));
    for planned in futures::future::join_all(plans).await {
        assert!(planned.expect("planned").is_empty());
    }
    assert_eq!(logins(&node), before + 1);
    close_all(&node).await;
}

#[tokio::test]
async fn a_connection_that_leads_nowhere_is_made_anew() {
    let node = Node::start();
    let site = keeping(&node).await;
    site.apply(OPERATIONS).await.expect("applied");

    // The other end hangs: only that it does not answer tells.
    node.sh("pkill -STOP -f '^sshd: root@notty'");
    assert!(site.plan(OPERATIONS).await.expect("planned").is_empty());
    assert_eq!(logins(&node), 2);
    // And again, by several runs at once: one new connection for all.
    node.sh("pkill -STOP -f '^sshd: root@notty'");
    let plans = [0, 1, 2].map(|_| site.plan(OPERATIONS));
    for planned in futures::future::join_all(plans).await {
        assert!(planned.expect("planned").is_empty());
    }
    assert_eq!(logins(&node), 3);

    // The other end is gone, as after a reboot.
    node.sh("pkill -KILL -f '^sshd: root@notty'");
    assert!(site.plan(OPERATIONS).await.expect("planned").is_empty());
    assert_eq!(logins(&node), 4);

    // The master on this machine was killed, and left its socket.
    let masters = format!("{}/", folder(&node).display());
    let killed = Command::new("pkill")
        .args(["-KILL", "-f", &masters])
        .status();
    assert!(killed.expect("pkill").success());
    assert!(site.plan(OPERATIONS).await.expect("planned").is_empty());
    assert_eq!(logins(&node), 5);
    close_all(&node).await;
}

#[tokio::test]
async fn a_rebooted_host_is_connected_to_anew() {
    let mut node = Node::start();
    let mut site = keeping(&node).await;
    site.apply(OPERATIONS).await.expect("applied");
    node.reboot();
    site.spec["address"] = node.address.as_str().into();
    site.converge(OPERATIONS).await;
    assert_eq!(node.sh("cat /etc/a"), "x");
    close_all(&node).await;
}

#[tokio::test]
async fn another_host_key_or_login_does_not_use_what_is_kept() {
    let node = Node::start();
    let mut site = keeping(&node).await;
    site.apply(OPERATIONS).await.expect("applied");
    let own = site.spec.clone();
    let other = make_key(&node.folder.path().join("other"));
    site.spec["host_key"] = other.as_str().into();
    let error = site.plan("[]").await.expect_err("refused");
    assert!(error.message().contains("host key"), "{error:?}");

    site.spec = own;
    make_key(&node.folder.path().join("stranger"));
    site.spec["identity"] = "stranger".into();
    let error = site.plan("[]").await.expect_err("refused");
    assert!(error.message().contains("refused the login"), "{error:?}");
    close_all(&node).await;
}

#[tokio::test]
async fn a_connection_that_is_lost_in_the_middle_fails_the_run_and_not_the_next() {
    let node = Node::start();
    let site = keeping(&node).await;
    site.apply(OPERATIONS).await.expect("applied");
    let slow = "- command: { shell: \"touch /run/begun; sleep 60\", creates: /nowhere }";
    let cut = async {
        node.wait_for("/run/begun").await;
        node.sh("pkill -KILL -f '^sshd: root@notty'");
    };
    let (applied, ()) = tokio::join!(site.apply(slow), cut);
    let error = applied.err().expect("lost");
    assert!(error.message().contains("lost"), "{error:?}");
    site.converge(OPERATIONS).await;
    close_all(&node).await;
}

/// The program as its user runs it: without an account, for the host is outside AWS.
#[test]
fn connections_are_kept_when_the_user_says_so_and_shown_and_closed() {
    let node = Node::start();
    let playbook = format!(
        "stack: outside\nhosts:\n  server:\n    address: {}\n    user: root\n    identity: {}\n    \
         host_key: {}\n    operations:\n      - file: {{ path: /etc/a, content: x }}\n",
        node.address,
        node.identity(),
        node.host_key
    );
    let folder = node.folder.path();
    std::fs::write(folder.join("site.yml"), playbook).expect("a playbook");
    let run = |words: &[&str], code: i32| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_tidewalk"));
        program.args(words).current_dir(folder).env_clear();
        program.env("PATH", "/usr/bin:/bin").env("HOME", folder);
        let output = patience::output(program.env("XDG_RUNTIME_DIR", folder));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let rest = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}{rest}");
        said
    };
    assert!(run(&["plan", "site.yml"], 3).contains("Stack outside, outside AWS"));
    run(&["apply", "site.yml", "--yes"], 0);
    let none = "No connection is kept.\n";
    assert_eq!(run(&["connections"], 0), none);
    let before = logins(&node);

    let keep = ["--keep-connections", "1m"];
    run(&[&["plan", "site.yml"], &keep[..]].concat(), 0);
    run(&[&["plan", "site.yml"], &keep[..]].concat(), 0);
    let exec = ["exec", "server", "-f", "site.yml"];
    let said = run(&[&exec, &keep[..], &["--", "cat", "/etc/a"]].concat(), 0);
    assert_eq!(said, "x");
    assert_eq!(logins(&node), before + 1);
    assert!(run(&["connections"], 0).contains(&format!("root@{}", node.address)));
    run(&["connections", "--close"], 0);
    assert_eq!(run(&["connections"], 0), none);
}
