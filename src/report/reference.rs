//! The playbook reference as Markdown, written from the same schema that editors use.

use std::fmt::Write as _;

use serde_json::Value;

use crate::base::OutputMeaning;

/// The pattern of the text that every field takes in place of its own type: an expression.
const EXPRESSION: &str = "\\{[{%]";
/// Keys that every resource may have: told once for all.
const COMMON: [&str; 6] = [
    "for_each",
    "serial",
    "depends_on",
    "protect",
    "keep",
    "tags",
];

/// Keys that every operation may have beside its name: told once for all.
const BESIDE: [&str; 2] = ["for_each", "when"];
/// What stands before the operations.
const OPERATIONS: &str = "
Setups are reusable lists of operations: [setups.md](setups.md) tells of the bundled ones and how to write
one. Beside its name, every operation may have `for_each`, a list or a mapping: one such operation for
each item, with `each.key` and `each.value` (`- packages: [\"{{ each.value }}\"]` and
`for_each: [nginx, redis]` below it); and `when`: only if that is true.
";

/// Whether a table has the column that tells what changing a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// It has.
    Shown,
    /// It has not: nothing is made anew there.
    Left,
}

/// The settings of a playbook, `sections` left out.
#[must_use]
pub fn settings(schema: &Value, sections: &[&str]) -> String {
    let mut page = header(Changes::Left);
    for (name, field) in properties(schema) {
        if !sections.contains(&name.as_str()) {
            let required = required(schema, name);
            row(name, field, schema, required, None, &mut page);
        }
    }
    page
}

/// One section's part of the reference: every field with its type, default, what a change takes
/// (where `changes` says so) and meaning; its operations, where it has some, one by one.
#[must_use]
pub fn section(
    name: &str,
    schema: &Value,
    outputs: impl IntoIterator<Item = OutputMeaning>,
    changes: Changes,
) -> String {
    let spec = own(&schema["additionalProperties"]);
    let mut page = format!("## `{name}`\n\n");
    if let Some(about) = description(spec) {
        let _ = writeln!(page, "{about}\n");
    }
    page += &header(changes);
    let fixed = (changes == Changes::Shown).then_some(&Value::Null);
    fields("", spec, false, fixed, &mut page);
    let mut outputs = outputs.into_iter().peekable();
    if outputs.peek().is_some() {
        let _ = writeln!(page, "\nOutputs, read as `{{{{ {name}.NAME.OUTPUT }}}}`:\n");
        page += "| output | meaning |\n| --- | --- |\n";
        for (output, meaning) in outputs {
            let _ = writeln!(page, "| `{output}` | {meaning} |");
        }
    }
    if operations(spec).next().is_some() {
        page += OPERATIONS;
    }
    for operation in operations(spec) {
        for (name, field) in
            properties(operation).filter(|(name, _)| !BESIDE.contains(&name.as_str()))
        {
            let field = own(field);
            let _ = writeln!(page, "\n### Operation `{name}`\n");
            if let Some(about) = description(field) {
                let _ = writeln!(page, "{about}\n");
            }
            page += &header(Changes::Left);
            nested("", field, None, &mut page);
        }
    }
    page
}

fn header(changes: Changes) -> String {
    match changes {
        Changes::Shown => {
            "| field | type | default | change | meaning |\n| --- | --- | --- | --- | --- |\n"
        }
        Changes::Left => "| field | type | default | meaning |\n| --- | --- | --- | --- |\n",
    }
    .to_owned()
}

/// The alternatives of `operations:`: mappings of one key each.
fn operations(spec: &Value) -> impl Iterator<Item = &Value> {
    let item = own(&own(&spec["properties"]["operations"])["items"]);
    item["oneOf"].as_array().into_iter().flatten()
}

/// The fields of a mapping; of one that is `optional`, none is required. `fixed` is the mark of the
/// mapping itself, which those without a mark inherit; `None` where there is no such column.
fn fields(prefix: &str, schema: &Value, optional: bool, fixed: Option<&Value>, page: &mut String) {
    for (name, field) in properties(schema) {
        if prefix.is_empty() && COMMON.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        let required = !optional && required(schema, name);
        let fixed = fixed.map(|of_all| match &own(field)["x-fixed"] {
            Value::Null => of_all,
            mark => mark,
        });
        row(&path, field, schema, required, fixed, page);
        if name != "operations" {
            nested(&format!("{path}."), own(field), fixed, page);
        }
    }
}

