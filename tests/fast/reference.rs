//! The references in `docs/` are what the program says of itself.

use tidewalk::cli::reference;

/// Set to write the pages anew instead of comparing them.
const UPDATE: &str = "TIDEWALK_UPDATE_EXPECTED";

fn is_current(page: &str, made: &str) {
    let path = format!("{}/docs/{page}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == made,
        "docs/{page} is out of date: run `make docs`"
    );
}

#[test]
fn the_playbook_reference_is_current() {
    is_current("playbook.md", &reference::playbook());
}

#[test]
fn every_field_of_the_playbook_reference_has_a_meaning() {
    let page = reference::playbook();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let silent: Vec<_> = rows
        .filter(|row| row.trim_end().ends_with("|  |"))
        .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}
