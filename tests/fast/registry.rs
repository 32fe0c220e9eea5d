//! Every kind is whole: cases, descriptions, IAM actions, a name and a rank of its own, one file.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value as Json;
use tidewalk::contract::{Kind, Stage};
use tidewalk::resources::registry;

use crate::cases::files_in;

fn account_kinds() -> Vec<std::sync::Arc<dyn Kind>> {
    let all = registry().into_iter();
    all.filter(|kind| kind.stage() == Stage::Account).collect()
}

#[test]
fn names_and_ranks_are_their_own() {
    let mut names = HashSet::new();
    for kind in registry() {
        assert!(
            names.insert(kind.name()),
            "two kinds are named {}",
            kind.name()
        );
    }
    let mut ranks = HashSet::new();
    for kind in account_kinds() {
        let rank = kind.delete_rank();
        assert!(
            ranks.insert(rank),
            "{} shares its delete rank {rank}",
            kind.name()
        );
    }
}

#[test]
fn every_kind_has_its_file_and_its_cases() {
    for kind in registry() {
        let file = format!("src/resources/{}.rs", kind.name());
        assert!(Path::new(&file).exists(), "{file} is missing");
        if kind.stage() != Stage::Upon {
            let folder = Path::new("tests/cases").join(kind.name());
            assert!(folder.is_dir(), "{} is missing", folder.display());
            assert!(
                !files_in(&folder).is_empty(),
                "{} is empty",
                folder.display()
            );
        }
    }
}

#[test]
fn every_account_kind_names_its_iam_actions() {
    for kind in account_kinds() {
        let iam = kind.iam();
        for (verb, actions) in [
            ("discover", iam.discover),
            ("apply", iam.apply),
            ("delete", iam.delete),
        ] {
            assert!(
                !actions.is_empty(),
                "{} has no actions to {verb}",
                kind.name()
            );
            for action in actions {
                let (service, name) = action.split_once(':').unwrap_or_default();
                let fits = !service.is_empty() && name.starts_with(|c: char| c.is_uppercase());
                assert!(fits, "{}: `{action}` is no IAM action", kind.name());
            }
            let unique: HashSet<_> = actions.iter().collect();
            assert_eq!(unique.len(), actions.len(), "{} to {verb}", kind.name());
        }
    }
}

#[test]
fn every_field_is_described() {
    let mut bare = Vec::new();
    for kind in registry() {
        let schema = kind.schema().to_value();
        assert!(
            schema["description"].is_string(),
            "{} has no description",
            kind.name()
        );
        undescribed(kind.name(), &schema, &mut bare);
    }
    assert!(
        bare.is_empty(),
        "without a description: {}",
        bare.join(", ")
    );
}

/// The fields below `schema` without a description; the only field of a described variant is
/// described by it.
fn undescribed(path: &str, schema: &Json, bare: &mut Vec<String>) {
    match schema {
        Json::Object(map) => {
            if let Some(fields) = map.get("properties").and_then(Json::as_object) {
                let variant = fields.len() == 1 && map.contains_key("description");
                for (name, field) in fields {
                    let text = field["description"].as_str().unwrap_or_default();
                    if text.is_empty() && !variant {
                        bare.push(format!("{path}.{name}"));
                    }
                }
            }
            for (key, value) in map {
                undescribed(&format!("{path}.{key}"), value, bare);
            }
        }
        Json::Array(list) => list.iter().for_each(|item| undescribed(path, item, bare)),
        _ => {}
    }
}

#[test]
fn references_are_marked_in_the_schema() {
    let marked = |kind: &str| {
        let all = registry();
        let kind = all.iter().find(|one| one.name() == kind).unwrap();
        kind.schema().to_value().to_string()
    };
    let instances = marked("instances");
    assert!(instances.contains(r#""x-kind":"key_pairs""#));
    assert!(instances.contains(r#""x-kind":"security_groups""#));
    assert!(marked("elastic_ips").contains(r#""x-attaches":true"#));
    assert!(marked("security_groups").contains(r#""x-kind-unless":"#));
}

#[test]
fn every_output_is_told_once() {
    for kind in registry() {
        let outputs = kind.outputs();
        let names: HashSet<_> = outputs.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), outputs.len(), "{}", kind.name());
        let told = outputs.iter().all(|(_, meaning)| !meaning.is_empty());
        assert!(told, "{}", kind.name());
    }
}
