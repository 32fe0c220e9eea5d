//! The references in `docs/` are what the program says of itself.

use std::path::Path;

use tidewalk::cli::{reference, session};

use crate::expected::assert_matches;

#[test]
fn the_playbook_reference_is_current() {
    assert_matches("docs/playbook.md", &reference::playbook());
}

#[test]
fn the_reference_of_setups_is_current_and_every_variable_has_a_meaning() {
    let page = reference::setups().unwrap();
    assert_matches("docs/setups.md", &page);
    let silent: Vec<_> = page.lines().filter(|line| line.ends_with("|  |")).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn the_schema_for_editors_is_current_and_every_bundled_playbook_names_it() {
    let schema = serde_json::to_string_pretty(&session::schema()).unwrap() + "\n";
    assert_matches("docs/playbook.schema.json", &schema);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let named = text
                .lines()
                .next()
                .unwrap()
                .strip_prefix("# yaml-language-server: $schema=");
            let named = folder.join(named.expect("the first line is for editors"));
            assert!(
                named.exists(),
                "{} names {}",
                path.display(),
                named.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 0);
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
