//! `tidewalk secret`: values that AWS keeps, read and written by their names.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Beach, Ended};
use crate::lives::reading::look;
use crate::patience;

const STACK: &str = "stack: jobs
region: eu-west-1
keys: { jobs: { deletion_days: 7 } }
parameters:
  slack: { type: SecureString, generate: {}, key: jobs, description: Token of the Slack app }
  host: { name: /jobs/host, value: redis.internal }
secrets:
  database: { generate: {}, recovery_days: 0 }
";

/// `secret set`, with a value on stdin.
#[track_caller]
pub(crate) fn set(beach: &Beach, code: i32, value: &str, args: &[&str]) -> Ended {
    let args = [&["secret", "set"], args, &["--sandbox"]].concat();
    let mut command = beach.command(&args);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = command.spawn().unwrap();
    let mut stdin = run.stdin.take().unwrap();
    stdin.write_all(value.as_bytes()).unwrap();
    drop(stdin);
    let done = run.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ended = Ended {
        code: done.status.code(),
        signal: None,
        stdout: text(done.stdout),
        stderr: text(done.stderr),
    };
    assert_eq!(ended.code, Some(code), "{}{}", ended.stdout, ended.stderr);
    let word = value.trim();
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(word.is_empty() || !said.contains(word), "{said}");
    ended
}

#[track_caller]
fn get(beach: &Beach, args: &[&str]) -> String {
    let args = [&["secret", "get"], args, &["--sandbox"]].concat();
    beach.expect(0, &args).stdout
}

#[test]
fn a_value_that_is_written_by_hand_stays_and_is_read() {
    let beach = Beach::without_hosts();
    beach.write("jobs.yml", STACK);
    let apply = ["apply", "jobs.yml", "--sandbox", "--yes"];
    beach.expect(0, &apply);
    let with = json!({ "ParameterFilters": [{ "Key": "Name", "Values": ["slack"] }] });
    let about = || {
        let at = "Parameters[0].[Type, KeyId, Description, Tier]";
        look(beach.endpoint(), "ssm.describe_parameters", &with, at)
    };
    let made = about();

    // One line break is the shell's, more of them are the value's.
    set(&beach, 0, "xoxb-of-a-test\n", &["slack"]);
    assert_eq!(get(&beach, &["slack"]), "xoxb-of-a-test\n");
    set(
        &beach,
        0,
        "two\nlines\n\n",
        &["database", "--secrets-manager"],
    );
    assert_eq!(
        get(&beach, &["database", "--secrets-manager"]),
        "two\nlines\n\n"
    );
    assert_eq!(get(&beach, &["/jobs/host"]), "redis.internal\n");
    assert_eq!(about(), made, "all else of it stays");
    assert_eq!(
        made[1].as_str().map(|key| key.contains("alias/aws")),
        Some(false)
    );
    // The playbook has made it, and leaves the value that somebody wrote.
    beach.expect(0, &["plan", "jobs.yml", "--sandbox"]);
    beach.expect(0, &apply);
    assert_eq!(get(&beach, &["slack"]), "xoxb-of-a-test\n");

    let json = beach.expect(0, &["secret", "get", "slack", "--sandbox", "--json"]);
    let json: Value = serde_json::from_str(json.stdout.trim()).unwrap();
    assert_eq!(json["secret"]["value"], "xoxb-of-a-test");
}

#[test]
fn what_is_not_there_not_encrypted_or_not_given_is_told_and_nothing_is_changed() {
    let beach = Beach::without_hosts();
    beach.write("jobs.yml", STACK);
    beach.expect(0, &["apply", "jobs.yml", "--sandbox", "--yes"]);
    let missing = beach.expect(1, &["secret", "get", "database", "--sandbox"]);
    let said = &missing.stderr;
    assert!(
        said.contains("no parameter `database` in eu-west-1") && said.contains("--secrets-manager"),
        "{said}"
    );
    for store in [&[][..], &["--secrets-manager"]] {
        let name = [&["new-one"], store].concat();
        let said = set(&beach, 1, "value-of-a-test", &name).stderr;
        assert!(said.contains("no ") && said.contains("--create"), "{said}");
        assert!(said.contains("generate: {}"), "{said}");
        set(
            &beach,
            0,
            "value-of-a-test",
            &[&name[..], &["--create"]].concat(),
        );
        assert_eq!(get(&beach, &name), "value-of-a-test\n");
    }
    let kind = json!({ "Name": "new-one" });
    let kind = look(
        beach.endpoint(),
        "ssm.get_parameter",
        &kind,
        "Parameter.Type",
    );
    assert_eq!(kind, "SecureString");

    let said = set(&beach, 1, "value-of-a-test", &["/jobs/host"]).stderr;
    assert!(
        said.contains("is a `String`, which is not encrypted"),
        "{said}"
    );
    assert_eq!(get(&beach, &["/jobs/host"]), "redis.internal\n");
    let said = set(&beach, 2, "\n", &["slack"]).stderr;
    assert!(said.contains("the value is empty"), "{said}");
}

/// On a terminal it is asked for, and what is typed is not shown.
#[test]
fn a_value_that_is_typed_is_not_shown() {
    let beach = Beach::without_hosts();
    let set = beach.command(&["secret", "set", "typed", "--create", "--sandbox"]);
    let line = [set.get_program()].into_iter().chain(set.get_args());
    let line: Vec<_> = line.map(|word| word.to_str().unwrap()).collect();
    let mut script = Command::new("script");
    script.args(["-qec", &line.join(" "), "/dev/null"]);
    script.current_dir(beach.folder());
    for (name, value) in set.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut run = script.spawn().unwrap();
    let mut shown = Vec::new();
    let mut stdout = run.stdout.take().unwrap();
    let mut byte = [0];
    while !shown.ends_with(b"(not shown): ") {
        std::io::Read::read_exact(&mut stdout, &mut byte).unwrap();
        shown.push(byte[0]);
    }
    // Whoever types needs longer than the terminal.
    beach.wait_for(|| hides(run.id()));
    let mut stdin = run.stdin.take().unwrap();
    stdin.write_all(b"typed-in-a-test\n").unwrap();
    std::io::Read::read_to_end(&mut stdout, &mut shown).unwrap();
    assert!(patience::wait(&mut run).success());
    let shown = String::from_utf8(shown).unwrap();
    assert!(!shown.contains("typed-in-a-test"), "{shown}");
    assert!(shown.contains("`typed`: made"), "{shown}");
    assert_eq!(get(&beach, &["typed"]), "typed-in-a-test\n");
}

/// The terminal that `script` has made shows nothing of what is typed.
fn hides(script: u32) -> bool {
    let children = Command::new("pgrep")
        .args(["-P", &script.to_string()])
        .output();
    let children = String::from_utf8(children.unwrap().stdout).unwrap();
    children.lines().any(|child| {
        let Ok(terminal) = std::fs::read_link(format!("/proc/{child}/fd/0")) else {
            return false;
        };
        let told = Command::new("stty").arg("-aF").arg(terminal).output();
        String::from_utf8_lossy(&told.unwrap().stdout).contains(" -echo ")
    })
}