/// The fields of a mapping, of a list's items, or of any of several alternatives.
fn nested(prefix: &str, field: &Value, fixed: Option<&Value>, page: &mut String) {
    fields(prefix, field, false, fixed, page);
    if field["items"].is_object() {
        nested(prefix, own(&field["items"]), fixed, page);
    }
    // A list of a type beside the type itself would say the same twice.
    let branches = alternatives(field);
    let lists = |branch: &Value| branch["type"] == "array";
    let single = branches
        .iter()
        .any(|branch| !lists(branch) && branch["properties"].is_object());
    let maps = branches
        .iter()
        .filter(|branch| branch["properties"].is_object())
        .count();
    for branch in branches.iter().filter(|branch| !(single && lists(branch))) {
        if maps > 1 {
            fields(prefix, own(branch), true, fixed, page);
        } else {
            nested(prefix, own(branch), fixed, page);
        }
    }
}

/// A field of the mapping that `of` describes; one that has no other field is described there.
fn row(
    path: &str,
    field: &Value,
    of: &Value,
    required: bool,
    fixed: Option<&Value>,
    page: &mut String,
) {
    let own = own(field);
    let default = match &own["default"] {
        _ if required => "required".to_owned(),
        Value::Null => String::new(),
        Value::String(text) if text.is_empty() => String::new(),
        Value::Array(list) if list.is_empty() => String::new(),
        default => format!("`{default}`"),
    };
    let only = properties(of).count() == 1;
    let meaning = description(field)
        .or_else(|| description(own))
        .or_else(|| description(of).filter(|_| only))
        .unwrap_or_default();
    let meaning = meaning.replace('\n', " ").replace('|', "\\|");
    let _ = writeln!(
        page,
        "| `{path}` | {} | {default} | {}{meaning} |",
        type_of(own),
        fixed.map_or(String::new(), |fixed| format!("{} | ", change(fixed, own)))
    );
}

/// What a change of a field takes, by its mark `x-fixed`.
fn change(fixed: &Value, field: &Value) -> String {
    match fixed {
        Value::Bool(true) => "makes it anew".to_owned(),
        Value::Bool(false) => "only when it is made".to_owned(),
        // What is made of it says it in its own section.
        Value::Object(_) if has_fields(field) => String::new(),
        Value::Object(_) => "as where it is made".to_owned(),
        Value::String(when) => format!("in place; makes it anew if {when}"),
        // Its fields say.
        _ if has_fields(field) => String::new(),
        _ => "in place".to_owned(),
    }
}

fn has_fields(field: &Value) -> bool {
    field["properties"].is_object() && field["type"] != "array"
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

fn required(schema: &Value, name: &str) -> bool {
    let mut required = schema["required"].as_array().into_iter().flatten();
    required.any(|it| it == name)
}

/// The field's own schema, where the editor's schema lets an expression stand for it.
fn own(field: &Value) -> &Value {
    let branches = alternatives(field);
    match branches.as_slice() {
        [only, expression] if expression["pattern"] == EXPRESSION => own(only),
        _ => field,
    }
}

/// What a field may be, `null` left out.
fn alternatives(field: &Value) -> Vec<&Value> {
    let branches = ["anyOf", "oneOf"].map(|keyword| field[keyword].as_array());
    let branches = branches.into_iter().flatten().flatten();
    branches.filter(|branch| branch["type"] != "null").collect()
}

fn type_of(field: &Value) -> String {
    let field = own(field);
    if let Some(kind) = field["x-kind"].as_str() {
        let named = format!("name under `{kind}`");
        return if field["x-kind-unless"].is_null() {
            named
        } else {
            format!("text or {named}")
        };
    }
    if let Some(choices) = field["enum"].as_array() {
        let choices = choices.iter().filter_map(Value::as_str);
        return choices
            .map(|choice| format!("`{choice}`"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if let Some(only) = field["const"].as_str() {
        return format!("`{only}`");
    }
    let mut types: Vec<String> = alternatives(field).into_iter().map(type_of).collect();
    types.dedup();
    if !types.is_empty() {
        return types.join(" or ");
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
        "boolean" => "true/false",
        "array" => "list",
        "object" => "mapping",
        "null" => "nothing",
        other => other,
    }
}

fn description(schema: &Value) -> Option<&str> {
    schema["description"].as_str()
}
