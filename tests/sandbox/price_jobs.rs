//! The bundled price jobs on a real host with R, beside Redis, the simulated exchange and the stand-in for
//! Slack: run by systemd, and then by Jenkins from the same declaration.

use std::process::Command;

use serde_json::{Value, json};
use tidewalk::sandbox::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

use crate::harness::{Beach, Ended};
use crate::hosts::node::{Node, docker};
use crate::{patience, r, secret, stand_ins};

const PLAYBOOK: &str = "
stack: jobs
region: eu-west-1
vars:
  runner: systemd
  parameter: ''
  cran: ~
  jenkins: ~
  jenkins_java: ~
  jenkins_plugin_manager: ~
hosts:
  server:
    address: ADDRESS
    host_key: HOST_KEY
    user: root
    identity: IDENTITY
    setups:
      - redisJENKINS
      - price-jobs:
          runner: '{{ vars.runner }}'
          slack_token_parameter: '{{ vars.parameter }}'
          environment:
            EXCHANGE_URL: '{{ env.EXCHANGE_URL }}'
            SLACK_URL: '{{ env.SLACK_URL }}'
            SLACK_CHANNEL: '#bots'
            AWS_ENDPOINT_URL: ENDPOINT_OF_AWS
            AWS_ACCESS_KEY_ID: ID_OF_AWS
            AWS_SECRET_ACCESS_KEY: SECRET_OF_AWS
";

/// The setups that come before, where Jenkins runs the jobs; the first knows where its Java is.
const JENKINS: &str = "
      - r: { cran: '{{ vars.cran }}', r2u: ~, base: r-base-core, packages: [] }
      - jenkins:
          repository: '{{ vars.jenkins }}'
          java: '{{ vars.jenkins_java }}'
          plugin_manager: '{{ vars.jenkins_plugin_manager }}'
          plugins: [git]";

/// The price has left the limit for certain.
const JOBS: &str = r#"
- { name: cache-prices, script: cache-prices.R, arguments: [--coins, "BTC,ETH"], every: 1m }
- { name: alert, script: alert-price.R, arguments: [--coin, BTC, --above, "1000"], at: "07:30" }
- { name: candlestick, script: candlestick.R, every: 12h, keep: btc.png }
- { name: say, about: "Say <odd> & 50% 'odd'", script: say.R, arguments: [ODD, ""], every: 2h }
"#;
const REPORT: &str =
    "- { name: report, script: hourly-report.R, arguments: [--coins, BTC], every: 12h }\n";

/// What systemd, shells and XML all have a word for.
const ODD: &str = r#"it's "odd": $HOME ${HOME} %h %% `id` <b> & \n \"#;
const SAY: &str = "#!/bin/sh\nprintf '%s|' \"$@\"\n";

const TOKEN: &str = "xoxb-open-sesame";

struct Server {
    // Gone before the network that it is in.
    node: Node,
    beach: Beach,
    exchange: String,
    /// Where AWS answers hosts.
    endpoint: String,
}

