//! The team, as a table.

use serde_json::Value;

use super::table::{Tone, table};

/// A line per member; each has `question`, `name`, `linux_name`, `groups` and `has_key`.
#[must_use]
pub fn users(members: &[Value], width: usize) -> String {
    if members.is_empty() {
        return "Nobody.\n".to_owned();
    }
    let rows = members.iter().map(line).collect();
    let columns = ["asked by", "IAM user", "login", "groups", "SSH key"];
    table(columns, rows, width)
}

fn line(member: &Value) -> [(String, Tone); 5] {
    let text = |key: &str| member[key].as_str().unwrap_or_default().to_owned();
    let groups = member["groups"].as_array().into_iter().flatten();
    let groups: Vec<_> = groups.filter_map(Value::as_str).collect();
    let key = match member["has_key"].as_bool() {
        Some(true) => ("yes".to_owned(), Tone::Good),
        _ => ("none".to_owned(), Tone::Notable),
    };
    [
        (text("question"), Tone::Quiet),
        (text("name"), Tone::Plain),
        (text("linux_name"), Tone::Plain),
        (groups.join(", "), Tone::Plain),
        key,
    ]
}
