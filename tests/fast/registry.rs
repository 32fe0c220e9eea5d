//! Every kind is whole: cases, descriptions, IAM actions, a name and a rank of its own, one file.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value as Json;
use tidewalk::contract::{Kind, Stage};
use tidewalk::resources::{quotas, registry};

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

#[test]
fn what_a_case_replaces_is_marked_in_the_schema_and_nothing_else_is() {
    let mut wrong = Vec::new();
    for kind in account_kinds() {
        let schema = kind.schema().to_value();
        for path in files_in(&Path::new("tests/cases").join(kind.name())) {
            let case = crate::cases::read(&path).unwrap();
            // What is made new replaces nothing.
            let changes = case.live.map(|_| case.changes);
            for change in changes.into_iter().flatten() {
                let (field, rest) = change.split_once(": ").unwrap();
                let replaces = rest.ends_with(" [replace]");
                // What no field of the spec stands for (tags, `allocated twice`) has no mark.
                let marks = marks(&schema, field);
                let may = marks.iter().any(|mark| *mark == true || mark.is_string());
                let must = marks.last().is_some_and(|mark| *mark == true);
                let unknown = rest.contains("-> (known after apply)");
                if (replaces && !may) || (must && !replaces && !unknown) {
                    wrong.push(format!("{}: {change}", path.display()));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "`x-fixed` is not right:\n{}",
        wrong.join("\n")
    );
}

/// The marks `x-fixed` on the way to a field such as `root_volume.size_gib`, outermost first.
fn marks(schema: &Json, field: &str) -> Vec<Json> {
    let mut at = vec![schema.clone()];
    let mut marks = Vec::new();
    for key in field.split(['.', '[']) {
        let inner = at.iter().flat_map(|schema| {
            let alternatives = ["anyOf", "oneOf"].map(|word| schema[word].as_array().cloned());
            let own = std::iter::once(schema.clone());
            own.chain(alternatives.into_iter().flatten().flatten())
        });
        let found = inner.map(|schema| schema["properties"][key].clone());
        at = found.filter(|schema| !schema.is_null()).collect();
        let own = at.iter().map(|schema| schema["x-fixed"].clone());
        marks.extend(own.filter(|mark| !mark.is_null()));
    }
    marks
}

#[test]
fn every_default_is_told() {
    let mut silent = Vec::new();
    for kind in registry() {
        let schema = kind.schema().to_value();
        defaults(kind.name(), &schema, &mut silent);
    }
    assert!(
        silent.is_empty(),
        "no default is told of {}",
        silent.join(", ")
    );
}

/// The fields below `schema` that may be left out, have no `null` for that, and tell no default.
/// Lists and mappings are empty then, or their own fields tell.
fn defaults(path: &str, schema: &Json, silent: &mut Vec<String>) {
    match schema {
        Json::Object(map) => {
            let fields = map.get("properties").and_then(Json::as_object);
            for (name, field) in fields.into_iter().flatten() {
                let required = schema["required"].as_array().into_iter().flatten();
                // One value or several: none, when it is left out.
                let branches = field["anyOf"].as_array().into_iter().flatten();
                let is_list = |schema: &Json| schema["type"] == "array";
                let is_plain = !is_list(field) && field["type"] != "object";
                let is_plain = is_plain && !branches.clone().any(is_list);
                let told = field["default"] != Json::Null || takes_nothing(field);
                if is_plain && !told && !required.clone().any(|it| it == name) {
                    silent.push(format!("{path}.{name}"));
                }
            }
            for (key, value) in map {
                defaults(&format!("{path}.{key}"), value, silent);
            }
        }
        Json::Array(list) => list.iter().for_each(|item| defaults(path, item, silent)),
        _ => {}
    }
}

fn takes_nothing(field: &Json) -> bool {
    let alternatives = ["anyOf", "oneOf"].map(|word| field[word].as_array());
    let mut alternatives = alternatives.into_iter().flatten().flatten();
    let types = &field["type"];
    let nothing = types == "null"
        || types
            .as_array()
            .is_some_and(|all| all.contains(&"null".into()));
    nothing || alternatives.any(takes_nothing)
}

#[test]
fn every_kind_counts_against_its_quota() {
    for kind in account_kinds() {
        let table = quotas::OF_KINDS.iter();
        let quota = table
            .filter(|(name, _)| *name == kind.name())
            .map(|(_, quota)| (*quota, 1));
        let own = kind.uses(None);
        assert_eq!(own, quota.collect::<Vec<_>>(), "`QUOTA` of {}", kind.name());
    }
}