impl Server {
    fn new() -> Self {
        let beach = Beach::with_hosts();
        let network = beach.network();
        let node = Node::of(&r::image());
        docker(&["network", "connect", &network, node.name()]);
        let status = beach.expect(0, &["sandbox", "status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        let running = &status["sandbox"]["running"];
        let exchange = running["exchange"]["url"].as_str().unwrap().to_owned();
        let endpoint = &running["network"]["endpoint"];
        let endpoint = endpoint.as_str().unwrap().to_owned();

        let sources = stand_ins::serve(&network);
        let declared = |line: &&str| line.starts_with("jenkins") || line.starts_with("cran:");
        let sources: Vec<_> = sources.lines().filter(declared).collect();
        beach.write("sources.yml", &sources.join("\n"));
        // The jobs of one's own come from here.
        beach.expect(0, &["new", "price-jobs", "--into", "apps"]);
        beach.write("apps/price-jobs/say.R", SAY);
        let server = Self {
            node,
            beach,
            exchange,
            endpoint,
        };
        server.declare("", &[JOBS, REPORT]);
        server
    }

    /// Writes the playbook with what is set up before the jobs, and their list.
    fn declare(&self, before: &str, jobs: &[&str]) {
        let text = PLAYBOOK
            .replace("JENKINS", before)
            .replace("ENDPOINT_OF_AWS", &self.endpoint)
            .replace("ID_OF_AWS", ACCESS_KEY_ID)
            .replace("SECRET_OF_AWS", SECRET_ACCESS_KEY)
            .replace("ADDRESS", &self.node.address)
            .replace("HOST_KEY", &self.node.host_key)
            .replace("IDENTITY", &self.node.identity());
        self.beach.write("site.yml", &text);
        let jobs = jobs.concat().replace("ODD", &json!(ODD).to_string());
        self.beach.write("apps/price-jobs/jobs.yml", &jobs);
    }

    #[track_caller]
    fn run(&self, code: i32, verb: &str, runner: &str) -> Ended {
        self.run_with(code, verb, &format!("runner={runner}"), TOKEN)
    }

    #[track_caller]
    fn run_with(&self, code: i32, verb: &str, variable: &str, token: &str) -> Ended {
        let mut args = vec![verb, "site.yml", "--sandbox", "--var", variable];
        args.extend(["--vars-file", "sources.yml"]);
        if verb == "apply" {
            args.push("--yes");
        }
        let env = [("PRICE_JOBS_SLACK_TOKEN", token)];
        let ended = self.beach.run_with(&args, &env);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, Some(code), "{args:?}\n{said}");
        assert!(!said.contains(TOKEN), "the token was shown");
        ended
    }

    /// The same twice: the second time, nothing changes.
    #[track_caller]
    fn apply(&self, runner: &str) {
        self.run(0, "apply", runner);
        let again = self.run(0, "apply", runner);
        let said = again.stdout + &again.stderr;
        assert!(said.contains("Nothing to do"), "{said}");
    }

    /// Runs a job as its timer would, to its end.
    fn start(&self, job: &str) {
        let unit = format!("price-jobs-{job}.service");
        let script = format!("systemctl start {unit} || {{ journalctl -u {unit} >&2; exit 1; }}");
        self.node.sh(&script);
    }

    /// What a config.xml says, by a reader of XML; its command is left in a file, too.
    fn config(&self, job: &str) -> Value {
        let read = format!(
            "python3 - <<'PY'
import json, os, xml.etree.ElementTree as tree
job = tree.parse('/var/lib/jenkins/jobs/{job}/config.xml').getroot()
said = dict((it.tag, it.text) for it in job.iter() if it.tag in ('description', 'spec', 'command', 'artifacts'))
with open('/tmp/{job}', 'w') as file:
    file.write(said['command'])
os.chmod('/tmp/{job}', 0o755)
print(json.dumps(said))
PY"
        );
        serde_json::from_str(&self.node.sh(&read)).unwrap()
    }

    /// Runs a job as Jenkins would: its command, in a workspace; what it says.
    fn build(&self, job: &str) -> String {
        let place = format!("/var/lib/jenkins/workspace/{job}");
        self.node.sh(&format!(
            "install -d -o jenkins -g jenkins {place} && cd {place} && runuser -u jenkins -- /tmp/{job}"
        ))
    }

    fn ask(&self, path: &str) -> Vec<u8> {
        let url = format!("{}/control/slack{path}", self.exchange);
        let done = patience::output(Command::new("curl").args(["-fsS", &url]));
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
        done.stdout
    }

    /// The texts that a bot posted to the channel, of those that have this part.
    fn posts(&self, part: &str) -> Vec<String> {
        let posted: Value = serde_json::from_slice(&self.ask("")).unwrap();
        let posts = posted["posts"].as_array().unwrap().iter();
        let posts = posts.filter(|it| it["via"] == "api" && it["channel"] == "#bots");
        let texts = posts.map(|it| it["text"].as_str().unwrap().to_owned());
        texts.filter(|text| text.contains(part)).collect()
    }

    /// The price of Bitcoin in Redis, which a job has yet to write.
    fn forget_price(&self) {
        self.node.sh("redis-cli del price:BTC price:updated");
    }

    fn has_price(&self) {
        let price = self.node.sh("redis-cli get price:BTC");
        let price = price.trim().parse::<f64>();
        assert!(price.as_ref().is_ok_and(|it| *it > 1000.0), "{price:?}");
    }

    /// Only its owner reads what has the token.
    fn only_reads(&self, owner: &str, other: &str) {
        let path = "/etc/price-jobs/environment";
        let stat = self.node.sh(&format!("stat -c '%a %U' {path}"));
        assert_eq!(stat, format!("600 {owner}\n"));
        let read = format!("runuser -u {other} -- cat {path} 2>&1 || true");
        assert!(self.node.sh(&read).contains("Permission denied"));
        assert!(self.node.sh(&format!("cat {path}")).contains(TOKEN));
    }
}

#[test]
fn the_price_jobs_run_by_systemd_and_then_by_jenkins() {
    let server = Server::new();
    refuses_what_is_not_known(&server);
    server.apply("systemd");
    by_systemd(&server);
    by_parameter(&server);

    // A job that is no longer in the list.
    server.declare("", &[JOBS]);
    server.apply("systemd");
    let units = "cd /etc/systemd/system && ls price-jobs-*";
    assert_eq!(
        server.node.sh(units).lines().collect::<Vec<_>>(),
        [
            "price-jobs-alert.service",
            "price-jobs-alert.timer",
            "price-jobs-cache-prices.service",
            "price-jobs-cache-prices.timer",
            "price-jobs-candlestick.service",
            "price-jobs-candlestick.timer",
            "price-jobs-say.service",
            "price-jobs-say.timer",
        ]
    );
    let timer = "systemctl is-active price-jobs-report.timer || true";
    assert_eq!(server.node.sh(timer), "inactive\n");

    server.declare(JENKINS, &[JOBS, REPORT]);
    server.apply("jenkins");
    by_jenkins(&server);
    server.declare(JENKINS, &[JOBS]);
    server.apply("jenkins");
    knows(&server, "['alert', 'cache-prices', 'candlestick', 'say']");
    let left = server.node.sh("ls /var/lib/jenkins/jobs/report");
    assert_eq!(left, "", "its builds would stay");
}

/// What is wrong is told with what is allowed, and nothing is done before it.
fn refuses_what_is_not_known(server: &Server) {
    let schedules = "`every` of job `a` is one of 1m, 2m, 3m, 4m, 5m, 6m, 10m, 12m, 15m, 20m, 30m, \
                     1h, 2h, 3h, 4h, 6h, 8h, 12h, not `7m`";
    let time = "`at` of job `a` is a time such as `\"07:30\"`, not ";
    let job = |when: &str| format!("- {{ name: a, script: say.R{when} }}\n");
    for (runner, when, wanted) in [
        ("cron", "", "`runner` is `systemd` or `jenkins`, not `cron`"),
        ("jenkins", ", every: 7m", schedules),
        ("systemd", ", every: 7m", schedules),
        ("systemd", ", at: 7:30", &format!("{time}`7:30`")),
        ("jenkins", ", at: '24:00'", &format!("{time}`24:00`")),
        ("systemd", "", "job `a` needs `every` or `at`"),
    ] {
        server.declare("", &[JOBS, &job(when)]);
        let said = server.run(1, "apply", runner).stderr;
        assert!(said.contains(wanted), "no {wanted:?} in {said}");
        assert!(said.contains("setups/price-jobs.yml:"), "{said}");
        assert!(!said.contains("is not defined"), "{said}");
    }
    let there = "ls -d /opt/price-jobs /etc/price-jobs /etc/redis 2>/dev/null || true";
    assert_eq!(server.node.sh(there), "");
    server.declare("", &[JOBS, REPORT]);
}

fn by_systemd(server: &Server) {
    let node = &server.node;
    for (job, calendar) in [
        ("cache-prices", "*-*-* *:00/1:00"),
        ("alert", "*-*-* 07:30:00"),
        ("candlestick", "*-*-* 00/12:00:00"),
        ("say", "*-*-* 00/2:00:00"),
        ("report", "*-*-* 00/12:00:00"),
    ] {
        let unit = format!("price-jobs-{job}.timer");
        let state = node.sh(&format!(
            "systemctl is-active {unit}; systemctl is-enabled {unit}; systemctl show -P TimersCalendar {unit}"
        ));
        let wanted = format!("active\nenabled\n{{ OnCalendar={calendar} ; next_elapse=");
        assert!(state.starts_with(&wanted), "{job}: {state}");
        assert!(!state.contains("(null)"), "{job} is never due: {state}");
    }

    server.forget_price();
    server.start("cache-prices");
    server.has_price();
    // An alert is said once.
    server.start("alert");
    server.start("alert");
    let said = server.posts("BTC is at $");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with(", above $1,000.00"), "{said:?}");

