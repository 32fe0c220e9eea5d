//! The bundled setups on a real host, with stand-ins for what Debian does not have: they converge
//! from nothing, twice; what they set up answers through Nginx, and what is refused changes nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use aws_sdk_ec2::config::{BehaviorVersion, Region};
use aws_sdk_iam::types::Tag;

use crate::harness::{Beach, Ended, credentials};
use crate::hosts::node::Node;
use crate::{patience, stand_ins};

mod bad;

/// Every setup, as a playbook of the real world would have them, but for where things come from.
const PLAYBOOK: &str = "
stack: site
region: eu-west-1
vars:
  source:
    default:
      uri: http://127.0.0.1:9999/apt
      suites: [./]
      key: { url: http://127.0.0.1:9999/key.asc }
  slack_token: { secret: true }
  mail_password: { secret: true }
  sum: { type: text }
  port: 8787
  server_name: _
  team:
    default:
      - { name: jane.doe@x.org, linux_name: jane_doe, tags: { ssh-public-key: HOST_KEY } }
      - { name: joe, linux_name: joe, tags: {} }
hosts:
  server:
    address: ADDRESS
    host_key: HOST_KEY
    user: root
    identity: IDENTITY
    setups:
      - base: { timezone: Europe/Budapest, passwordless_sudo: sudo }
      - r: { cran: '{{ vars.source }}', r2u: ~, packages: [r-cran-ggplot2], github: [daroczig/binancer] }
      - rstudio-server:
          url: http://127.0.0.1:9999/apt/rstudio-server_99.0_all.deb
          sha256: '{{ vars.sum }}'
          address: 127.0.0.1
          port: '{{ vars.port }}'
      - shiny-server: { url: http://127.0.0.1:9999/apt/shiny-server_99.0_all.deb }
      - jenkins:
          repository:
            uri: http://localhost:9999/apt
            suites: [./]
            key: { url: http://127.0.0.1:9999/key.asc }
          java: stand-in-java
          plugin_manager: http://127.0.0.1:9999/manager.jar
          plugins: [git, slack]
          jobs: { prices: prices.xml }
          smtp: { host: mail.x.org, from: jenkins@x.org, user: jenkins }
          smtp_password: '{{ vars.mail_password }}'
          slack: { team: de3, channel: '#bots' }
          slack_token: '{{ vars.slack_token }}'
      - redis: { max_memory: 64mb }
      - kinesis-agent: { stream: crypto, groups: [adm] }
      - team-users: { users: '{{ vars.team }}', groups: [sudo] }
      - docker: { users: [joe], daemon: { storage-driver: vfs } }
      - nginx-proxy:
          server_name: '{{ vars.server_name }}'
          proxies:
            - { path: /rstudio, port: '{{ vars.port }}', strip_prefix: true, websocket: true }
            - { path: /shiny, port: 3838, strip_prefix: true, websocket: true }
            - { path: /jenkins, port: 8080, strip_prefix: false, websocket: false }
    operations:
      - directory: { path: /srv/shiny-server/treemap }
";

struct Server {
    beach: Beach,
    node: Node,
    /// SHA-256 of the package of `RStudio` Server.
    sum: String,
}

impl Server {
    fn new() -> Self {
        let node = Node::of(&stand_ins::image());
        let beach = Beach::without_hosts();
        let sum = node.sh("sha256sum /srv/apt/rstudio-server_99.0_all.deb | cut -c1-64");
        let sum = sum.trim().to_owned();
        let server = Self { beach, node, sum };
        let beach = &server.beach;
        beach.write("site.yml", &server.filled(PLAYBOOK));
        beach.write("prices.xml", "<project/>\n");
        server
    }

    /// A playbook with where this host is.
    fn filled(&self, playbook: &str) -> String {
        playbook
            .replace("ADDRESS", &self.node.address)
            .replace("HOST_KEY", &self.node.host_key)
            .replace("IDENTITY", &self.node.identity())
    }

    /// Values of the variables that are not given on the command line.
    fn env(&self) -> [(&'static str, &str); 3] {
        [
            ("TIDEWALK_VAR_slack_token", "xoxb-open-sesame"),
            ("TIDEWALK_VAR_mail_password", "mail-open-sesame"),
            ("TIDEWALK_VAR_sum", &self.sum),
        ]
    }

    #[track_caller]
    fn run(&self, code: i32, verb: &str, more: &[&str]) -> Ended {
        let args = [&[verb, "site.yml", "--sandbox"], more].concat();
        let ended = self.beach.run_with(&args, &self.env());
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, Some(code), "{args:?}\n{said}");
        assert!(!said.contains("open-sesame"), "the secret was shown");
        ended
    }

    /// What Nginx answers, status line and all.
    fn get(&self, path: &str) -> String {
        let mut stream = self.connect();
        let host = &self.node.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect((self.node.address.as_str(), 80)).unwrap();
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        stream
    }

    /// What comes back when a text is sent into a websocket (RFC 6455).
    fn echo(&self, path: &str, text: &str) -> String {
        let mut stream = self.connect();
        let host = &self.node.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        // The answer to this key is the one of the RFC's own example.
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        let length = u8::try_from(text.len()).unwrap();
        let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat();
        stream.write_all(&frame).unwrap();
        let mut answer = vec![0; text.len() + 2];
        stream.read_exact(&mut answer).unwrap();
        String::from_utf8(answer[2..].to_vec()).unwrap()
    }
}

#[track_caller]
fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn every_setup_converges_from_nothing_and_serves() {
    let server = Server::new();
    // Another package than the one that was meant.
    let other = server.run(
        1,
        "apply",
        &["--var", &format!("sum={}", "0".repeat(64)), "--yes"],
    );
    contains(&other.stderr, &["did NOT match"]);
    let there = server.node.sh("ls /usr/lib/rstudio-server 2>&1 || true");
    contains(&there, &["No such file"]);

    let planned = server.run(3, "plan", &[]);
    contains(
        &planned.stdout,
        &["repository jenkins", "template /etc/nginx"],
    );
    server.run(0, "apply", &["--yes"]);
    server.run(0, "plan", &[]);
    server.run(0, "apply", &["--yes"]);

    contains(&server.get("/"), &["200 OK", "Welcome to site"]);
    contains(&server.get("/rstudio/"), &["200 OK", "RStudio"]);
    contains(&server.get("/rstudio"), &["301", "/rstudio/"]);
    contains(&server.get("/shiny/"), &["Shiny apps: treemap"]);
    contains(
        &server.get("/jenkins/"),
        &[
            "200 OK",
            "groups jenkins shadow",
            "['git.jpi', 'slack.jpi']",
            "jobs ['prices']",
            "serviceName: sshd",
            "room: \"#bots\"",
            "smtpHost: \"mail.x.org\"",
            "smtpPort: \"587\"",
            "username: \"jenkins\"",
            "password: \"mail-open-sesame\"",
        ],
    );
    assert_eq!(server.echo("/rstudio/events", "tide"), "tide");
    let node = &server.node;
    assert_eq!(node.sh("redis-cli ping"), "PONG\n");
    let limit = node.sh("redis-cli config get maxmemory");
    assert_eq!(limit, "maxmemory\n67108864\n");
    let zone = node.sh("readlink /etc/localtime");
    assert_eq!(zone, "/usr/share/zoneinfo/Europe/Budapest\n");
    assert_eq!(node.sh("runuser -u joe -- sudo -n id -un"), "root\n");
    node.sh("Rscript -e 'requireNamespace(\"binancer\")'");
    contains(
        &node.sh("cat /etc/aws-kinesis/agent.json"),
        &["\"crypto\"", "kinesis.eu-west-1.amazonaws.com"],
    );
    let agent = node.sh("ps -o supgrp= -u aws-kinesis-agent-user");
    assert!(agent.contains("adm"), "it may read logs: {agent}");
    contains(
        &node.sh("runuser -u joe docker info"),
        &["Storage Driver: vfs"],
    );
    // Behind the proxy only.
    let open = node.sh("ss -Hltn 'sport = :8787'");
    contains(&open, &["127.0.0.1:8787"]);

    assert!(
        node.sh("id -nG jane_doe")
            .starts_with("jane_doe sudo tidewalk-team")
    );
    let keys = node.sh("cat ~jane_doe/.ssh/authorized_keys");
    assert_eq!(keys.trim(), node.host_key.trim());

    locks_who_is_gone(&server);

    // Another port: RStudio is restarted, Nginx follows, and nothing else changes.
    let moved = server.run(3, "plan", &["--var", "port=8788"]);
    contains(&moved.stdout, &["www-port", "sites-available/default"]);
    assert!(!moved.stdout.contains("redis"), "{}", moved.stdout);
    server.run(0, "apply", &["--var", "port=8788", "--yes"]);
    contains(&server.get("/rstudio/"), &["200 OK", "RStudio"]);
    server.run(0, "plan", &["--var", "port=8788"]);

    server.run(0, "apply", &["--yes"]);
    upgrades(&server);
    certified(&server);

    for (what, bad, why) in bad::BAD {
        bad::refuses(&server, what, bad, why);
    }
}

/// Who is gone is locked, and let in again when back; others are left alone.
fn locks_who_is_gone(server: &Server) {
    let node = &server.node;
    let lets_in = |login: &str| {
        let key = node.folder.path().join("host");
        let to = format!("{login}@{}", node.address);
        let mut ssh = std::process::Command::new("ssh");
        ssh.args(["-F", "none", "-o", "StrictHostKeyChecking=no"]);
        ssh.args(["-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]);
        ssh.arg("-o").arg(format!("IdentityFile={}", key.display()));
        patience::output(ssh.arg(to).arg("true")).status.success()
    };
    assert!(lets_in("jane_doe"));
    let expiry = |login: &str| node.sh(&format!("getent shadow {login} | cut -d: -f8"));
    let team = |member: &str| format!("team=[{{ name: it, linux_name: {member}, tags: {{}} }}]");
    let planned = server.run(3, "plan", &["--var", &team("joe")]);
    contains(&planned.stdout, &["lock who is no longer in the team"]);
    server.run(0, "apply", &["--var", &team("joe"), "--yes"]);
    assert_eq!(
        (expiry("jane_doe"), expiry("joe")),
        ("1\n".to_owned(), "\n".to_owned())
    );
    assert!(!lets_in("jane_doe"));
    server.run(0, "plan", &["--var", &team("joe")]);
    server.run(0, "apply", &["--yes"]);
    assert_eq!(expiry("jane_doe"), "\n");
    let taken = server.run(1, "apply", &["--var", &team("jenkins"), "--yes"]);
    contains(
        &taken.stderr,
        &["jenkins is a user of this machine already"],
    );
    assert_eq!(expiry("jenkins"), "\n");
    server.run(0, "plan", &[]);
}

/// A package with a newer version is upgraded on request, and only then.
fn upgrades(server: &Server) {
    let node = &server.node;
    node.sh("dpkg -i /srv/older/stand-in-tool_1.0_all.deb");
    server.run(0, "plan", &[]);
    let upgrade = |code: i32, verb: &str| {
        let (head, _) = PLAYBOOK.split_once("    setups:").unwrap();
        let text =
            format!("{head}    setups: [base: {{ upgrade: true, timezone: Europe/Budapest }}]\n");
        server.beach.write("upgrade.yml", &server.filled(&text));
        let args = [verb, "upgrade.yml", "--sandbox", "--yes"];
        let args = if verb == "plan" { &args[..3] } else { &args };
        let ended = server.beach.run_with(args, &server.env());
        assert_eq!(ended.code, Some(code), "{}{}", ended.stdout, ended.stderr);
        ended.stdout
    };
    contains(&upgrade(3, "plan"), &["upgrade every package"]);
    upgrade(0, "apply");
    let version = node.sh("dpkg-query -f '${Version}' -W stand-in-tool");
    assert_eq!(version, "99.0");
    upgrade(0, "plan");
}

/// With an e-mail address, the certificate comes by ACME, and HTTP leads to HTTPS.
fn certified(server: &Server) {
    let (head, _) = PLAYBOOK.split_once("    setups:").unwrap();
    let text = format!(
        "{head}    setups:\n      - nginx-proxy: {{ server_name: de3.example.org, acme_email: me@example.org, proxies: {} }}\n",
        bad::PROXIES
    );
    server.beach.write("acme.yml", &server.filled(&text));
    let run = |args: &[&str]| {
        let ended = server.beach.run_with(args, &server.env());
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    };
    run(&["apply", "acme.yml", "--sandbox", "--yes"]);
    run(&["plan", "acme.yml", "--sandbox"]);
    let node = &server.node;
    contains(
        &node.sh("cat /etc/letsencrypt/asked"),
        &["--email me@example.org --domain de3.example.org"],
    );
    let page = "curl -sS --resolve de3.example.org:443:127.0.0.1 --cacert /etc/letsencrypt/live/de3.example.org/fullchain.pem https://de3.example.org/rstudio/";
    contains(&node.sh(page), &["RStudio"]);
    let plain = node.sh("curl -sSI http://127.0.0.1/rstudio/");
    contains(&plain, &["301", "https://127.0.0.1/rstudio/"]);
    server.run(0, "apply", &["--yes"]);
}

#[test]
fn the_team_is_shown_with_its_logins_and_what_is_wrong_with_them() {
    let beach = Beach::without_hosts();
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(beach.endpoint())
        .credentials_provider(credentials())
        .build();
    let iam = aws_sdk_iam::Client::from_conf(config);
    let join = |name: &'static str, key: Option<&'static str>| {
        let iam = iam.clone();
        beach.by_hand(async move |_| {
            let tag = key.map(|key| {
                Tag::builder()
                    .key("ssh-public-key")
                    .value(key)
                    .build()
                    .unwrap()
            });
            let call = iam
                .create_user()
                .user_name(name)
                .set_tags(tag.map(|tag| vec![tag]));
            call.send().await.unwrap();
        });
    };
    join("jane.doe@x.org", Some("ssh-ed25519 AAAA"));
    join("Joe", None);
    let playbook = "stack: site\nregion: eu-west-1\niam_users: { team: { linux_names: true } }\n";
    beach.write("site.yml", playbook);
    let shown = beach.expect(0, &["users", "site.yml", "--sandbox"]).stdout;
    let rows: Vec<Vec<&str>> = shown
        .lines()
        .filter(|line| line.contains("iam_users.team"))
        .map(|line| line.split_whitespace().collect())
        .collect();
    let wanted = [
        vec!["iam_users.team", "Joe", "joe", "none"],
        vec!["iam_users.team", "jane.doe@x.org", "jane_doe", "yes"],
    ];
    assert_eq!(rows, wanted, "{shown}");

    join("jane_doe", None);
    join("root", None);
    let refused = beach.expect(1, &["users", "site.yml", "--sandbox"]).stderr;
    contains(
        &refused,
        &[
            "IAM users `jane.doe@x.org` and `jane_doe` would both be `jane_doe`",
            "IAM user `root` would be `root`, which belongs to the system",
            "site.yml:3",
        ],
    );
    // What `for_each` makes is not guessed at.
    let waits = "stack: site\nregion: eu-west-1\nkeys: { k: {} }\n\
        iam_users: { team: { path: '/{{ keys.k.id }}/' } }\n\
        parameters: { p: { for_each: '{{ iam_users.team.names }}', value: a } }\n";
    beach.write("waits.yml", waits);
    let refused = beach.expect(1, &["plan", "waits.yml", "--sandbox"]).stderr;
    contains(
        &refused,
        &["`for_each` cannot wait for `iam_users.team`", "waits.yml:4"],
    );
    beach.write("site.yml", "stack: site\nregion: eu-west-1\n");
    let none = beach.expect(2, &["users", "site.yml", "--sandbox"]).stderr;
    contains(&none, &["the playbook has no `iam_users`"]);
}
