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
    ("stream", &["base", "aws"]),
    ("scaffold", &["base"]),
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
            "stream",
            "scaffold",
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
        for (line, used) in used_folders(&text) {
            if used != folder && !allowed.contains(&used.as_str()) {
                let place = format!("{}:{line}", path.display());
                wrong.push(format!("{place}: `{folder}` may not use `{used}`"));
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
            // A registry is a list of what the folder holds.
            let has_code = |line: &&str| {
                if line.contains("fn registry()") {
                    return false;
                }
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
    let seen = |text: &str| -> Vec<String> {
        let folders = used_folders(text).into_iter();
        folders
            .map(|(line, folder)| format!("{line} {folder}"))
            .collect()
    };
    assert_eq!(seen("use crate::engine::Plan;"), ["1 engine"]);
    assert_eq!(
        seen("use crate::{\n    base::{Error, Node},\n    aws,\n};"),
        ["1 base", "1 aws"]
    );
    assert_eq!(
        seen("//! x\n    crate::cli::run(crate::base::x)"),
        ["2 cli", "2 base"]
    );
    assert_eq!(seen("fn x() {} // crate::cli"), [] as [&str; 0]);
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

/// The folders that a text names by `crate::`, each with its line; comments are passed over.
fn used_folders(text: &str) -> Vec<(usize, String)> {
    let code: Vec<_> = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let code = code.join("\n");
    let mut folders = Vec::new();
    for (at, prefix) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let after = &code[at + prefix.len()..];
        let names = match after.strip_prefix('{') {
            Some(list) => items(list),
            None => vec![word(after)],
        };
        folders.extend(
            names
                .into_iter()
                .filter(|name| !name.is_empty())
                .map(|name| (line, name)),
        );
    }
    folders
}

/// The first words of the items of a list that ends with its closing brace.
fn items(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut item = String::new();
    let mut found = Vec::new();
    for character in list.chars() {
        match character {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => found.push(word(std::mem::take(&mut item).trim())),
            _ if depth == 0 => item.push(character),
            _ => {}
        }
    }
    found.push(word(item.trim()));
    found
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect()
}
