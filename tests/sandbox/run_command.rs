//! The same hosts by SSH and by Run Command: the same plans, results and errors, and nothing to read
//! in the command history.

use std::fmt::Write as _;

use aws_sdk_ssm::config::{BehaviorVersion, Region};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::harness::{Beach, Ended, credentials};

const SITE: &str = r#"
stack: reach
region: eu-west-1
vars:
  token: { description: What nobody may read, secret: true }
key_pairs:
  reach: { create: { private_key: reach.pem } }
roles:
  managed:
    trusted_service: ec2
    managed_policies: [AmazonSSMManagedInstanceCore]
    instance_profile: true
instances:
  ssh: { ami: { ubuntu: "22.04" }, instance_type: t3a.small, key_pair: reach }
  ssm: { ami: { ubuntu: "22.04" }, instance_type: t3a.small, instance_profile: managed }
hosts:
  ssh:
    instance: ssh
    user: ubuntu
    identity: reach.pem
    setups: [{ work: { token: "{{ vars.token }}" } }]
  ssm:
    instance: ssm
    transport: ssm
    setups: [{ work: { token: "{{ vars.token }}" } }]
"#;

const WORK: &str = r#"
vars:
  token: { description: What nobody may read }
operations:
  - user: { name: deploy, system: true, password_hash: "$6$salt$hushhash" }
  - directory: { path: /opt/work, owner: deploy }
  - file: { path: /opt/work/token, content: "token = {{ vars.token }}\n" }
  - file: { path: /opt/work/noise, source: noise }
  - line: { path: /etc/environment, line: PLACE=beach }
  - file: { path: /opt/work/day, content: "clear as day\n" }
  - unit:
      name: work.service
      content: |
        [Service]
        ExecStart=/bin/sleep infinity
  - service: { name: work, running: true }
  - command: { shell: "id -un >/opt/work/who; echo $HOME >>/opt/work/who", creates: /opt/work/who }
"#;

const TOKEN: &str = "hush-4711";

/// What cannot be packed well, so that it travels in pieces both ways.
fn noise() -> String {
    let mut text = String::new();
    for number in 0..2_000_u32 {
        for byte in Sha256::digest(number.to_be_bytes()) {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
    }
    text
}

fn site() -> Beach {
    let beach = Beach::with_hosts();
    beach.write("site.yml", SITE);
    std::fs::create_dir(beach.folder().join("setups")).unwrap();
    beach.write("setups/work.yml", WORK);
    beach.write("noise", &noise());
    beach
}

fn run(beach: &Beach, code: i32, args: &[&str]) -> Ended {
    let ended = beach.run_with(args, &[("TIDEWALK_VAR_token", TOKEN)]);
    let said = format!("{args:?}\n{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{said}");
    assert!(!said.contains(TOKEN), "{said}");
    ended
}

/// What a plan would change of a host, without the host's own name.
fn changes(planned: &Ended, host: &str) -> Vec<Value> {
    let lines = planned.stdout.lines();
    let documents = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let steps = documents
        .filter_map(|it| it["plan"]["steps"].as_array().cloned())
        .flatten();
    let mut of_host = steps.filter(|step| step["address"] == format!("hosts.{host}"));
    let step = of_host.next().unwrap_or_default();
    step["changes"].as_array().cloned().unwrap_or_default()
}

/// All that anybody may read of the commands that were sent: how many there were, and their text.
fn history(beach: &Beach) -> (usize, String) {
    let config = aws_sdk_ssm::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(beach.endpoint())
        .credentials_provider(credentials())
        .build();
    let ssm = aws_sdk_ssm::Client::from_conf(config);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let answer = ssm.list_commands().send().await.unwrap();
        let commands = answer.commands();
        let mut text = String::new();
        for command in commands {
            let _ = write!(text, "{:?}", command.parameters());
            let call = ssm.get_command_invocation();
            let call = call.set_command_id(command.command_id.clone());
            let call = call.instance_id(&command.instance_ids()[0]);
            let one = call.send().await.unwrap();
            assert_eq!(one.standard_error_content().unwrap_or_default(), "");
            text.push_str(one.standard_output_content().unwrap_or_default());
        }
        (commands.len(), text)
    })
}

