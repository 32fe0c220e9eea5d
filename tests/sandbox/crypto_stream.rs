//! The bundled playbook of the crypto stream, as `new` lays it out: the exchange, a streamer's node with a
//! stand-in for the Kinesis Agent, Kinesis, a counter, Redis and the dashboard in a browser, all with the
//! roles that it declares; and its end.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use aws_sdk_ec2::types::Filter;
use aws_sdk_iam::config::{BehaviorVersion, Region};
use serde_json::{Value, json};
use tidewalk::sandbox::Control;

use crate::browser::Page;
use crate::harness::{Beach, Ended, credentials};
use crate::playbooks::documents;
use crate::{patience, stand_ins};

/// Where the playbook's variables are, beside it.
const VARS: [&str; 3] = ["--sandbox", "--vars-file", "vars.yml"];

/// Without what only helps to find mistakes: it goes to a host.
fn stripped(from: &Path, to: &Path) {
    let argv = [Path::new("-o"), to, from];
    let done = patience::output(Command::new("strip").args(argv));
    assert!(done.status.success());
}

fn curl(arguments: &[&str]) -> Value {
    let done = patience::output(Command::new("curl").arg("-fsS").args(arguments));
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    serde_json::from_slice(&done.stdout).unwrap_or_default()
}

/// The stack's folder, in a sandbox whose exchange makes trades when it is told to.
struct Crypto {
    beach: Beach,
    exchange: String,
    /// Trades that the exchange had made before.
    before: i64,
}

