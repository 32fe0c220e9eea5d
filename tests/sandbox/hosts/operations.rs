//! Operations on a real host: applied, found in place, healed, undone where they fail.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::node::Node;
use super::site::{Site, shown};

/// A unit that can be reloaded, and refuses when its file says so.
const FUSSY: &str = r#"
- file: { path: /etc/fussy.conf, content: "good\n", reload: fussy }
- unit:
    name: fussy.service
    content: |
      [Service]
      ExecStart=/usr/bin/sleep infinity
      ExecReload=/bin/sh -c 'cp /etc/fussy.conf /run/fussy.loaded; grep -q good /etc/fussy.conf || { echo fussy says no; exit 1; }'
- service: { name: fussy, running: true }
"#;

const EVERYTHING: &str = r#"
- packages: { names: [redis-server], recommends: false }
- packages: [tree]
- repository:
    name: updates
    uri: MIRROR
    suites: [bookworm-backports]
    components: [main]
    key: { source: debian.asc }
- group: { name: team, gid: 4242 }
- user:
    name: ada
    uid: 4243
    groups: [team]
    shell: /bin/bash
    comment: Ada L
    password_hash: $6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.
- authorized_keys: { user: ada, keys: [KEY] }
- directory: { path: /srv/app/data, owner: ada, group: team, mode: "0750" }
- file: { path: /srv/app/hello, content: "hello\n", owner: ada, mode: "0640" }
- file: { path: /srv/app/binary, source: binary }
- file: { path: /etc/motd, state: absent }
- template: { source: motd.j2, path: /srv/app/motd, vars: { who: Ada } }
- line: { path: /etc/redis/redis.conf, line: maxmemory 64mb, regexp: '^#? ?maxmemory ', restart: redis-server }
- service: { name: redis-server, running: true, enabled: true }
- unit:
    name: app.service
    content: |
      [Unit]
      Description=Our application
      [Service]
      User=ada
      ExecStart=/usr/bin/sleep infinity
      [Install]
      WantedBy=multi-user.target
- unit: { name: app.service, drop_in: limits.conf, content: "[Service]\nMemoryMax=64M\n", restart: app }
- service: { name: app, running: true, enabled: true }
- service: { name: systemd-pstore, masked: true }
- command: { shell: "echo one >/srv/app/made\necho two >>/srv/app/made\n", creates: /srv/app/made }
- command: { argv: [touch, /srv/app/touched], unless: "test -e /srv/app/touched" }
- timer: { name: tidy, schedule: daily, command: [/usr/bin/find, /srv/app, -name, "*.%t$"], user: ada, persistent: true }
"#;

#[tokio::test]
async fn every_operation_is_applied_and_then_in_place() {
    let node = Node::start();
    let site = Site::of(&node).await;
    site.write("motd.j2", "Hello {{ who }}");
    site.write(
        "debian.asc",
        &node.sh("cat /usr/share/keyrings/debian-archive-bookworm-stable.gpg | base64"),
    );
    let armored = format!(
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{}=AAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
        std::fs::read_to_string(node.folder.path().join("debian.asc")).expect("a key")
    );
    site.write("debian.asc", &armored);
    let bytes: Vec<u8> = (0..=255).cycle().take(400_000).collect();
    std::fs::write(node.folder.path().join("binary"), &bytes).expect("a file");
    let key = std::fs::read_to_string(node.folder.path().join("id.pub")).expect("a key");
    // The archive that the host has its own packages from.
    let mirror =
        node.sh("grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list* | head -n 1");
    assert!(
        mirror.starts_with("http"),
        "no archive in the host's sources: {mirror}"
    );
    let everything = EVERYTHING
        .replace("KEY", key.trim())
        .replace("MIRROR", mirror.trim());

    let before = site.plan(&everything).await.expect("planned");
    assert!(
        before
            .iter()
            .any(|change| change.field == "package redis-server")
    );
    site.converge(&everything).await;

    assert_eq!(node.sh("cat /srv/app/motd"), "Hello Ada");
    assert_eq!(
        node.sh("stat -c '%a %U %G' /srv/app/data /srv/app/hello"),
        "750 ada team\n640 ada root\n"
    );
    assert_eq!(
        node.sh("grep -c '^maxmemory 64mb$' /etc/redis/redis.conf"),
        "1\n"
    );
    assert_eq!(
        node.sh("redis-cli config get maxmemory | tail -1"),
        "67108864\n"
    );
    assert_eq!(
        node.sh("systemctl show -p MemoryMax --value app"),
        "67108864\n"
    );
    assert_eq!(
        node.sh("systemctl is-active tidy.timer app"),
        "active\nactive\n"
    );
    assert_eq!(node.sh("id -nG ada"), "ada team\n");
    assert_eq!(
        node.sh("stat -c %a /home/ada/.ssh/authorized_keys"),
        "600\n"
    );
    assert_eq!(node.sh("stat -c %s /srv/app/binary"), "400000\n");
    assert_eq!(
        node.sh("ls /run | grep tidewalk"),
        "tidewalk.lock\n",
        "nothing is left behind"
    );

    node.sh("echo drift >>/srv/app/motd; systemctl stop redis-server; gpasswd -d ada team");
    let drift = site.plan(&everything).await.expect("planned");
    let fields: Vec<_> = drift.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "user ada groups",
            "template /srv/app/motd",
            "service redis-server"
        ]
    );
    assert!(
        shown(&drift).contains("-Hello Adadrift\n"),
        "{}",
        shown(&drift)
    );
    site.converge(&everything).await;
}