#[test]
fn by_ssh_and_by_run_command_all_is_the_same() {
    let beach = site();
    let apply = ["apply", "site.yml", "--sandbox", "--yes"];
    let plan = |code| run(&beach, code, &["plan", "site.yml", "--sandbox", "--json"]);
    let exec = |code, host: &str, program: &[&str]| {
        let args = ["exec", host, "-f", "site.yml", "--sandbox", "--"];
        run(&beach, code, &[&args, program].concat())
    };
    run(&beach, 0, &apply);
    beach.forget_calls();
    plan(0);
    let calls = beach.calls();
    let sent = calls.iter().filter(|it| *it == "ssm:SendCommand").count();
    assert_eq!(sent, 2, "a key, and a look: {calls:?}");

    let look = "cd /opt/work && sudo sha256sum * && sudo stat -c '%n %a %U %G' * && \
                sudo cat who && getent passwd deploy && systemctl is-active work";
    let look = ["sh", "-c", look];
    let by_ssh = exec(0, "ssh", &look);
    let by_ssm = exec(0, "ssm", &look);
    assert_eq!(by_ssh.stdout, by_ssm.stdout);
    assert!(
        by_ssm.stdout.contains("token 600 root root"),
        "{}",
        by_ssm.stdout
    );
    assert_eq!(
        exec(7, "ssm", &["sh", "-c", "echo no >&2; exit 7"]).stderr,
        "no\n"
    );

    // The same harm, the same plan, the same cure.
    let harm = "sudo sed -i s/day/night/ /opt/work/day && sudo sed -i 1d /opt/work/noise && \
                sudo systemctl stop work";
    exec(0, "ssh", &["sh", "-c", harm]);
    exec(0, "ssm", &["sh", "-c", harm]);
    let planned = plan(3);
    let (by_ssh, by_ssm) = (changes(&planned, "ssh"), changes(&planned, "ssm"));
    assert_eq!(by_ssh, by_ssm);
    assert_eq!(by_ssm.len(), 3, "{by_ssm:?}");
    run(&beach, 0, &apply);
    plan(0);

    // What fails, fails in the same words.
    let failing = "  - command: { shell: \"echo that is wrong >&2; exit 3\" }\n  - user:";
    beach.write("setups/work.yml", &WORK.replace("  - user:", failing));
    let failed = run(&beach, 1, &apply);
    let of = |host: &str| -> Vec<String> {
        let name = format!("hosts.{host}");
        let errors = failed.stderr.split("error").filter(|it| it.contains(&name));
        errors.map(|it| it.replace(&name, "hosts.HOST")).collect()
    };
    assert!(failed.stderr.contains("that is wrong"), "{}", failed.stderr);
    assert_eq!(of("ssh").first(), of("ssm").first(), "{}", failed.stderr);
    beach.write("setups/work.yml", WORK);

    let (commands, text) = history(&beach);
    assert!(commands > 20, "{commands}");
    for hidden in [TOKEN, "hushhash", "clear as day", "PLACE", &noise()[..32]] {
        assert!(!text.contains(hidden), "{hidden} stands in the history");
    }

    let shell = run(&beach, 2, &["ssh", "ssm", "-f", "site.yml", "--sandbox"]);
    assert!(
        shell.stderr.contains("which has no login shell"),
        "{}",
        shell.stderr
    );
    assert!(shell.stderr.contains("aws ssm start-session --target i-"));

    // An agent that is away says nothing: an error that says what to do.
    exec(0, "ssh", &["sudo", "systemctl", "stop", "amazon-ssm-agent"]);
    let stopped = SITE.replace(
        "    user: ubuntu\n    identity: reach.pem\n",
        "    transport: ssm\n",
    );
    beach.write("site.yml", &stopped);
    let refused = run(&beach, 4, &["plan", "site.yml", "--sandbox"]);
    assert!(
        refused.stderr.contains("has no instance profile"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("AmazonSSMManagedInstanceCore"),
        "{}",
        refused.stderr
    );
    exec(
        0,
        "ssm",
        &[
            "systemd-run",
            "--on-active=1",
            "systemctl",
            "stop",
            "amazon-ssm-agent",
        ],
    );
    beach.write("site.yml", SITE);
    let plan = ["plan", "site.yml", "--sandbox"];
    beach.wait_for(|| beach.run_with(&plan, &[("TIDEWALK_VAR_token", TOKEN)]).code == Some(4));
    let refused = run(&beach, 4, &plan);
    assert!(
        refused.stderr.contains("not connected (ConnectionLost)"),
        "{}",
        refused.stderr
    );
    run(&beach, 0, &["destroy", "site.yml", "--sandbox", "--yes"]);
}
