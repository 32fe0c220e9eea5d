//! A spec as the fields of a resource that does not exist yet.

use crate::base::node::Entry;
use crate::base::secret::MASK;
use crate::base::{Diff, Node, Shown, Value};

/// A field for each value of the spec: nested ones as `root_volume.size_gib`, lists in one line.
#[must_use]
pub fn made(spec: &Node) -> Diff {
    let mut diff = Diff::default();
    fields(spec, "", &mut diff);
    diff
}

fn fields(node: &Node, prefix: &str, diff: &mut Diff) {
    for (key, entry) in node.as_map().into_iter().flatten() {
        let name = format!("{prefix}{key}");
        match &entry.node.value {
            Value::Map(_) if !entry.node.secret => {
                fields(&entry.node, &format!("{name}."), diff);
            }
            _ => {
                let new = shown(&entry.node);
                *diff = std::mem::take(diff).field(&name, Shown::Absent, new);
            }
        }
    }
}

fn shown(node: &Node) -> Shown {
    match &node.value {
        _ if node.secret => Shown::Hidden,
        // A list is known when all of it is.
        _ if node.has_unknown() => Shown::AfterApply,
        Value::Text(text) if text.contains('\n') => Shown::Block(text.clone()),
        _ => Shown::of(inline(node)),
    }
}

/// The value in one line, without the brackets of YAML or JSON.
fn inline(node: &Node) -> String {
    match &node.value {
        _ if node.secret => MASK.to_owned(),
        Value::Null => String::new(),
        Value::List(list) => {
            let is_plain = |node: &Node| !matches!(node.value, Value::Map(_) | Value::List(_));
            let between = if list.iter().all(is_plain) {
                ", "
            } else {
                "; "
            };
            list.iter().map(inline).collect::<Vec<_>>().join(between)
        }
        Value::Map(map) => {
            let entry = |(key, entry): (&String, &Entry)| format!("{key}: {}", inline(&entry.node));
            map.iter().map(entry).collect::<Vec<_>>().join(", ")
        }
        Value::Text(text) => text.clone(),
        _ => node.to_shown_json().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::Location;

    fn shown_fields(spec: &Node) -> Vec<String> {
        let changes = made(spec).changes.into_iter();
        changes
            .map(|change| format!("{} = {}", change.field, change.new))
            .collect()
    }

    #[test]
    fn a_spec_is_shown_without_brackets() {
        let spec = json!({
            "ami": { "ubuntu": "22.04" },
            "security_groups": ["a", "b"],
            "ingress": [{ "ports": 22, "from": "me" }, { "ports": [80, 443], "from": "anywhere" }],
            "monitoring": true,
            "nothing": null,
        });
        let spec = Node::from_json(&Location::nowhere("test"), &spec);
        assert_eq!(
            shown_fields(&spec),
            [
                "ami.ubuntu = 22.04",
                "security_groups = a, b",
                "ingress = ports: 22, from: me; ports: 80, 443, from: anywhere",
                "monitoring = true",
            ]
        );
    }

    #[test]
    fn secrets_and_unknown_values_are_not_shown() {
        let at = Location::nowhere("test");
        let mut spec = Node::from_json(&at, &json!({ "password": "x", "list": ["a", "b"] }));
        let Value::Map(map) = &mut spec.value else {
            panic!("a mapping")
        };
        map["password"].node.secret = true;
        let Value::List(list) = &mut map["list"].node.value else {
            panic!("a list")
        };
        list[1] = Node::new(&at, Value::AfterApply("x.id".to_owned()));
        assert_eq!(
            shown_fields(&spec),
            ["password = •••", "list = (known after apply)"]
        );
    }
}
