//! Settings that AWS tells in calls of their own, one resource at a time: asked for where the
//! playbook has them, or had them when it was applied last, which a tag remembers. What nobody
//! declared costs no call.

use crate::aws::tags::{SEPARATOR, SETTINGS, Tags};
use crate::base::{Node, Value};
use crate::contract::{Target, Wanted};

/// A group of settings that one call tells: its name, and whether a spec has any of them.
pub type Apart = (&'static str, fn(&Node) -> bool);

/// Whether the group is to be asked for, for a resource with these tags.
#[must_use]
pub fn is_asked(wanted: &Wanted, tags: &Tags, apart: Apart) -> bool {
    if wanted.for_deletion {
        return false;
    }
    let owner = tags.owner();
    let declares = || {
        let mut declared = wanted.declared.iter();
        declared.any(|(address, node)| {
            owner
                .as_ref()
                .is_some_and(|owner| owner.address == *address)
                && apart.1(node)
        })
    };
    is_remembered(tags, apart) || declares()
}

/// Whether it was declared when the resource was applied last.
#[must_use]
pub fn is_remembered(tags: &Tags, (name, _): Apart) -> bool {
    let remembered = tags.value(SETTINGS).unwrap_or_default();
    remembered.split(SEPARATOR).any(|it| it == name)
}

/// The tags that it should carry, with the groups of `all` that are declared. A group that was
/// declared before and is no longer stays remembered when there is no other: one call too many.
#[must_use]
pub fn remembered(target: Target<'_>, all: &[Apart]) -> Tags {
    let mut tags = target.tags.clone();
    let declared = all.iter().filter(|(_, has)| has(target.node));
    let declared: Vec<&str> = declared.map(|(name, _)| *name).collect();
    if !declared.is_empty() {
        tags.0.insert(SETTINGS.to_owned(), declared.join(SEPARATOR));
    }
    tags
}

/// Whether a spec has a field that says something.
#[must_use]
pub fn has(node: &Node, field: &str) -> bool {
    let field = node.entry(field);
    field.is_some_and(|field| field.value != Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Address;

    const POLICY: Apart = ("policy", |node| has(node, "policy"));

    fn wanted(yaml: &str) -> Wanted {
        let at = crate::base::Location::nowhere("test");
        let node = Node::from_json(&at, &serde_json::from_str(yaml).unwrap());
        Wanted {
            declared: vec![(Address::new("repositories", "app"), node)],
            ..Wanted::default()
        }
    }

    fn tags(settings: Option<&str>) -> Tags {
        let mut tags = Tags::default();
        let mut tag = |key: &str, value: &str| tags.0.insert(key.to_owned(), value.to_owned());
        tag("tidewalk:stack", "s");
        tag("tidewalk:address", "repositories.app");
        if let Some(settings) = settings {
            tag(SETTINGS, settings);
        }
        tags
    }

    #[test]
    fn what_is_or_was_declared_is_asked_for() {
        let (without, with) = (wanted("{}"), wanted(r#"{"policy": []}"#));
        assert!(!is_asked(&without, &tags(None), POLICY));
        assert!(!is_asked(&without, &tags(Some("lifecycle")), POLICY));
        assert!(is_asked(&without, &tags(Some("lifecycle//policy")), POLICY));
        assert!(is_asked(&with, &tags(None), POLICY));
        assert!(!is_asked(
            &wanted(r#"{"policy": null}"#),
            &tags(None),
            POLICY
        ));
        let deleted = Wanted {
            for_deletion: true,
            ..with
        };
        assert!(!is_asked(&deleted, &tags(Some("policy")), POLICY));
    }
}