    server.start("report");
    assert!(!server.posts("BTC in the past hour: min $").is_empty());
    let posted: Value = serde_json::from_slice(&server.ask("")).unwrap();
    assert_eq!(posted["files"][0]["name"], "btc.png", "{posted}");
    assert!(server.ask("/files/0").starts_with(b"\x89PNG"));

    server.start("say");
    let said = node.sh("journalctl --sync; journalctl -q -o cat -t say.R");
    assert_eq!(said, format!("{ODD}||\n"));

    server.only_reads("root", "price-jobs");
    let shown = "{ journalctl; systemctl show 'price-jobs-*'; } | grep -c xoxb || true";
    assert_eq!(node.sh(shown), "0\n", "the token is in a log");
}

/// The token stays in AWS: the jobs read it with their own credentials.
fn by_parameter(server: &Server) {
    let node = &server.node;
    let program = format!("{}:/usr/local/bin/tidewalk", node.name());
    docker(&["cp", env!("CARGO_BIN_EXE_tidewalk"), &program]);
    server.run_with(0, "apply", "parameter=slack", "");
    server.run_with(0, "plan", "parameter=slack", "");
    assert_eq!(
        node.sh("grep -rc xoxb /etc/price-jobs || true"),
        "/etc/price-jobs/environment:0\n"
    );

    let report = "systemctl start price-jobs-report.service 2>/dev/null; \
                  journalctl --sync; journalctl -q -o cat -t hourly-report.R";
    let said = node.sh(report);
    assert!(said.contains("no parameter `slack`"), "{said}");
    assert!(!said.contains("Fontconfig"), "{said}");
    let before = server.posts("BTC in the past hour").len();
    let parameter = ["slack", "--create", "--region", "eu-west-1"];
    secret::set(&server.beach, 0, TOKEN, &parameter);
    server.start("report");
    assert_eq!(server.posts("BTC in the past hour").len(), before + 1);
    let shown = "{ journalctl; systemctl show 'price-jobs-*'; } | grep -c xoxb || true";
    assert_eq!(node.sh(shown), "0\n", "the token is in a log");
}

