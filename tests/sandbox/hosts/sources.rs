//! Packages and where they come from: dnf and yum, signed apt sources, what holds apt up.

use std::time::{Duration, Instant};

use super::node::Node;
use super::site::{Site, shown};
use super::workshop;

/// A source, what comes from it, and what that brings, in one list.
const BEACON: &str = "
- repository:
    name: local
    uri: http://127.0.0.1:8080/apt
    suites: [./]
    key: { KEY }
- packages: [beacon]
- service: { name: beacon, running: true, enabled: true }
";

fn beacon(key: &str) -> String {
    BEACON.replace("KEY", key)
}

async fn workshop() -> (Node, Site) {
    let node = Node::of(workshop::image());
    let site = Site::of(&node).await;
    (node, site)
}

#[tokio::test]
async fn rpm_packages_come_by_dnf_or_yum_though_apt_is_there() {
    let (node, site) = workshop().await;
    node.sh("sed -i -e 's/^ID=.*/ID=amzn/' -e '$aID_LIKE=fedora' /etc/os-release");
    let source = |name: &str| {
        format!(
            "- file: {{ path: /etc/yum.repos.d/{name}.repo, \
             content: \"[{name}]\\nname={name}\\nbaseurl=file:///srv/{name}\\ngpgcheck=0\\n\" }}\n"
        )
    };
    let wanted = source("rpm") + "- packages: [tide, walk]\n";
    site.converge(&wanted).await;
    assert_eq!(
        node.sh("rpm -q tide walk"),
        "tide-1-1.noarch\nwalk-1-1.noarch\n"
    );

    site.converge(&source("rpm-newer")).await;
    let latest = "- packages: { names: [tide, walk], state: latest, recommends: false }";
    let changes = site.plan(latest).await.expect("planned");
    assert_eq!(shown(&changes), "\npackage tide: 1-1 -> 2-1");
    site.converge(latest).await;

    let error = site
        .apply("- packages: [no-such-package-here]")
        .await
        .err()
        .expect("there is no such package");
    let text = error.message();
    assert!(text.contains("match: no-such-package-here"), "{error:?}");

    let absent = "- packages: { names: [tide, nothing], state: absent }";
    site.converge(absent).await;
    node.sh("! rpm -q tide && mv /usr/bin/dnf /usr/bin/yum");
    site.converge("- packages: [tide]").await;
    assert_eq!(node.sh("rpm -q tide"), "tide-2-1.noarch\n");

    let error = site
        .apply(&beacon("url: http://127.0.0.1:8080/first.asc"))
        .await
        .err()
        .expect("no apt host");
    assert!(error.message().contains("/etc/yum.repos.d"), "{error:?}");
    assert_eq!(
        node.sh("ls /etc/apt/sources.list.d | grep local || true"),
        ""
    );
}

#[tokio::test]
async fn a_signed_source_and_what_comes_from_it_are_there_after_one_apply() {
    let (node, site) = workshop().await;
    let refused = async |key: &str| {
        let error = site.apply(&beacon(key)).await.err().expect("refused");
        assert_eq!(node.sh("dpkg -l beacon | grep ^ii || true"), "");
        format!("{}\n{}", error.message(), error.notes().join("\n"))
    };
    let text = refused("url: http://127.0.0.1:8080/none.asc").await;
    assert!(text.contains("none.asc  404"), "{text}");
    let text = refused("url: http://127.0.0.1:8080/").await;
    assert!(text.contains("is not an OpenPGP key"), "{text}");
    let sum = format!("url: http://127.0.0.1:8080/first.asc, sha256: {:064}", 0);
    assert!(refused(&sum).await.contains("has SHA-256"));
    let text = refused("url: http://127.0.0.1:8080/second.asc").await;
    assert!(text.contains("is not signed by the key"), "{text}");
    assert!(text.contains("NO_PUBKEY"), "{text}");

    let armored = beacon("url: http://127.0.0.1:8080/first.asc");
    site.converge(&armored).await;
    assert_eq!(node.sh("systemctl is-active beacon"), "active\n");
    node.sh("cmp /srv/first.gpg /etc/apt/keyrings/local.gpg");

    // The source is signed by another key from now on.
    node.sh("cp /srv/InRelease.second /srv/apt/InRelease");
    let binary = beacon("url: http://127.0.0.1:8080/second.gpg");
    let changes = shown(&site.plan(&binary).await.expect("planned"));
    assert!(changes.contains("repository local key"), "{changes}");
    site.converge(&binary).await;
    node.sh("apt-get update -qq --error-on=any");

    site.write("archive.asc", &node.sh("cat /srv/second.asc"));
    let own = beacon("source: archive.asc");
    site.converge(&own).await;
    site.write(
        "archive.asc",
        &node.sh("cat /srv/first.asc /srv/second.asc"),
    );
    let changes = site.plan(&own).await.expect("planned");
    assert_eq!(changes[0].field, "repository local key");
    site.converge(&own).await;
    node.sh("apt-get update -qq --error-on=any");

    let gone = own.split("- packages").next().expect("a source").to_owned();
    site.converge(&(gone + "    state: absent\n")).await;
    node.sh("! ls /etc/apt/keyrings/local.gpg /etc/apt/sources.list.d/local.sources");
}