impl Crypto {
    fn new() -> Self {
        let beach = Beach::with_hosts();
        let status = beach.expect(0, &["sandbox", "status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        let exchange = &status["sandbox"]["running"]["exchange"]["url"];
        let exchange = exchange.as_str().unwrap().to_owned();
        let mut crypto = Self {
            beach,
            exchange,
            before: 0,
        };
        crypto.control(&json!({ "pause": true }));
        crypto.before = crypto.made();
        let beach = &crypto.beach;
        beach.expect(0, &["new", "crypto-stream"]);
        let program = Path::new(env!("CARGO_BIN_EXE_tidewalk"));
        stripped(program, &beach.folder().join("program"));
        let streamer = program.with_file_name("trade-streamer");
        stripped(&streamer, &beach.folder().join("streamer"));
        let source = stand_ins::source(&beach.network());
        let vars = format!(
            "admin_cidr: me\nstreamer: streamer\nprogram: program\nstreamer_image: {{ debian: \"12\" }}\n\
             streamer_user: admin\nagent_repository: {source}\n"
        );
        beach.write("vars.yml", &vars);
        crypto
    }

    #[track_caller]
    fn run(&self, verb: &str, rest: &[&str]) -> Ended {
        let words = [&[verb, "crypto-stream.yml"], &VARS[..], rest];
        self.beach.expect(0, &words.concat())
    }

    /// Runs a script as root on the streamer's node.
    fn ends(&self, script: &str) -> Ended {
        let host = ["--", "sudo", "timeout", "60", "sh", "-c", script];
        let verb = ["exec", "streamer", "-f", "crypto-stream.yml"];
        self.beach.run(&[&verb[..], &VARS, &host].concat())
    }

    #[track_caller]
    fn on_streamer(&self, script: &str) -> String {
        let ended = self.ends(script);
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        ended.stdout
    }

    fn control(&self, what: &Value) {
        let body = what.to_string();
        let json = "content-type: application/json";
        let url = format!("{}/control", self.exchange);
        curl(&["-H", json, "-d", &body, &url]);
    }

    /// How many trades the exchange has made, of all symbols.
    fn made(&self) -> i64 {
        let counts = curl(&[&format!("{}/control/counts", self.exchange)]);
        let counts = counts["count"].as_object().unwrap().values();
        let all: i64 = counts.map(|count| count.as_i64().unwrap()).sum();
        all - self.before
    }

    /// Once the streamer follows the exchange, that makes trades.
    fn trades(&self) {
        let log = "journalctl -u trade-streamer --no-pager | grep -q following";
        self.on_streamer(&format!("until {log}; do sleep 0.2; done"));
        let before = self.made();
        self.control(&json!({ "pause": false, "rate": 100 }));
        self.beach.wait_for(|| self.made() > before + 200);
    }

    /// How many records are in the stream: the counter counts a trade once, however often it comes.
    fn records(&self) -> usize {
        let all = ["--since", "1h", "--count", "1000000", "--json"];
        let peek = [&["stream", "peek", "crypto", "--sandbox"], &all[..]].concat();
        let peeked = self.beach.expect(0, &peek);
        let batches = documents(&peeked.stdout, "records");
        batches.iter().map(|it| it.as_array().unwrap().len()).sum()
    }

    /// The exchange rests; all that it has made is on the page, and is in the stream once.
    #[track_caller]
    fn all_has_come(&self, page: &mut Page) {
        self.control(&json!({ "pause": true }));
        let total = self.made();
        let shown = "Number(document.querySelector('#total').textContent.replace(/,/g, ''))";
        page.comes_to(shown, &json!(total));
        assert_eq!(i64::try_from(self.records()).unwrap(), total);
    }

    /// The streamer's node starts anew.
    fn reboot(&self) {
        self.on_streamer("touch /run/before");
        self.beach.by_hand(async |ec2| {
            let tag = Filter::builder().name("tag:tidewalk:address");
            let streamer = tag.values("instances.streamer").build();
            let found = ec2.describe_instances().filters(streamer).send().await;
            let found = found.unwrap();
            let id = found.reservations()[0].instances()[0].instance_id();
            let reboot = ec2.reboot_instances().instance_ids(id.unwrap());
            reboot.send().await.unwrap();
        });
        let anew = || self.ends("test ! -e /run/before").code == Some(0);
        self.beach.wait_for(anew);
    }

    /// The actions that the streamer's role allows, and those that the agent has asked for.
    fn rights(&self) -> [BTreeSet<String>; 2] {
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(self.beach.endpoint())
            .credentials_provider(credentials())
            .build();
        let iam = aws_sdk_iam::Client::from_conf(config);
        let control = Control::new(self.beach.endpoint()).unwrap();
        self.beach.by_hand(async |_| {
            let names = iam.list_role_policies().role_name("crypto-streamer");
            let mut allowed = BTreeSet::new();
            for name in names.send().await.unwrap().policy_names {
                let policy = iam.get_role_policy().role_name("crypto-streamer");
                let policy = policy.policy_name(name).send().await.unwrap();
                allowed.extend(actions(&policy.policy_document));
            }
            let calls = control.record().await.unwrap().into_iter();
            let calls = calls.filter(|it| it.user_agent.starts_with("aws-kinesis-agent"));
            let asked = calls.map(|it| format!("{}:{}", it.service, it.action));
            [allowed, asked.collect()]
        })
    }
}

/// The actions of a policy, as IAM gives it.
fn actions(document: &str) -> Vec<String> {
    let text = format!("it={document}");
    let (_, text) = url::form_urlencoded::parse(text.as_bytes()).next().unwrap();
    let policy: Value = serde_json::from_str(&text).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|it| match &it["Action"] {
        Value::Array(actions) => actions.clone(),
        action => vec![action.clone()],
    });
    actions.map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[test]
fn trades_are_on_the_dashboard_as_they_are_made() {
    let crypto = Crypto::new();
    let applied = crypto.run("apply", &["--yes"]);
    crypto.run("plan", &[]);

    // The file of trades is emptied when this says so, and not at five past the hour.
    crypto.on_streamer("systemctl disable --now truncate-trades.timer");
    let mut lines = applied.stdout.lines();
    let url = lines.find_map(|line| line.strip_prefix("dashboard = "));
    let mut page = Page::open(url.expect("the dashboard's address"));
    crypto.trades();
    let tiles = "document.querySelectorAll('#count .tile').length";
    page.comes_to(tiles, &json!(14));
    // The agent goes on where it was.
    crypto.on_streamer("systemctl restart aws-kinesis-agent");
    crypto.all_has_come(&mut page);
    crypto.reboot();
    crypto.trades();
    crypto.all_has_come(&mut page);

    // What was sent is not needed any more; what comes then is sent as before.
    let file = "/var/spool/trade-streamer/transactions.json";
    let emptied = format!("systemctl start truncate-trades; stat -c %s {file}");
    assert_eq!(crypto.on_streamer(&emptied), "0\n");
    crypto.trades();
    crypto.all_has_come(&mut page);
    let [allowed, asked] = crypto.rights();
    assert_eq!(allowed, asked);

    assert!(page.picture().starts_with(b"\x89PNG"));
    page.value("document.querySelector('a[data-value=value]').click()");
    page.comes_to(
        "document.querySelectorAll('#value .tile').length",
        &json!(14),
    );
    drop(page);

    // The streamer's node is protected until the playbook says otherwise.
    crypto.run("apply", &["--yes", "--var", "protected=false"]);
    let stack = ["--stack", "crypto-stream", "--region", "eu-west-1"];
    let destroy = [&["destroy", "--sandbox", "--yes"], &stack[..]].concat();
    let gone = crypto.beach.expect(0, &destroy);
    assert!(
        gone.stdout
            .contains("nothing of stack crypto-stream is left")
    );
}
