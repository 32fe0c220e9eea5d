//! The items of `operations:` as they stand in the playbook.

use super::{ALL, Planned, registry};
use crate::base::node::Value;
use crate::base::{Error, Errors, Node, Result, suggestion};
use crate::contract::Target;

/// One item of `operations:`.
pub struct Declared {
    /// Its arguments, with places.
    pub node: Node,
    /// Which operation.
    pub name: String,
    /// The operation; `None` while some argument is known only after apply.
    pub operation: Option<Box<dyn Planned>>,
}

impl Declared {
    /// What it is called in plans and messages.
    #[must_use]
    pub fn label(&self) -> String {
        if let Some(operation) = &self.operation {
            return operation.label();
        }
        let named = ["path", "name", "user"]
            .iter()
            .find_map(|key| self.node.entry(key).and_then(Node::as_text));
        match named {
            Some(text) => format!("{} {text}", self.name),
            None => self.name.clone(),
        }
    }

    /// The host's target, narrowed to this operation.
    #[must_use]
    pub fn target<'a>(&'a self, host: Target<'a>) -> Target<'a> {
        Target {
            node: &self.node,
            at: &self.node.at,
            ..host
        }
    }
}

/// Reads a whole list; nothing is an empty list.
///
/// # Errors
/// Every item that does not fit.
pub fn read(list: Option<&Node>) -> Result<Vec<Declared>, Errors> {
    let mut errors = Errors::default();
    let mut declared = Vec::new();
    let Some(list) = list else {
        return Ok(declared);
    };
    match &list.value {
        Value::Null => {}
        Value::List(items) => {
            for item in items {
                declared.extend(errors.keep(read_item(item)));
            }
        }
        _ => errors.push(Error::playbook(
            format!("expected a list of operations, found {}", list.type_name()),
            &list.at,
        )),
    }
    errors.into_result(declared)
}

/// One item. Its `for_each` and `when` were seen to already, unless they are known only after apply.
fn read_item(item: &Node) -> Result<Declared> {
    if let Value::AfterApply(_) = item.value {
        return Ok(Declared {
            node: item.clone(),
            name: "operations of `for_each`".to_owned(),
            operation: None,
        });
    }
    let names_it = |(name, _): &(&String, _)| *name != "when";
    let one = item
        .as_map()
        .map(|map| (map.iter().filter(names_it), map.contains_key("when")));
    let (mut one, depends) = one.map_or((None, false), |(one, depends)| (Some(one), depends));
    let first = one.as_mut().and_then(Iterator::next);
    let (Some((name, entry)), None) = (first, one.and_then(|mut one| one.next())) else {
        return Err(Error::playbook(
            "expected an operation: a mapping with one key, its name",
            &item.at,
        )
        .hint("such as `- packages: [nginx]`"));
    };
    let Some(found) = registry::find(name) else {
        let names: Vec<_> = ALL.iter().map(|entry| entry.name).collect();
        return Err(
            Error::playbook(format!("there is no operation `{name}`"), &entry.key_at)
                .hint(suggestion::hint(name, &names)),
        );
    };
    let operation = if depends || entry.node.has_unknown() {
        None
    } else {
        Some((found.read)(&entry.node)?)
    };
    Ok(Declared {
        node: entry.node.clone(),
        name: name.clone(),
        operation,
    })
}

/// What the operations themselves find wrong, offline.
#[must_use]
pub fn check(declared: &[Declared]) -> Errors {
    let mut errors = Errors::default();
    for item in declared {
        let problems = item
            .operation
            .iter()
            .flat_map(|operation| operation.check());
        for (path, text) in problems {
            errors.push(Error::playbook(text, &item.node.follow(&path).at));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Location;

    #[test]
    fn an_item_that_waits_for_the_apply_is_named_and_not_read() {
        let at = Location::nowhere("site.yml");
        let json = serde_json::json!([{ "packages": ["web"], "when": "later" }, "later"]);
        let mut list = Node::from_json(&at, &json);
        let later = || Value::AfterApply("{{ instances.web.public_ip }}".to_owned());
        if let Value::List(items) = &mut list.value {
            items[1].value = later();
            if let Value::Map(map) = &mut items[0].value {
                map["when"].node.value = later();
            }
        }
        let declared = read(Some(&list)).unwrap_or_default();
        let labels: Vec<_> = declared.iter().map(Declared::label).collect();
        assert_eq!(labels, ["packages", "operations of `for_each`"]);
        assert!(declared.iter().all(|item| item.operation.is_none()));
    }
}
