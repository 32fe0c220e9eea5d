//! The folder map is true: who may use whom, documented modules, short files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every folder of `src` and the folders it may use.
const TABLE: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("playbook", &["base"]),
    ("aws", &["base"]),
    ("ssh", &["base"]),
    ("docker", &["base"]),
    ("contract", &["base", "aws", "ssh", "docker"]),
    ("engine", &["base", "contract", "playbook"]),
    ("operations", &["base", "contract", "ssh"]),
    (
        "resources",
        &["base", "contract", "aws", "ssh", "docker", "operations"],
    ),
    ("sandbox", &["base", "aws", "docker", "ssh"]),
    ("report", &["base", "engine", "playbook"]),
    (
        "cli",
        &[
            "base",
            "playbook",
            "aws",
            "ssh",
            "docker",
            "contract",
            "engine",
            "operations",
            "resources",
            "sandbox",
            "report",
        ],
    ),
];

/// Files that stand in `src` itself.
const ROOT_FILES: &[&str] = &["lib.rs", "main.rs"];

/// A longer file holds two things.
const LONGEST_FILE: usize = 400;

#[test]
fn every_use_is_allowed_by_the_table() {
    let mut wrong = Vec::new();
    for (folder, path, text) in sources() {
        let allowed = allowed(&folder);
        for (number, line) in text.lines().enumerate() {
            for used in used_folders(line) {
                if used != folder && !allowed.contains(&used.as_str()) {
                    let place = format!("{}:{}", path.display(), number + 1);
                    wrong.push(format!("{place}: `{folder}` may not use `{used}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_is_in_the_table_and_the_table_has_no_others() {
    let there: BTreeSet<_> = fs::read_dir(src())
        .expect("src is readable")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().expect("a UTF-8 name"))
        .collect();
    let known: BTreeSet<_> = TABLE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(there, known);
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|(_, _, text)| !text.starts_with("//! "))
        .map(|(_, path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "no `//!` line first in: {silent:?}");
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(_, path, text)| (text.lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .collect();
    assert!(
        long.is_empty(),
        "longer than {LONGEST_FILE} lines: {long:?}"
    );
}

#[test]
fn mod_files_hold_docs_and_lists_only() {
    let mut wrong = Vec::new();
    for (_, path, text) in sources() {
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            let code = ["fn ", "struct ", "enum ", "trait ", "impl "];
            let has_code = |line: &&str| {
                let line = line
                    .trim_start_matches("pub(crate) ")
                    .trim_start_matches("pub ");
                code.iter().any(|word| line.starts_with(word))
            };
            wrong.extend(
                text.lines()
                    .filter(has_code)
                    .map(|line| format!("{}: {line}", path.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_report_and_cli_print() {
    let words = [
        "println!",
        "eprintln!",
        "print!(",
        "eprint!(",
        "io::stdout(",
        "io::stderr(",
    ];
    let mut wrong = Vec::new();
    for (folder, path, text) in sources() {
        if folder == "report" || folder == "cli" {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if !line.trim_start().starts_with("//") && words.iter().any(|word| line.contains(word))
            {
                wrong.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "printed outside of report: {wrong:?}");
}

#[test]
fn the_reader_of_use_lines_sees_every_form() {
    assert_eq!(used_folders("use crate::engine::Plan;"), ["engine"]);
    assert_eq!(
        used_folders("use crate::{base::Error, aws};"),
        ["base", "aws"]
    );
    assert_eq!(
        used_folders("    crate::cli::run(crate::base::x)"),
        ["cli", "base"]
    );
    assert_eq!(
        used_folders("pub(crate) fn x() {} // crate::cli"),
        [] as [&str; 0]
    );
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn allowed(folder: &str) -> &'static [&'static str] {
    TABLE
        .iter()
        .find(|(name, _)| *name == folder)
        .map_or(&[], |(_, allowed)| allowed)
}

/// Folder, path and text of every Rust file in a folder of `src`; the root files are introduced
/// to everyone and have no row.
fn sources() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![src()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(src()).expect("inside src").to_path_buf();
                let text = fs::read_to_string(&path).expect("UTF-8 text");
                let first = relative.iter().next().expect("a name").to_string_lossy();
                if !ROOT_FILES.contains(&first.as_ref()) {
                    found.push((first.into_owned(), relative.clone(), text));
                }
            }
        }
    }
    assert!(found.len() > 20, "the sources were found");
    found
}

/// The folders that a line names by `crate::`.
fn used_folders(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    let mut folders = Vec::new();
    for after in code.split("crate::").skip(1) {
        if let Some(list) = after.strip_prefix('{') {
            let inner = list.split('}').next().unwrap_or_default();
            folders.extend(inner.split(',').map(|item| word(item.trim())));
        } else {
            folders.push(word(after));
        }
    }
    folders.retain(|folder| !folder.is_empty());
    folders
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect()
}
