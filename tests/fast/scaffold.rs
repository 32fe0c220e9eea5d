//! Walks `tests/fast/scaffold/CASE/`: a folder `CASE` in it is an app, `case.yml` the options, and
//! `expected/` what is found out, and every file that is written, or the error.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use tidewalk::base::Error;
use tidewalk::scaffold::{App, NewFile, Options, SIGNS, look, table, write};

use crate::expected::assert_matches;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Case {
    entry: Option<String>,
    exact: bool,
    schedule: Option<String>,
    region: Option<String>,
}

const CASES: &str = "tests/fast/scaffold";

#[test]
fn every_app_gets_the_expected_files() {
    for case in cases() {
        let name = name_of(&case);
        let expected = Path::new(CASES).join(&name).join("expected");
        match made(&case.join(&name), &options(&case)) {
            Ok((app, files)) => {
                let mut there = vec!["app.txt".to_owned()];
                assert_matches(expected.join("app.txt"), &told(&app));
                for file in files {
                    assert_matches(expected.join(&file.path), &file.content);
                    there.push(file.path.display().to_string());
                }
                no_others(&case, &there);
            }
            Err(error) => {
                let full = fs::canonicalize(&case).unwrap();
                let text = plain(&error).replace(&full.display().to_string(), "");
                assert_matches(expected.join("error.txt"), &text);
                no_others(&case, &["error.txt".to_owned()]);
            }
        }
    }
}

#[test]
fn every_written_playbook_is_fine_also_with_what_it_suggests() {
    let mut seen = 0;
    for case in cases() {
        let Ok((app, files)) = made(&case.join(name_of(&case)), &options(&case)) else {
            continue;
        };
        let Some(playbook) = files.iter().find(|it| it.path.ends_with("tidewalk.yml")) else {
            continue;
        };
        check(&app, &playbook.content);
        let suggested = uncommented(&playbook.content);
        let has_suggestions = !app.variables.is_empty();
        assert_eq!(
            suggested != playbook.content,
            has_suggestions,
            "{}",
            case.display()
        );
        check(&app, &suggested);
        seen += 1;
    }
    assert!(seen > 5, "playbooks were checked");
}

#[test]
fn a_file_that_is_there_is_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("kept");
    fs::create_dir(&app).unwrap();
    fs::write(app.join("plumber.R"), "#* @get /\nfunction() 1\n").unwrap();
    for file in ["Dockerfile", ".dockerignore", "tidewalk.yml"] {
        fs::write(app.join(file), "FROM scratch\n").unwrap();
    }
    let app = look(&app, None).unwrap();
    assert_eq!(app.kept, ["Dockerfile", ".dockerignore", "tidewalk.yml"]);
    assert_eq!(write(&app, &Options::default()).unwrap(), []);
}

#[test]
fn every_row_of_the_table_has_a_case() {
    let text = table();
    assert_eq!(text.lines().count(), SIGNS.len());
    let made = cases().into_iter().filter_map(|case| {
        let found = look(&case.join(name_of(&case)), options(&case).entry.as_deref());
        found.ok().map(|app| app.entry)
    });
    let made: Vec<_> = made.collect();
    for entry in [
        "_server.yml",
        "entrypoint.R",
        "plumber.R",
        "server.R",
        "app.R",
        "Dockerfile",
    ] {
        assert!(text.contains(&format!("`{entry}`")), "{entry}");
        assert!(made.iter().any(|it| it == entry), "{entry}");
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(CASES);
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() > 10, "the cases were found");
    cases
}

fn name_of(case: &Path) -> String {
    case.file_name().unwrap().to_str().unwrap().to_owned()
}

fn options(case: &Path) -> Case {
    let text = fs::read_to_string(case.join("case.yml"));
    text.map_or_else(
        |_| Case::default(),
        |text| serde_saphyr::from_str(&text).unwrap(),
    )
}

fn made(folder: &Path, case: &Case) -> Result<(App, Vec<NewFile>), Error> {
    let options = Options {
        exact: case.exact,
        schedule: case.schedule.clone(),
        region: case.region.clone(),
    };
    let app = look(folder, case.entry.as_deref())?;
    let files = write(&app, &options)?;
    Ok((app, files))
}

/// What was found out, line by line.
fn told(app: &App) -> String {
    let mut text = format!(
        "name: {}\nform: {}\nentry: {}\n",
        app.name,
        app.form.noun(),
        app.entry
    );
    let _ = writeln!(text, "command: {:?}", app.command);
    let _ = writeln!(text, "port: {:?}, health: {}", app.port, app.health_path);
    for package in &app.packages {
        let version = package.version.as_deref().unwrap_or("any");
        let _ = writeln!(
            text,
            "package: {} {version} {:?}",
            package.name, package.origin
        );
    }
    for variable in &app.variables {
        let secret = if variable.secret { ", secret" } else { "" };
        let _ = writeln!(
            text,
            "variable: {} = {:?} at {}{secret}",
            variable.name, variable.default, variable.at
        );
    }
    let list = |text: &mut String, what: &str, all: Vec<String>| {
        for one in all {
            let _ = writeln!(text, "{what}: {one}");
        }
    };
    list(
        &mut text,
        "because",
        app.because.iter().map(ToString::to_string).collect(),
    );
    list(&mut text, "note", app.notes.clone());
    list(&mut text, "kept", app.kept.clone());
    text
}

fn plain(error: &Error) -> String {
    let mut lines = vec![format!("error: {}", error.message())];
    lines.extend(error.location().map(|at| format!("  --> {at}")));
    lines.extend(error.notes().iter().map(|note| format!("  = {note}")));
    lines.extend(error.hints().iter().map(|hint| format!("help: {hint}")));
    lines.push(String::new());
    lines.join("\n")
}

fn no_others(case: &Path, there: &[String]) {
    for entry in fs::read_dir(case.join("expected")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            there.contains(&name),
            "{}: {name} is not written any more",
            case.display()
        );
    }
}

/// `tidewalk check`, with the app beside the playbook.
fn check(app: &App, playbook: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").unwrap();
    let path = folder.path().join("tidewalk.yml");
    fs::write(&path, playbook).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_tidewalk"));
    let output = program.arg("check").arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}\n{playbook}", app.name);
}

/// The playbook with its suggestions taken: comments that are YAML, below the settings.
fn uncommented(playbook: &str) -> String {
    let mut text = String::new();
    let mut begun = false;
    for line in playbook.lines() {
        begun |= line.starts_with("stack:");
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        let comment = rest.strip_prefix("# ").filter(|_| begun);
        let yaml = comment.filter(|it| {
            let first = it.split_whitespace().next().unwrap_or_default();
            first.ends_with(':') || first == "-"
        });
        let _ = match yaml {
            Some(yaml) => writeln!(text, "{indent}{yaml}"),
            None => writeln!(text, "{line}"),
        };
    }
    text
}
