//! The bundled data server on a real host, with stand-ins for what Debian does not have: it comes up
//! whole from nothing, serves a browser, takes its team in and out, heals, starts again, and goes.

use std::path::Path;

use aws_sdk_iam::config::{BehaviorVersion, Region};
use serde_json::Value;

use crate::browser;
use crate::harness::{Beach, Ended, credentials};
use crate::hosts::node::make_key;
use crate::playbooks::{bundled, changes, documents};
use crate::stand_ins;

const PASSWORDS: &str = "/de3/users/";

struct DataServer {
    beach: Beach,
    text: String,
}

impl DataServer {
    fn new() -> Self {
        let beach = Beach::with_hosts();
        let text = std::fs::read_to_string(bundled("data-server.yml")).unwrap();
        beach.write("site.yml", &text);
        beach.write("stand-ins.yml", &stand_ins::serve(&beach.network()));
        for folder in ["keys", "jobs/nightly"] {
            std::fs::create_dir_all(beach.folder().join(folder)).unwrap();
        }
        beach.write("jobs/prices.xml", "<project/>\n");
        beach.write("jobs/nightly/config.xml", "<project/>\n");
        let key = make_key(&beach.folder().join("joe"));
        beach.write("keys/joe.pub", &format!("# Joe's\n{key}\n"));
        Self { beach, text }
    }

    fn args<'a>(first: &[&'a str], rest: &[&'a str]) -> Vec<&'a str> {
        let common = ["site.yml", "--sandbox", "--vars-file", "stand-ins.yml"];
        let vars = ["admin_cidr=me", "keys=keys", "jobs=jobs"];
        let vars = vars.iter().flat_map(|var| ["--var", *var]);
        [first, &common, &vars.collect::<Vec<_>>(), rest].concat()
    }

    #[track_caller]
    fn run(&self, code: i32, verb: &str, rest: &[&str]) -> Ended {
        self.beach.expect(code, &Self::args(&[verb], rest))
    }

    /// What a plan with these options would change.
    #[track_caller]
    fn planned(&self, rest: &[&str]) -> Vec<String> {
        let rest = [&["--json"], rest].concat();
        changes(&self.run(3, "plan", &rest).stdout)
    }

    #[track_caller]
    fn on_host(&self, script: &str) -> String {
        let first = ["exec", "server", "-f"];
        let rest = ["--", "sudo", "sh", "-c", script];
        self.beach.expect(0, &Self::args(&first, &rest)).stdout
    }

    fn iam(&self) -> aws_sdk_iam::Client {
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(self.beach.endpoint())
            .credentials_provider(credentials())
            .build();
        aws_sdk_iam::Client::from_conf(config)
    }

    fn join(&self, name: &str) {
        let iam = self.iam();
        self.beach.by_hand(async |_| {
            let _ = iam.create_group().group_name("de3").send().await;
            iam.create_user().user_name(name).send().await.unwrap();
            let add = iam.add_user_to_group().group_name("de3");
            add.user_name(name).send().await.unwrap();
        });
    }

    fn leave(&self, name: &str) {
        let iam = self.iam();
        self.beach.by_hand(async |_| {
            let remove = iam.remove_user_from_group().group_name("de3");
            remove.user_name(name).send().await.unwrap();
        });
    }

    /// The password of a member's first login, as the member reads it.
    fn password(&self, login: &str) -> Option<String> {
        let config = aws_sdk_ssm::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(self.beach.endpoint())
            .credentials_provider(credentials())
            .build();
        let ssm = aws_sdk_ssm::Client::from_conf(config);
        let call = ssm.get_parameter().with_decryption(true);
        let call = call.name(format!("{PASSWORDS}{login}"));
        let told = self.beach.by_hand(async |_| call.send().await);
        told.ok()?.parameter?.value
    }

    /// The member's password is this one, and must be changed at the next login.
    #[track_caller]
    fn is_first(&self, login: &str, password: &str) {
        let script = format!(
            "perl -e '$h = (getpwnam shift)[1]; print crypt(shift, $h) eq $h ? 1 : 0' {login} {password}; \
             getent shadow {login} | cut -d: -f3"
        );
        assert_eq!(self.on_host(&script), "10\n", "{login}");
    }
}

#[test]
fn the_data_server_comes_up_whole_serves_heals_and_goes() {
    let server = DataServer::new();
    server.join("jane.doe@x.org");
    server.join("joe");
    let planned = server.run(3, "plan", &[]);
    assert!(planned.stdout.contains("user jane_doe initial_password"));

    // A crash at the beginning of a host's configuration is no harm.
    let kill = [("TIDEWALK_KILL_AFTER_ENTRY", "13")];
    let args = DataServer::args(&["apply"], &["--yes"]);
    assert_eq!(
        server.beach.run_with(&args, &kill).signal,
        Some(9),
        "it was to be killed"
    );
    let jane = server.password("jane_doe").unwrap();
    let applied = server.run(0, "apply", &["--yes", "--json"]);
    let again = server.run(0, "plan", &["--json"]);
    serves(&server);

    // Each has a password of their own, which nobody was shown.
    let joe = server.password("joe").unwrap();
    assert_ne!(jane, joe);
    server.is_first("jane_doe", &jane);
    server.is_first("joe", &joe);
    let journal = server.beach.journal("de3");
    for shown in [&applied.stdout, &applied.stderr, &again.stdout, &journal] {
        assert!(!shown.contains(&jane) && !shown.contains(&joe));
    }
    let keys = server.on_host("grep -c ssh-ed25519 ~joe/.ssh/authorized_keys");
    assert_eq!(keys, "1\n");

    team(&server, &joe);
    heals_and_restarts(&server);

    // Stopped, it keeps its place and is left alone; started, it is itself again.
    let stopped = server.text.replace(
        "    instance_type:",
        "    state: stopped\n    instance_type:",
    );
    let stopped = &stopped[..stopped.find("checks:").unwrap()];
    server.beach.write("site.yml", stopped);
    server.run(0, "apply", &["--yes"]);
    server.run(0, "plan", &[]);
    server.beach.write("site.yml", &server.text);
    server.run(0, "apply", &["--yes"]);
    server.run(0, "plan", &[]);

    let gone = server.run(0, "destroy", &["--yes", "--json"]);
    let receipts = documents(&gone.stdout, "receipt");
    assert_eq!(receipts[0]["proven"], true, "{receipts:?}");
    assert_eq!(server.beach.living(), 0);
    assert_eq!(server.password("jane_doe"), None);
}

