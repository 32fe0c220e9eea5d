//! The binary as a user meets it.

use std::process::{Command, Output, Stdio};

use crate::expected::assert_matches;

fn tidewalk(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tidewalk"))
        .args(arguments)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("COLUMNS", "80")
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

const COMMANDS: &[&str] = &[
    "check",
    "plan",
    "apply",
    "destroy",
    "status",
    "ssh",
    "exec",
    "logs",
    "rollback",
    "connections",
    "graph",
    "sandbox",
    "schema",
    "completions",
];

#[test]
fn help_lists_every_command_and_the_exit_codes() {
    let output = tidewalk(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = stdout(&output);
    for command in COMMANDS {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command} is missing:\n{help}"
        );
    }
    for code in [
        "0  done",
        "1  failed",
        "2  wrong",
        "3  changes",
        "4  unknown",
        "5  kept",
        "130  int",
    ] {
        assert!(help.contains(code), "{code} is missing:\n{help}");
    }
}

#[test]
fn every_command_teaches_by_an_example() {
    for command in COMMANDS {
        let output = tidewalk(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        let help = stdout(&output);
        assert!(
            help.contains(&format!("tidewalk {command}")),
            "{command}:\n{help}"
        );
        assert!(
            help.contains("Example"),
            "{command} has no example:\n{help}"
        );
    }
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_right() {
    for (arguments, said) in [
        (&["aply"][..], "apply"),
        (&["plan", "--paralelism", "4"], "--parallelism"),
        (&["plan", "--var", "novalue"], "NAME=VALUE"),
        (&["plan", "--only", "nodot"], "SECTION.NAME"),
        (&["plan", "--parallelism", "0"], "1 to 256"),
        (&["exec", "server"], "PROGRAM"),
        (
            &["destroy", "site.yml", "--stack", "x"],
            "cannot be used with",
        ),
        (
            &["destroy", "--stack", "x", "--yes", "--receipt", "r.pdf"],
            "receipt.html",
        ),
        (&["ssh", "server", "--json"], "tidewalk exec"),
        (
            &["ssh", "server", "-f", "x.yml", "uname", "-a"],
            "`tidewalk exec server -f x.yml -- uname -a`",
        ),
        (&[], "Usage"),
    ] {
        let output = tidewalk(arguments);
        let text = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}

#[test]
fn without_a_terminal_nothing_is_approved() {
    for command in ["apply", "destroy"] {
        let output = tidewalk(&[command, "site.yml"]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(stderr(&output).contains("--yes"), "{}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn errors_are_json_lines_when_asked() {
    let output = tidewalk(&["apply", "site.yml", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON line");
    assert_eq!(line["v"], 1);
    assert_eq!(line["event"], "error");
    assert_eq!(line["kind"], "usage");
    assert!(line["hints"][0].as_str().expect("a hint").contains("--yes"));
}

#[test]
fn a_saved_plan_of_another_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("old.plan");
    let made_by = r#"{"playbook":"site.yml","vars":[],"withheld":[],"vars_files":[],"sandbox":false,"region":null,"profile":null,"only":[]}"#;
    std::fs::write(
        &file,
        format!(r#"{{"version":99,"made_by":{made_by},"plan":{{}}}}"#),
    )
    .expect("written");
    let output = tidewalk(&["apply", file.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("version 99 is not 1"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_saved_plan_asks_again_for_its_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret.plan");
    let made_by = r#"{"playbook":"site.yml","vars":[],"withheld":["token"],"vars_files":[],"sandbox":false,"region":null,"profile":null,"only":[]}"#;
    std::fs::write(
        &file,
        format!(r#"{{"version":1,"made_by":{made_by},"plan":{{}}}}"#),
    )
    .expect("written");
    let output = tidewalk(&["apply", file.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("`token` holds a secret"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn completions_exist_for_the_usual_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let output = tidewalk(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("vars-file"), "{shell}");
    }
}

#[test]
fn colours_stay_away_from_pipes_unless_asked_for() {
    let plain = tidewalk(&["apply", "site.yml"]);
    assert!(!stderr(&plain).contains('\x1b'));
    let coloured = tidewalk(&["apply", "site.yml", "--color", "always"]);
    assert!(stderr(&coloured).contains('\x1b'));
}

#[test]
fn the_reference_page_is_current() {
    assert_matches("docs/cli.md", &tidewalk::cli::reference::markdown());
}

const SITE: &str = "\
stack: site
vars:
  size: { description: Instance type, default: t3a.small }
security_groups:
  web: { description: Front door }
instances:
  server:
    ami: { ubuntu: \"22.04\" }
    instance_type: \"{{ vars.size }}\"
    security_groups: [web]
checks:
  up: { tcp: \"{{ instances.server.public_ip }}:22\" }
";

/// A folder with a playbook, and its path.
fn playbook(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("site.yml");
    std::fs::write(&path, text).expect("written");
    let path = path.to_str().expect("UTF-8").to_owned();
    (folder, path)
}

#[test]
fn check_needs_no_account_and_counts() {
    let (_folder, path) = playbook(SITE);
    let output = tidewalk(&["check", &path]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        format!("{path} is fine: 2 resources, 1 check\n")
    );
    assert!(output.stderr.is_empty());
    let json = tidewalk(&["check", &path, "--json"]);
    let line: serde_json::Value = serde_json::from_slice(&json.stdout).expect("one JSON line");
    assert_eq!(line["event"], "check");
    assert_eq!(line["check"]["resources"], 2);
}

#[test]
fn check_shows_every_problem_at_its_place_and_ends_with_1() {
    let (_folder, path) = playbook(
        &SITE
            .replace("description: Front", "descr: Front")
            .replace("[web]", "7"),
    );
    let output = tidewalk(&["check", &path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let text = stderr(&output);
    assert!(
        text.contains("site.yml:5:10") && text.contains("site.yml:10:22"),
        "{text}"
    );
    assert!(text.contains("did you mean `description`?"), "{text}");
    assert!(text.contains("problems in"), "{text}");
    let json = tidewalk(&["check", &path, "--json"]);
    let lines = stdout(&json);
    let first: serde_json::Value =
        serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["at"]["line"], 5, "{lines}");
}

#[test]
fn the_graph_needs_no_account() {
    let (_folder, path) = playbook(SITE);
    let output = tidewalk(&["graph", &path]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let dot = stdout(&output);
    assert!(
        dot.contains("\"instances.server\" -> \"security_groups.web\""),
        "{dot}"
    );
    assert!(
        dot.contains("\"checks.up\" -> \"instances.server\""),
        "{dot}"
    );
}

#[test]
fn the_schema_is_json_with_every_section() {
    let output = tidewalk(&["schema"]);
    assert_eq!(output.status.code(), Some(0));
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for section in ["stack", "vars", "key_pairs", "instances", "hosts", "checks"] {
        assert!(
            schema["properties"].get(section).is_some(),
            "{section} is missing"
        );
    }
}

#[test]
fn a_playbook_that_was_not_named_is_asked_for() {
    for (command, asked) in [
        (vec!["plan"], "name the playbook"),
        (vec!["status"], "`--stack NAME`"),
        (vec!["destroy", "--yes"], "`--stack NAME`"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_tidewalk"))
            .args(&command)
            .current_dir("/")
            .output()
            .expect("the binary starts");
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert!(stderr(&output).contains(asked), "{}", stderr(&output));
    }
}

#[test]
fn output_that_could_not_be_written_is_a_failure() {
    let full = std::fs::File::create("/dev/full").expect("/dev/full");
    let output = Command::new(env!("CARGO_BIN_EXE_tidewalk"))
        .arg("schema")
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("No space left"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_receipt_that_could_not_be_saved_is_refused_before_anything_is_deleted() {
    let output = tidewalk(&["destroy", "--yes", "--receipt", "/nonexistent/receipt.html"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("no folder `/nonexistent`"),
        "{}",
        stderr(&output)
    );
}

/// What is outside AWS alone needs no account; anything else does, also if it is only remembered.
#[test]
fn hosts_outside_aws_need_no_account() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("site.yml");
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    let hosts = format!("stack: s\nhosts:\n  a: {{ address: 192.0.2.1, host_key: {key} }}\n");
    let status = |text: &str| {
        std::fs::write(&path, text).expect("a playbook");
        tidewalk(&["status", path.to_str().expect("UTF-8")])
    };
    let alone = status(&hosts);
    assert_eq!(alone.status.code(), Some(0), "{}", stderr(&alone));
    let with_aws = status(&format!(
        "{hosts}key_pairs:\n  b: {{ create: {{ private_key: k }} }}\n"
    ));
    assert!(stderr(&with_aws).contains("no AWS region is given"));

    let journal = folder.path().join(".tidewalk/journal");
    std::fs::create_dir_all(&journal).expect("a folder");
    let entry = "{\"time\":\"2026-11-29T12:00:00Z\",\"account\":\"123456789012\",\
                 \"region\":\"eu-west-1\",\"address\":\"key_pairs.b\",\
                 \"action\":\"create\",\"mark\":\"done\",\"id\":\"key-1\"}\n";
    std::fs::write(journal.join("s.jsonl"), entry).expect("a journal");
    assert!(stderr(&status(&hosts)).contains("no AWS region is given"));
}
