//! The playbook reference as Markdown, written from the same schemas that check playbooks.

use std::fmt::Write;

use serde_json::Value;

/// One section's part of the reference: every field with its type, default and meaning.
#[must_use]
pub fn section(name: &str, schema: &Value) -> String {
    let mut page = format!("## `{name}`\n\n");
    if let Some(about) = description(schema) {
        let _ = writeln!(page, "{about}\n");
    }
    page.push_str("| field | type | default | meaning |\n| --- | --- | --- | --- |\n");
    fields("", schema, &mut page);
    page.push('\n');
    page
}

fn fields(prefix: &str, schema: &Value, page: &mut String) {
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in properties {
        let default = match &field["default"] {
            _ if required.contains(&name.as_str()) => "required".to_owned(),
            Value::Null => String::new(),
            Value::String(text) if text.is_empty() => String::new(),
            default => format!("`{default}`"),
        };
        let meaning = description(field)
            .unwrap_or_default()
            .replace('\n', " ")
            .replace('|', "\\|");
        let _ = writeln!(
            page,
            "| `{prefix}{name}` | {} | {default} | {meaning} |",
            type_of(field)
        );
        nested(&format!("{prefix}{name}"), field, page);
    }
}

/// The fields of a mapping, of the items of a list, or of what a field may be beside `null`.
fn nested(path: &str, field: &Value, page: &mut String) {
    fields(&format!("{path}."), field, page);
    if field["items"].is_object() {
        nested(&format!("{path}[]"), &field["items"], page);
    }
    for keyword in ["anyOf", "oneOf"] {
        for branch in field[keyword].as_array().into_iter().flatten() {
            nested(path, branch, page);
        }
    }
}

fn type_of(field: &Value) -> String {
    if let Some(kind) = field["x-kind"].as_str() {
        return format!("name of one of `{kind}`");
    }
    if let Some(choices) = field["enum"].as_array() {
        let choices: Vec<_> = choices.iter().filter_map(Value::as_str).collect();
        return choices
            .iter()
            .map(|choice| format!("`{choice}`"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if let Some(only) = field["const"].as_str() {
        return format!("`{only}`");
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(branches) = field[keyword].as_array() {
            let mut types: Vec<String> = branches.iter().map(type_of).collect();
            types.retain(|it| it != "nothing");
            types.dedup();
            return types.join(" or ");
        }
    }
    match &field["type"] {
        Value::String(word) if word == "array" => format!("list of {}", type_of(&field["items"])),
        Value::String(word) => noun(word).to_owned(),
        Value::Array(words) => {
            let words = words
                .iter()
                .filter_map(Value::as_str)
                .filter(|word| *word != "null");
            words.map(noun).collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}

fn noun(json_type: &str) -> &str {
    match json_type {
        "string" => "text",
        "integer" => "whole number",
        "number" => "number",
        "boolean" => "true/false",
        "array" => "list",
        "object" => "mapping",
        "null" => "nothing",
        other => other,
    }
}

fn description(schema: &Value) -> Option<String> {
    schema["description"].as_str().map(str::to_owned)
}
