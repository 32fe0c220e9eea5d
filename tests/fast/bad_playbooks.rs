//! Every playbook in `tests/playbooks/bad/` is refused with the message that stands beside it.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set to write the messages anew instead of comparing them.
const UPDATE: &str = "TIDEWALK_ACCEPT";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/playbooks/bad")
}

/// What the program says of a bad playbook, in the playbook's own folder.
fn refusal(path: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tidewalk"))
        .arg("check")
        .arg(path.file_name().unwrap())
        .current_dir(path.parent().unwrap())
        .env("USER", "ana")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", path.display());
    assert!(output.stdout.is_empty(), "{}", path.display());
    String::from_utf8(output.stderr).unwrap()
}

fn compare(expected: &Path, found: &str) -> Option<String> {
    if std::env::var_os(UPDATE).is_some() {
        fs::write(expected, found).unwrap();
    }
    let wanted = fs::read_to_string(expected).unwrap_or_default();
    (wanted != found).then(|| {
        format!(
            "{}\n--- expected\n{wanted}--- found\n{found}",
            expected.display()
        )
    })
}

#[test]
fn every_bad_playbook_is_refused_with_its_message() {
    let mut paths: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yml"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 30, "only {} bad playbooks", paths.len());
    let wrong: Vec<_> = paths
        .iter()
        .filter_map(|path| compare(&path.with_extension("stderr"), &refusal(path)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Playbooks that are too large or too strange to be stored.
fn generated() -> Vec<(&'static str, Vec<u8>)> {
    let stack = b"stack: site\n".to_vec();
    let large = [&stack[..], &b"# nothing but a comment\n".repeat(420_000)].concat();
    let nested = format!(
        "stack: site\ntags: {}x{}\n",
        "[".repeat(3000),
        "]".repeat(3000)
    );
    let mut indented = "stack: site\ntags:\n".to_owned();
    for depth in 1..150 {
        indented += &" ".repeat(depth);
        indented += "a:\n";
    }
    let latin1 = b"stack: site\ntags: { Owner: Jos\xe9 }\n".to_vec();
    let mut bomb = "stack: site\nvars:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        let line = format!("  a{level}: &a{level} [{items}]\n");
        bomb += &line;
    }
    vec![
        ("generated-10-mb", large),
        ("generated-nested-flow", nested.into_bytes()),
        ("generated-nested-block", indented.into_bytes()),
        ("generated-not-utf-8", latin1),
        ("generated-alias-bomb", bomb.into_bytes()),
        ("generated-bytes", vec![0, 159, 146, 150]),
    ]
}

#[test]
fn every_generated_bad_playbook_is_refused_with_its_message() {
    let scratch = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (name, bytes) in generated() {
        let path = scratch.path().join(format!("{name}.yml"));
        fs::write(&path, bytes).unwrap();
        let expected = folder().join(format!("{name}.stderr"));
        wrong.extend(compare(&expected, &refusal(&path)));
    }
    let missing = scratch.path().join("missing.yml");
    let expected = folder().join("generated-missing.stderr");
    wrong.extend(compare(&expected, &refusal(&missing)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_expected_message_has_its_playbook() {
    let generated: Vec<_> = generated().into_iter().map(|(name, _)| name).collect();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some_and(|ending| ending == "stderr") {
            let known = generated.contains(&name.as_str()) || name == "generated-missing";
            assert!(
                known || path.with_extension("yml").exists(),
                "{name} has no playbook"
            );
        }
    }
}