/// All of it is there, for a browser that comes through Nginx.
fn serves(server: &DataServer) {
    let status = server.run(0, "status", &["--json"]).stdout;
    let status: Vec<Value> = documents(&status, "status");
    let rows = status[0]["resources"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["address"] == "elastic_ips.server");
    let url = format!("http://{}", row.unwrap()["reach"].as_str().unwrap());
    browser::sees(&format!("{url}/"), &["Welcome to de3", "RStudio Server"]);
    // The page's script says `tide` into a websocket.
    browser::sees(&format!("{url}/rstudio/"), &["back came tide"]);
    browser::sees(
        &format!("{url}/jenkins/"),
        &["<h1>Jenkins</h1>", "jobs ['nightly', 'prices']"],
    );
    browser::sees(&format!("{url}/shiny/"), &["Shiny apps"]);
    browser::sees(&format!("{url}/8000/"), &["No API is deployed on de3 yet."]);
    if let Some(folder) = std::env::var_os("TIDEWALK_PICTURES") {
        let folder = Path::new(&folder);
        browser::picture(&format!("{url}/"), &folder.join("landing.png"));
        browser::picture(&format!("{url}/rstudio/"), &folder.join("rstudio.png"));
    }
    let up =
        "redis-cli ping; docker info -f '{{.LoggingDriver}}'; systemctl is-active nginx data-api";
    assert_eq!(server.on_host(up), "PONG\njson-file\nactive\nactive\n");
}

/// Who comes gets a login, who goes is locked, and nobody's own password is touched.
fn team(server: &DataServer, joe: &str) {
    server.on_host("echo jane_doe:of-her-own | chpasswd");
    server.run(0, "plan", &[]);
    // A run that ended between the password and its expiry, and a home that was lost with its user.
    server.on_host("echo joe:half | chpasswd; touch /var/lib/tidewalk/first-password/joe");
    assert_eq!(
        server.planned(&[]),
        ["hosts.server: user joe initial_password"]
    );
    server.run(0, "apply", &["--yes"]);
    server.is_first("joe", joe);
    server.on_host("userdel -r joe 2>/dev/null");
    server.join("amy");
    server.leave("jane.doe@x.org");
    // A job that is gone from the folder, too.
    std::fs::remove_file(server.beach.folder().join("jobs/prices.xml")).unwrap();
    let planned = server.planned(&[]);
    for change in [
        "parameters.password[amy]: name",
        "hosts.server: user amy",
        "hosts.server: user joe",
        "hosts.server: command lock who is no longer in the team",
        "hosts.server: command take away the jobs that are no longer defined",
    ] {
        assert!(planned.iter().any(|it| it == change), "{planned:?}");
    }
    server.run(0, "apply", &["--yes"]);
    server.run(0, "plan", &[]);
    server.is_first("joe", joe);
    server.is_first("amy", &server.password("amy").unwrap());
    assert_eq!(server.password("jane_doe"), None);
    let locked = "getent shadow jane_doe | cut -d: -f8";
    assert_eq!(server.on_host(locked), "1\n");
    let jobs = "ls /var/lib/jenkins/jobs /var/lib/jenkins/jobs/prices";
    assert_eq!(
        server.on_host(jobs),
        "/var/lib/jenkins/jobs:\nnightly\nprices\n\n/var/lib/jenkins/jobs/prices:\n"
    );
}

/// Drift is shown and healed, before and after the host starts again, in one apply.
fn heals_and_restarts(server: &DataServer) {
    server.on_host("sed -i s/Welcome/Farewell/ /srv/landing/index.html");
    server.beach.open_port("de3", 8787);
    server.on_host("ln -sfn /usr/share/zoneinfo/Europe/Paris /etc/localtime");
    server.on_host("touch /run/reboot-required; echo linux-image >/run/reboot-required.pkgs");
    let started = "cut -d' ' -f22 /proc/1/stat";
    let before = server.on_host(started);
    let reboot = ["--var", "reboot=true"];
    assert_eq!(
        server.planned(&reboot),
        [
            "security_groups.de3: ingress",
            "hosts.server: command set the time zone Etc/UTC",
            "hosts.server: reboot",
            "hosts.server: template /srv/landing/index.html"
        ]
    );
    server.run(0, "apply", &[&["--yes"], &reboot[..]].concat());
    server.run(0, "plan", &reboot);
    assert_ne!(server.on_host(started), before);
}