/// The jobs that Jenkins has.
fn knows(server: &Server, jobs: &str) {
    let page =
        "curl -fsS --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:8080/jenkins/";
    let page = server.node.sh(page);
    assert!(page.contains(&format!("jobs {jobs}")), "{page}");
}

fn by_jenkins(server: &Server) {
    let node = &server.node;
    let timers = "ls /etc/systemd/system/price-jobs-* 2>/dev/null; \
                  systemctl list-units --all --no-legend 'price-jobs-*.timer'";
    assert_eq!(node.sh(timers), "", "systemd runs them, too");
    knows(
        server,
        "['alert', 'cache-prices', 'candlestick', 'report', 'say']",
    );

    for (job, cron, keeps) in [
        ("cache-prices", "* * * * *", None),
        ("alert", "30 7 * * *", None),
        ("candlestick", "0 */12 * * *", Some("btc.png")),
        ("say", "0 */2 * * *", None),
    ] {
        let config = server.config(job);
        assert_eq!(config["spec"], cron, "{config}");
        assert_eq!(config["artifacts"].as_str(), keeps, "{config}");
    }
    let about = server.config("say")["description"].clone();
    let about = about.as_str().unwrap();
    assert!(about.starts_with("Say <odd> & 50% 'odd' ("), "{about}");

    assert_eq!(server.build("say"), format!("{ODD}||"));
    server.forget_price();
    server.build("cache-prices");
    server.has_price();
    server.build("candlestick");
    let image = "head -c 4 /var/lib/jenkins/workspace/candlestick/btc.png | tail -c 3";
    assert_eq!(node.sh(image), "PNG");
    // It was said before; back within the limit, it would be said again.
    let before = server.posts("BTC is at $").len();
    server.build("alert");
    assert_eq!(server.posts("BTC is at $").len(), before);
    node.sh("redis-cli del alert:BTC:above:1000");
    server.build("alert");
    assert_eq!(server.posts("BTC is at $").len(), before + 1);
    server.only_reads("jenkins", "price-jobs");
}
