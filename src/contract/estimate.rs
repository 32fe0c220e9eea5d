//! What a spec costs of which parts are known only after apply.

use crate::base::node::{Entry, Step};
use crate::base::{Cost, Node, Value};

/// What stands in the place of a value that is known only after apply.
const LATER: &str = "(known after apply)";

/// The price of `node`, of which `price` tells what it can (`None` when the spec cannot be read).
/// Unknown parts are left out; one that the price depends on is named in it.
pub(super) fn estimate(node: &Node, kind: &str, price: impl Fn(&Node) -> Option<Cost>) -> Cost {
    let mut unknown = Vec::new();
    paths(node, &mut Vec::new(), &mut unknown);
    let later = Value::Text(LATER.to_owned());
    let without = price(&filled(node, &mut Vec::new(), &|_| None));
    let others = without.is_none().then(|| later.clone());
    let named = || price(&filled(node, &mut Vec::new(), &|_| Some(later.clone())));
    let Some(base) = without.or_else(named) else {
        return Cost::unknown(format!("one of `{kind}`, known after apply"));
    };
    let mut cost = base.clone();
    for path in unknown {
        let values = [
            Value::Int(1),
            Value::Int(1000),
            Value::Bool(true),
            Value::Bool(false),
        ];
        let depends = values.into_iter().chain([later.clone()]).any(|value| {
            let fill = |at: &[Step]| {
                if at == path {
                    Some(value.clone())
                } else {
                    others.clone()
                }
            };
            price(&filled(node, &mut Vec::new(), &fill)).is_some_and(|cost| cost != base)
        });
        if depends {
            // It says better what is not known than what stood in its place.
            cost.unknown.retain(|what| !what.contains(LATER));
            cost = cost + Cost::unknown(format!("`{}`, known after apply", words(&path)));
        }
    }
    cost
}

/// The ways to all parts that are known only after apply.
fn paths(node: &Node, at: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    match &node.value {
        Value::AfterApply(_) => found.push(at.clone()),
        Value::Map(map) => {
            for (key, entry) in map {
                at.push(Step::Key(key.clone()));
                paths(&entry.node, at, found);
                at.pop();
            }
        }
        Value::List(list) => {
            for (index, node) in list.iter().enumerate() {
                at.push(Step::Index(index));
                paths(node, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

/// The node with `fill`'s values where it is not known, or nothing there.
fn filled(node: &Node, at: &mut Vec<Step>, fill: &dyn Fn(&[Step]) -> Option<Value>) -> Node {
    let mut part = |step: Step, part: &Node| {
        at.push(step);
        let made = match &part.value {
            Value::AfterApply(_) => fill(at).map(|value| Node::new(&part.at, value)),
            _ => Some(filled(part, at, fill)),
        };
        at.pop();
        made
    };
    let value = match &node.value {
        Value::Map(map) => {
            let entries = map.iter().filter_map(|(key, entry)| {
                let entry = Entry {
                    key_at: entry.key_at.clone(),
                    node: part(Step::Key(key.clone()), &entry.node)?,
                };
                Some((key.clone(), entry))
            });
            Value::Map(entries.collect())
        }
        Value::List(list) => {
            let parts = list.iter().enumerate();
            Value::List(
                parts
                    .filter_map(|(index, node)| part(Step::Index(index), node))
                    .collect(),
            )
        }
        other => other.clone(),
    };
    Node {
        at: node.at.clone(),
        value,
        secret: node.secret,
    }
}

/// `root_volume.size_gib`
fn words(path: &[Step]) -> String {
    let words = path.iter().map(|step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    });
    words.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::base::Location;
    use crate::base::deserialize::from_node;

    #[derive(Deserialize)]
    struct Spec {
        size: Option<i32>,
        #[serde(rename = "type")]
        kind: String,
        #[expect(dead_code, reason = "free of charge")]
        role: Option<String>,
    }

    fn price(node: &Node) -> Option<Cost> {
        let spec = from_node::<Spec>(node).ok()?;
        let each = match spec.kind.as_str() {
            "small" => Cost::of(2.0),
            other => Cost::unknown(other),
        };
        Some(each.times(f64::from(spec.size.unwrap_or(1))))
    }

    fn of(later: &[&str]) -> Cost {
        let at = Location::nowhere("test");
        let mut node = Node::from_json(&at, &json!({ "size": 3, "type": "small", "role": "r" }));
        let Value::Map(map) = &mut node.value else {
            panic!("a mapping")
        };
        for key in later {
            map[*key].node = Node::new(&at, Value::AfterApply("x.id".to_owned()));
        }
        estimate(&node, "specs", price)
    }

    #[test]
    fn what_the_price_does_not_depend_on_may_be_unknown() {
        assert_eq!(of(&["role"]), Cost::of(6.0));
        let some = of(&["role", "size"]);
        assert_eq!(
            (some.cents(), some.unknown),
            (200, vec!["`size`, known after apply".to_owned()])
        );
        assert_eq!(of(&["type"]).unknown, ["`type`, known after apply"]);
        assert_eq!(of(&["type", "size"]).cents(), 0);
    }
}
