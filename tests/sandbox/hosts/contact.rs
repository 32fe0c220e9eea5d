//! Connecting: pinned keys, keys that change, first contact, the way through another host.

use tidewalk::ssh::Pins;

use super::node::{Node, make_key};
use super::site::Site;

#[tokio::test]
async fn a_changed_host_key_is_refused_with_both_fingerprints() {
    let node = Node::start();
    let mut site = Site::of(&node).await;
    let other = make_key(&node.folder.path().join("other"));
    site.spec["host_key"] = other.as_str().into();
    let error = site.plan("[]").await.expect_err("refused");
    let pins = |key: &str| key.parse::<Pins>().expect("a key").keys()[0].fingerprint();
    assert_eq!(error.notes()[0], format!("pinned to: {}", pins(&other)));
    assert_eq!(
        error.notes()[1],
        format!("the host shows: {}", pins(&node.host_key))
    );
}

#[tokio::test]
async fn a_refused_login_says_what_was_tried() {
    let node = Node::start();
    let mut site = Site::of(&node).await;
    make_key(&node.folder.path().join("stranger"));
    site.spec["identity"] = "stranger".into();
    let error = site.plan("[]").await.expect_err("refused");
    assert!(error.message().contains("refused the login"), "{error:?}");
    assert!(error.notes()[0].contains("user `root`"), "{error:?}");
    assert!(error.notes()[0].contains("stranger"), "{error:?}");
}

#[tokio::test]
async fn a_planted_key_is_replaced_at_first_contact() {
    let node = Node::start();
    let planted = format!("planted {}", node.host_key);
    let mut site = Site::of_instance(&node, &planted).await;
    let operations = "- file: { path: /etc/a, content: x }";
    let fields: Vec<_> = site.plan(operations).await.expect("planned");
    assert_eq!(fields[0].field, "host_key");
    site.apply(operations).await.expect("applied");
    let values = site.tags.values.lock().expect("the values").clone();
    assert_eq!(values.len(), 2);
    assert!(values[0].starts_with(&format!("{planted} next ssh-ed25519 ")));
    let own = values[1].clone();
    assert_ne!(own, node.host_key);
    assert_eq!(
        node.sh("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")
            .trim(),
        own
    );

    let error = site
        .plan(operations)
        .await
        .expect_err("the planted key is gone");
    assert!(
        error.notes()[1].starts_with("the host shows: SHA256:"),
        "{error:?}"
    );
    site.know_instance(&node, &own, "running");
    assert!(site.plan(operations).await.expect("pinned").is_empty());
}

#[tokio::test]
async fn a_first_contact_that_was_cut_short_is_finished_by_the_next_run() {
    for writes in [0, 1] {
        let node = Node::start();
        let planted = format!("planted {}", node.host_key);
        let mut site = Site::of_instance(&node, &planted).await;
        *site.tags.allowed.lock().expect("the count") = writes;
        let error = site
            .apply("[]")
            .await
            .err()
            .expect("the tag could not be written");
        assert!(error.message().contains("tags of i-"), "{error:?}");

        let last = site.tags.values.lock().expect("the values").last().cloned();
        site.know_instance(&node, last.as_deref().unwrap_or(&planted), "running");
        *site.tags.allowed.lock().expect("the count") = usize::MAX;
        site.apply("[]").await.expect("finished");
        let own = site.tags.values.lock().expect("the values").last().cloned();
        site.know_instance(&node, &own.expect("a tag"), "running");
        assert!(site.plan("[]").await.expect("pinned").is_empty());
    }
}

#[tokio::test]
async fn a_host_is_reached_through_another() {
    let (jump, node) = (Node::start(), Node::start());
    node.sh(
        "echo 'ListenAddress 0.0.0.0:2222' >/etc/ssh/sshd_config.d/a.conf; systemctl restart ssh",
    );
    let mut site = Site::of(&node).await;
    site.spec["port"] = 2222.into();
    site.spec["jump"] = format!("root@{}:22", jump.address).into();
    site.spec["jump_host_key"] = jump.host_key.as_str().into();
    // One identity serves both.
    let key = std::fs::read_to_string(node.folder.path().join("id.pub")).expect("a key");
    jump.sh(&format!(
        "echo '{}' >>/root/.ssh/authorized_keys",
        key.trim()
    ));
    site.converge("- file: { path: /etc/a, content: x }").await;
    assert_eq!(node.sh("cat /etc/a"), "x");

    site.spec["jump_host_key"] = node.host_key.as_str().into();
    let error = site
        .plan("[]")
        .await
        .expect_err("the jump host shows another key");
    assert!(error.message().contains("jump host"), "{error:?}");
}

#[tokio::test]
async fn a_stopped_instance_is_left_alone() {
    let node = Node::start();
    let mut site = Site::of_instance(&node, &node.host_key).await;
    site.know_instance(&node, &node.host_key, "stopped");
    let found = site.observe("[]").await.expect("observed").expect("known");
    assert_eq!(found.outputs.text("state"), Some("stopped"));
    assert!(
        site.plan("- file: { path: /a, content: x }")
            .await
            .expect("planned")
            .is_empty()
    );
}

#[tokio::test]
async fn a_login_that_is_not_root_becomes_it_by_sudo_or_says_why_not() {
    let node = Node::start();
    node.sh(
        "useradd -m ops && install -d -o ops -m 700 /home/ops/.ssh && \
         install -o ops -m 600 /root/.ssh/authorized_keys /home/ops/.ssh/ && \
         echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops",
    );
    let mut site = Site::of(&node).await;
    site.spec["user"] = "ops".into();
    site.converge("- file: { path: /etc/a, content: x, mode: \"0600\" }")
        .await;
    assert_eq!(node.sh("stat -c '%U %a' /etc/a"), "root 600\n");

    site.spec["sudo"] = false.into();
    site.converge("- file: { path: /home/ops/b, content: x }")
        .await;
    assert_eq!(node.sh("stat -c %U /home/ops/b"), "ops\n");

    node.sh("rm /etc/sudoers.d/ops");
    site.spec["sudo"] = true.into();
    let error = site.plan("[]").await.expect_err("no root");
    assert!(error.message().contains("becoming root"), "{error:?}");
}

#[tokio::test]
async fn words_reach_a_program_on_the_host_as_they_are() {
    let node = Node::start();
    let site = Site::of(&node).await;
    let words = ["printf", "%s|", "a b", "$HOME", "it's; `id`", ""].map(str::to_owned);
    let output = tidewalk::ssh::capture(&site.destination(), None, &words)
        .await
        .expect("ran");
    assert_eq!(output.stdout, b"a b|$HOME|it's; `id`||");
    let failed = tidewalk::ssh::capture(&site.destination(), None, &["false".to_owned()])
        .await
        .expect("ran");
    assert_eq!(failed.status, Some(1));
}