#[tokio::test]
async fn what_validation_refuses_never_takes_effect() {
    let node = Node::start();
    let site = Site::of(&node).await;
    node.sh("echo old >/etc/a.conf");
    for validate in ["grep -q good %s", "grep -q good /etc/a.conf"] {
        let wanted = format!(
            "- file: {{ path: /etc/a.conf, content: bad, validate: {validate}, reload: cron }}"
        );
        let error = site.apply(&wanted).await.err().expect("refused");
        assert!(error.message().contains("validation failed"), "{error:?}");
        assert_eq!(node.sh("cat /etc/a.conf"), "old\n");
        assert_eq!(node.sh("ls -A /etc | grep -c tidewalk || true"), "0\n");
        assert_eq!(
            site.plan(&wanted).await.expect("planned").len(),
            1,
            "no reload is pending"
        );
    }
    let unit =
        "- unit: { name: a.service, content: \"[Service]\\nExecStart=/no/such/program\\n\" }";
    let error = site.apply(unit).await.err().expect("refused");
    assert!(
        format!("{error:?}").contains("/no/such/program"),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_systemd_would_not_run_is_told_with_its_words() {
    let node = Node::start();
    let site = Site::of(&node).await;
    let timer = "- timer: { name: a, schedule: dayly, command: [/bin/true] }";
    let error = site.apply(timer).await.err().expect("refused");
    assert!(error.message().contains("'dayly'"), "{error:?}");
    assert_eq!(node.sh("ls /etc/systemd/system | grep '^a\\.' || true"), "");

    let dies = "- unit: { name: dies.service, content: \"[Service]\\nExecStart=/bin/sh -c 'echo no database; exit 3'\\n\" }
- service: { name: dies, running: true }
";
    let error = site.apply(dies).await.err().expect("it ends at once");
    assert!(format!("{error:?}").contains("no database"), "{error:?}");

    // Where a process ends before journald has looked at it, its words are kept without the name of its unit. That
    // is a matter of chance; where one has left its control group, it is nearly always so a second later.
    node.sh("cat >/usr/local/bin/leaves <<'END'
#!/bin/sh
for processes in /sys/fs/cgroup/init.scope/cgroup.procs /sys/fs/cgroup/*/init.scope/cgroup.procs; do
  [ ! -w $processes ] || echo $$ >$processes
done
sleep 1.5
echo no disk
exit 3
END
chmod +x /usr/local/bin/leaves");
    let leaves = "- unit: { name: leaves.service, content: \"[Service]\\nType=oneshot\\nExecStart=/usr/local/bin/leaves\\n\" }
- service: { name: leaves, running: true }
";
    let error = site.apply(leaves).await.err().expect("it fails");
    assert!(format!("{error:?}").contains("no disk"), "{error:?}");

    // The unit names a manual page, and a minimal system has none.
    node.sh("! command -v man");
    let documented = "- unit: { name: ssh.service, drop_in: a.conf, content: \"[Service]\\nLimitNOFILE=4096\\n\" }";
    site.converge(documented).await;
}

#[tokio::test]
async fn a_failing_reload_puts_the_old_files_back_and_says_so() {
    let node = Node::start();
    let site = Site::of(&node).await;
    site.converge(FUSSY).await;
    let bad = FUSSY.replace("good\\n", "bad\\n");
    let error = site.apply(&bad).await.err().expect("refused");
    assert!(error.message().contains("put back"), "{error:?}");
    assert!(error.message().contains("/etc/fussy.conf"), "{error:?}");
    assert!(format!("{error:?}").contains("fussy says no"), "{error:?}");
    assert_eq!(
        node.sh("cat /etc/fussy.conf /run/fussy.loaded"),
        "good\ngood\n"
    );
    assert_eq!(node.sh("systemctl is-active fussy"), "active\n");
    site.converge(FUSSY).await;
}

#[tokio::test]
async fn a_run_whose_connection_is_cut_is_finished_by_the_next() {
    let node = Node::start();
    let site = Site::of(&node).await;
    site.converge(FUSSY).await;
    let wanted = FUSSY.replace("good\\n", "good again\\n")
        + "- command: { shell: \"touch /run/begun; sleep 2; touch /run/ended\", creates: /run/ended }\n\
           - file: { path: /etc/last, content: x }\n";
    let cut = async {
        let start = Instant::now();
        while node.sh("ls /run/begun 2>/dev/null || true").is_empty() {
            assert!(start.elapsed() < Duration::from_secs(30));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        node.sh("kill $(pgrep -f '[s]shd: root')");
    };
    let (result, ()) = tokio::join!(site.apply(&wanted), cut);
    let error = result.err().expect("the connection was cut");
    assert!(
        format!("{error:?}").contains("run the same command again"),
        "{error:?}"
    );
    assert_eq!(node.sh("ls /etc/last 2>/dev/null || true"), "");

    let left = site.plan(&wanted).await.expect("planned");
    assert!(
        shown(&left).contains("reload fussy.service"),
        "{}",
        shown(&left)
    );
    site.converge(&wanted).await;
    assert_eq!(node.sh("cat /run/fussy.loaded /etc/last"), "good again\nx");
}

#[tokio::test]
async fn what_cannot_be_had_is_told_by_its_name() {
    let node = Node::start();
    let site = Site::of(&node).await;
    let error = site
        .apply("- packages: [no-such-package-here]\n- file: { path: /etc/after, content: x }")
        .await
        .err()
        .expect("there is no such package");
    assert!(
        format!("{error:?}").contains("no-such-package-here"),
        "{error:?}"
    );
    assert_eq!(
        node.sh("ls /etc/after 2>/dev/null || true"),
        "",
        "later operations wait"
    );

    let fight = "- file: { path: /etc/a, content: one }\n- file: { path: /etc/a, content: two }";
    let error = site.apply(fight).await.err().expect("they fight");
    assert!(
        error.message().contains("file /etc/a on hosts.server"),
        "{error:?}"
    );
    assert!(error.message().contains("still not as wanted"), "{error:?}");
}

#[tokio::test]
async fn thirty_operations_are_looked_at_in_one_round_trip() {
    let node = Node::start();
    node.sh(
        "echo 'LogLevel VERBOSE' >/etc/ssh/sshd_config.d/00-verbose.conf; systemctl reload ssh",
    );
    let site = Site::of(&node).await;
    let mut wanted = String::new();
    for index in 0..20 {
        let _ = writeln!(
            wanted,
            "- file: {{ path: /etc/f{index}, content: \"text\\n\" }}"
        );
    }
    for index in 0..4 {
        let _ = writeln!(wanted, "- directory: {{ path: /srv/d{index} }}");
    }
    wanted += "- packages: [sudo, curl]\n- group: { name: team }\n- user: { name: ada }\n\
               - service: { name: ssh, running: true }\n- service: { name: dbus, running: true }\n\
               - line: { path: /etc/f1, line: text }\n";
    site.converge(&wanted).await;
    let programs = || {
        let log = node.sh("journalctl -q -t sshd -o cat | grep -c '^Starting session' || true");
        log.trim().parse::<usize>().expect("a count")
    };
    let before = programs();
    assert!(before > 0, "sshd tells what it starts");
    site.plan(&wanted).await.expect("planned");
    assert_eq!(programs() - before, 1);
}

#[tokio::test]
async fn a_secret_is_nowhere_to_be_read_on_the_way() {
    let node = Node::start();
    let site = Site::of(&node).await;
    let wanted = "
- file: { path: /etc/token, content: hunter2-on-a-host, mode: \"0600\" }
- command: { shell: \"ps axwwe >/run/seen; ls -lR /run /tmp >>/run/seen; echo hunter2-on-a-host >/run/own\", creates: /run/own }
";
    site.converge(wanted).await;
    assert_eq!(node.sh("grep -c hunter2 /run/seen || true"), "0\n");
    assert_eq!(
        node.sh("grep -c 'tidewalk' /run/seen >/dev/null; stat -c %a /etc/token"),
        "600\n"
    );
}

#[tokio::test]
async fn a_reload_that_was_asked_for_comes_even_if_a_later_operation_fails() {
    let node = Node::start();
    let site = Site::of(&node).await;
    site.converge(FUSSY).await;
    let wanted = FUSSY.replace("good\\n", "good too\\n")
        + "- command: { shell: \"echo it is broken >&2; exit 3\", creates: /no }\n";
    let error = site.apply(&wanted).await.err().expect("a command fails");
    assert!(error.message().contains("it is broken"), "{error:?}");
    assert_eq!(node.sh("cat /run/fussy.loaded"), "good too\n");
}