/// Holds a lock as apt and dpkg do, for three seconds.
const HOLD: &str = "nohup python3 -c 'import fcntl, time
lock = open(\"PATH\", \"w\")
fcntl.lockf(lock, fcntl.LOCK_EX)
open(\"/run/held\", \"w\")
time.sleep(3)' >/dev/null 2>&1 &";

#[tokio::test]
async fn locks_of_other_package_managers_are_waited_for() {
    let (node, site) = workshop().await;
    with_source(&node, &site).await;
    for lock in [
        "/var/lib/dpkg/lock-frontend",
        "/var/lib/apt/lists/lock",
        "/var/cache/apt/archives/lock",
    ] {
        node.sh(&HOLD.replace("PATH", lock));
        node.wait_for("/run/held").await;
        let start = Instant::now();
        site.converge("- packages: { names: [beacon], update_cache: true, recommends: false }")
            .await;
        assert!(start.elapsed() > Duration::from_secs(2), "{lock} was held");
        node.sh("rm /run/held; apt-get purge -qq -y beacon; rm -f /var/cache/apt/archives/*.deb");
    }
}

/// What an apply begins with that is interrupted while dpkg is at work.
const SLOWPOKE: &str = "- packages: [slowpoke]\n- file: { path: /etc/after, content: x }\n";

async fn with_source(node: &Node, site: &Site) {
    let source = beacon("url: http://127.0.0.1:8080/first.asc");
    let source = source.split("- packages").next().expect("a source");
    site.converge(source).await;
    node.sh("apt-get update -qq; touch /etc/slowly");
}

#[tokio::test]
async fn an_installation_goes_on_without_its_connection_and_the_next_run_waits_for_it() {
    let (node, site) = workshop().await;
    with_source(&node, &site).await;
    let cut = async {
        node.wait_for("/root/slowpoke.begun").await;
        node.sh("kill $(pgrep -f '[s]shd: root')");
    };
    let (result, ()) = tokio::join!(site.apply(SLOWPOKE), cut);
    let error = format!("{:?}", result.err().expect("cut"));
    assert!(error.contains("run the same command again"), "{error}");
    site.converge(SLOWPOKE).await;
    assert_eq!(node.sh("cat /root/slowpoke.begun"), "x\n", "once");
}

#[tokio::test]
async fn a_host_that_reboots_in_the_middle_is_finished_by_the_next_run() {
    let (mut node, mut site) = workshop().await;
    with_source(&node, &site).await;
    let cut = async {
        node.wait_for("/root/slowpoke.begun").await;
        node.reboot();
    };
    let (result, ()) = tokio::join!(site.apply(SLOWPOKE), cut);
    let error = format!("{:?}", result.err().expect("the host went away"));
    assert!(error.contains("run the same command again"), "{error}");
    let state = node.sh("dpkg-query -W -f '${db:Status-Status}' slowpoke");
    assert_eq!(state, "half-configured");

    node.sh("rm /etc/slowly");
    site.spec["address"] = node.address.as_str().into();
    site.converge(SLOWPOKE).await;
    assert_eq!(node.sh("dpkg --audit; cat /etc/after"), "x");
}

#[tokio::test]
async fn what_dpkg_cannot_finish_is_told_with_what_to_do() {
    let (node, site) = workshop().await;
    with_source(&node, &site).await;
    node.sh("apt-get install -qq -y broken || touch /var/lib/dpkg/updates/0001");
    let error = site
        .apply("- packages: [beacon]")
        .await
        .err()
        .expect("stuck");
    let text = format!("{}\n{}", error.message(), error.notes().join("\n"));
    assert!(text.contains("dpkg --configure -a"), "{text}");
    assert!(text.contains("broken is not mended"), "{text}");
    node.sh("touch /etc/mended");
    site.converge("- packages: [beacon]").await;
}
