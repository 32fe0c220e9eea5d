//! The JSON Schema of a whole playbook, for editors.

use serde_json::{Map, Value as Json, json};

use super::load::Section;

/// The JSON Schema (draft 2020-12) of a playbook with these sections. Every value may also be an
/// expression.
#[must_use]
pub fn schema(sections: &[Section]) -> Json {
    let mut properties = settings(sections);
    for section in sections {
        let mut spec = Json::from((section.schema)());
        let description = spec.get("description").cloned();
        inline(&mut spec);
        let mut spec = or_expression(spec);
        common(&mut spec);
        let mut whole = json!({ "type": ["object", "null"], "additionalProperties": spec });
        if let (Some(description), Some(whole)) = (description, whole.as_object_mut()) {
            whole.insert("description".to_owned(), description);
        }
        properties.insert(section.name.to_owned(), whole);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tidewalk playbook",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn settings(sections: &[Section]) -> Map<String, Json> {
    let expression = expression();
    let mut limits: Map<String, Json> = sections
        .iter()
        .map(|section| {
            let count = json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, expression] });
            (section.name.to_owned(), count)
        })
        .collect();
    limits.insert(
        super::settings::MONTHLY.to_owned(),
        json!({
            "description": "US dollars a month, at list prices on demand",
            "anyOf": [{ "type": "number", "minimum": 0 }, expression],
        }),
    );
    let settings = json!({
        "stack": { "type": "string", "description": "Name of the stack: written on everything it owns" },
        "account": { "type": "string", "description": "The only AWS account this may be applied to: 12 digits, in quotes" },
        "region": { "type": "string", "description": "AWS region" },
        "tags": tags("Tags for everything that can carry tags"),
        "lease": { "type": "string", "description": "How long the stack may live unless renewed: `30d`, `12h`" },
        "limits": {
            "type": "object",
            "description": "Refuse a plan with more resources of a kind than this (`instances: 5`), or one that costs more US dollars a month (`monthly_usd: 150`)",
            "properties": limits,
            "additionalProperties": false,
        },
        "vars": {
            "type": "object",
            "description": "Variables; a plain value is short for its default",
            "additionalProperties": { "anyOf": [
                { "type": ["string", "number", "boolean", "array", "null"] },
                {
                    "type": "object",
                    "properties": {
                        "description": { "type": "string" },
                        "default": {},
                        "secret": { "type": "boolean" },
                        "type": { "enum": ["text", "number", "bool", "list", "map"] },
                    },
                    "additionalProperties": false,
                },
            ] },
        },
        "include": {
            "description": "Playbooks to merge with this one, relative to this file",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        },
        "outputs": { "type": "object", "description": "Values to tell after a run" },
    });
    match settings {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

fn tags(description: &str) -> Json {
    json!({
        "type": "object",
        "description": description,
        "additionalProperties": { "type": ["string", "integer", "boolean"] },
    })
}

fn expression() -> Json {
    json!({ "type": "string", "pattern": "\\{[{%]" })
}

/// Adds the keys that every resource may have.
fn common(spec: &mut Json) {
    let flag = |description: &str| json!({ "description": description, "anyOf": [{ "type": "boolean" }, expression()] });
    let keys = [
        (
            "for_each",
            json!({
                "description": "Makes one of these for each text of a list or key of a mapping; it may read the answers of `iam_users` and `iam_groups`",
                "anyOf": [{ "type": "array" }, { "type": "object" }, expression()],
            }),
        ),
        (
            "serial",
            json!({
                "description": "So many of `for_each` at once, as a number or a share such as `25%`; none after one has failed",
                "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string" }],
            }),
        ),
        (
            "depends_on",
            json!({
                "description": "Addresses of resources that come first; of one with `for_each`, all that it makes",
                "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
            }),
        ),
        ("protect", flag("Destroy leaves it, and says so")),
        ("keep", flag("Destroy leaves it, as intended")),
        (
            "tags",
            tags("Tags of its own; they win over the playbook's"),
        ),
    ];
    if let Some(spec) = spec.as_object_mut() {
        let properties = spec.entry("properties").or_insert_with(|| json!({}));
        for (key, schema) in keys {
            properties[key] = schema;
        }
    }
}

/// Puts definitions in the place of references to them, as far as they are not recursive.
fn inline(schema: &mut Json) {
    let definitions = schema.as_object_mut().and_then(|map| map.remove("$defs"));
    let definitions = definitions.unwrap_or(Json::Null);
    resolve(schema, &definitions, 0);
    if let Some(map) = schema.as_object_mut() {
        map.remove("$schema");
    }
}

fn resolve(schema: &mut Json, definitions: &Json, depth: usize) {
    const DEEPEST: usize = 16;
    match schema {
        Json::Object(map) => {
            let target = map.get("$ref").and_then(Json::as_str);
            let target = target.and_then(|path| path.strip_prefix("#/$defs/"));
            if let Some(found) = target.and_then(|name| definitions.get(name)).cloned() {
                map.remove("$ref");
                if let (Json::Object(found), true) = (found, depth < DEEPEST) {
                    for (key, value) in found {
                        map.entry(key).or_insert(value);
                    }
                }
                resolve(schema, definitions, depth + 1);
                return;
            }
            for value in map.values_mut() {
                resolve(value, definitions, depth);
            }
        }
        Json::Array(list) => {
            for value in list {
                resolve(value, definitions, depth);
            }
        }
        _ => {}
    }
}

/// Makes every part that would refuse the text of an expression accept it, except the whole.
fn or_expression(mut spec: Json) -> Json {
    inside(&mut spec);
    spec
}

fn inside(schema: &mut Json) {
    let Some(map) = schema.as_object_mut() else {
        return;
    };
    for alternatives in ["anyOf", "oneOf", "allOf"] {
        for schema in map
            .get_mut(alternatives)
            .and_then(Json::as_array_mut)
            .into_iter()
            .flatten()
        {
            inside(schema);
        }
    }
    for holder in ["items", "additionalProperties"] {
        if let Some(part) = map.get_mut(holder) {
            open(part);
        }
    }
    if let Some(first) = map.get_mut("prefixItems").and_then(Json::as_array_mut) {
        first.iter_mut().for_each(open);
    }
    if let Some(Json::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(open);
    }
}

fn open(schema: &mut Json) {
    inside(schema);
    if !schema.is_object() || takes_any_text(schema) {
        return;
    }
    let description = schema.get("description").cloned();
    let mut opened = json!({ "anyOf": [schema.take(), expression()] });
    if let (Some(description), Some(map)) = (description, opened.as_object_mut()) {
        map.insert("description".to_owned(), description);
    }
    *schema = opened;
}

/// Free text is allowed, so an expression is.
fn takes_any_text(schema: &Json) -> bool {
    let Some(map) = schema.as_object() else {
        return true;
    };
    let narrow = [
        "enum",
        "const",
        "pattern",
        "format",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "maxLength",
    ];
    if narrow.iter().any(|keyword| map.contains_key(*keyword)) {
        return false;
    }
    match map.get("type") {
        Some(Json::String(one)) => one == "string",
        Some(Json::Array(several)) => several.iter().any(|one| one == "string"),
        _ => true,
    }
}
