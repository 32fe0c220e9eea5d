//! What `DynamoDB` does not take, told before anything is made.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>

use super::{BillingMode, Index, Key, Projection, Table};
use crate::base::node::Step;

const INDEXES: usize = 20;
const LONGEST_ATTRIBUTE: usize = 255;

pub(super) fn problems(table: &Table) -> Vec<(Vec<Step>, String)> {
    let at = |field: &str| vec![Step::Key(field.to_owned())];
    let mut problems = Vec::new();
    if let Some(text) = table.name.as_deref().and_then(|it| misnamed("table", it)) {
        problems.push((at("name"), text));
    }
    let provisioned = table.billing_mode == BillingMode::Provisioned;
    let units = [
        ("read_capacity", table.read_capacity),
        ("write_capacity", table.write_capacity),
    ];
    problems.extend(capacity(&[], provisioned, units));
    for (field, key) in [
        ("partition_key", Some(&table.partition_key)),
        ("sort_key", table.sort_key.as_ref()),
    ] {
        problems.extend(key.and_then(|key| attribute(at(field), key)));
    }
    if table.sort_key.as_ref().map(|key| &key.name) == Some(&table.partition_key.name) {
        let text = "the two keys are two attributes";
        problems.push((at("sort_key"), text.to_owned()));
    }
    if table.indexes.len() > INDEXES {
        let text = format!("a table has at most {INDEXES} global secondary indexes");
        problems.push((at("indexes"), text));
    }
    for (name, its) in &table.indexes {
        let path = vec![Step::Key("indexes".to_owned()), Step::Key(name.clone())];
        problems.extend(index(&path, name, its, provisioned));
    }
    problems.extend(types(table));
    problems
}

fn index(path: &[Step], name: &str, index: &Index, provisioned: bool) -> Vec<(Vec<Step>, String)> {
    let mut problems = Vec::new();
    if let Some(text) = misnamed("index", name) {
        problems.push((path.to_vec(), text));
    }
    let units = [
        ("read_capacity", index.read_capacity),
        ("write_capacity", index.write_capacity),
    ];
    problems.extend(capacity(path, provisioned, units));
    if (index.projection == Projection::Include) == index.include.is_empty() {
        let text = "`include` names attributes, with `projection: include`";
        problems.push((path.to_vec(), text.to_owned()));
    }
    let keys = [Some(&index.partition_key), index.sort_key.as_ref()];
    let keys = keys.into_iter().flatten();
    problems.extend(keys.filter_map(|key| attribute(path.to_vec(), key)));
    problems
}

fn capacity(
    path: &[Step],
    provisioned: bool,
    units: [(&str, Option<i64>); 2],
) -> Vec<(Vec<Step>, String)> {
    let mut problems = Vec::new();
    for (field, units) in units {
        let mut at = path.to_vec();
        let text = match (provisioned, units) {
            (true, None) => format!("a provisioned table needs `{field}`, here too"),
            (false, Some(_)) => format!("`{field}` is for `billing_mode: provisioned`"),
            (true, Some(..=0)) => format!("`{field}` is 1 unit or more"),
            _ => continue,
        };
        if units.is_some() {
            at.push(Step::Key(field.to_owned()));
        }
        problems.push((at, text));
    }
    problems
}

fn attribute(at: Vec<Step>, key: &Key) -> Option<(Vec<Step>, String)> {
    let length = key.name.len();
    let text = format!("the name of an attribute has 1 to {LONGEST_ATTRIBUTE} bytes");
    (!(1..=LONGEST_ATTRIBUTE).contains(&length)).then_some((at, text))
}

/// One attribute has one type, whatever it is a key of.
fn types(table: &Table) -> Vec<(Vec<Step>, String)> {
    let mut seen = vec![&table.partition_key];
    seen.extend(&table.sort_key);
    let mut problems = Vec::new();
    for (name, index) in &table.indexes {
        for key in [Some(&index.partition_key), index.sort_key.as_ref()]
            .into_iter()
            .flatten()
        {
            if let Some(other) = seen.iter().find(|it| it.name == key.name && *it != &key) {
                let text = format!("`{key}` is `{other}` elsewhere");
                let path = vec![Step::Key("indexes".to_owned()), Step::Key(name.clone())];
                problems.push((path, text));
            }
            seen.push(key);
        }
    }
    problems
}

fn misnamed(what: &str, name: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let whole = (3..=255).contains(&name.len()) && name.chars().all(fits);
    let text = format!("a {what}'s name has 3 to 255 letters, digits, `_`, `-` and `.`");
    (!whole).then_some(text)
}
