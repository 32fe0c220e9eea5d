//! When a value fits none of several alternatives: which one was most likely meant.

use std::collections::BTreeSet;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;

use super::types::{Misfit, Types, What};
use crate::base::node::Step;
use crate::base::{Node, Value};

/// The misfits of the alternative that was most likely meant; none when one of them fits as far
/// as can be told now.
pub(super) fn nearest(
    types: &Types,
    root: &Node,
    path: &[Step],
    context: &[Vec<ValidationError<'static>>],
) -> Vec<Misfit> {
    let node = root.follow(path);
    // A whole number may stand for text, but not where it may stand for itself.
    let takes_number = |errors: &&Vec<ValidationError<'_>>| {
        let refused = errors.iter().any(|error| {
            matches!(error.kind(), ValidationErrorKind::Type { .. })
                && error.instance_path().iter().count() == path.len()
        });
        !refused
    };
    let numbers_only =
        matches!(node.value, Value::Int(_)) && context.iter().any(|it| takes_number(&it));
    let mut branches: Vec<Vec<Misfit>> = context
        .iter()
        .filter(|errors| !numbers_only || takes_number(errors))
        .map(|errors| {
            let misfits = errors.iter().flat_map(|error| types.misfits(root, error));
            misfits.collect()
        })
        .collect();
    if branches.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let here = |misfit: &Misfit| misfit.path.len() == path.len();
    let shallow = |branch: &Vec<Misfit>| {
        branch
            .iter()
            .any(|misfit| here(misfit) && matches!(misfit.what, What::Type(_)))
    };
    if branches.iter().all(shallow) || node.as_map().is_none() && !branches.iter().any(deep(path)) {
        return value(path, branches.into_iter().flatten().filter(here));
    }
    branches.retain(|branch| !shallow(branch));
    if let Some(keys) = keys(node, path, &branches) {
        return keys;
    }
    branches.sort_by_key(|branch| {
        let count = |wanted: fn(&What) -> bool| {
            let found = branch
                .iter()
                .filter(|misfit| here(misfit) && wanted(&misfit.what));
            found.count()
        };
        let missing = count(|what| matches!(what, What::MissingKey { .. }));
        let refused = count(|what| matches!(what, What::NotAllowed(_)));
        let unknown = count(|what| matches!(what, What::UnknownKey { .. }));
        (refused, unknown, missing, branch.len())
    });
    branches.into_iter().next().unwrap_or_default()
}

fn deep(path: &[Step]) -> impl Fn(&Vec<Misfit>) -> bool {
    |branch| branch.iter().any(|misfit| misfit.path.len() > path.len())
}

/// The alternatives want other types or other words: one message for all of them.
fn value(path: &[Step], misfits: impl Iterator<Item = Misfit>) -> Vec<Misfit> {
    let (mut types, mut options, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for misfit in misfits {
        match misfit.what {
            What::Type(wanted) => types.extend(wanted),
            What::NotAllowed(words) => options.extend(words),
            _ => others.push(misfit),
        }
    }
    let one = |what| {
        let path = path.to_vec();
        vec![Misfit { path, what }]
    };
    if !options.is_empty() {
        return one(What::NotAllowed(options));
    }
    if !others.is_empty() {
        others.truncate(1);
        return others;
    }
    let mut seen = BTreeSet::new();
    types.retain(|wanted| seen.insert(format!("{wanted:?}")));
    one(What::Type(types))
}

/// A mapping whose one key picks the alternative, with a key that picks none, no key, or two.
fn keys(node: &Node, path: &[Step], branches: &[Vec<Misfit>]) -> Option<Vec<Misfit>> {
    let map = node.as_map()?;
    let one = |what| {
        let path = path.to_vec();
        Some(vec![Misfit { path, what }])
    };
    let at_hand = |misfit: &&Misfit| misfit.path.len() == path.len();
    let (mut wanted, mut refused) = (Vec::new(), Vec::new());
    for branch in branches {
        let here: Vec<_> = branch.iter().filter(at_hand).collect();
        let unknown: Vec<_> = here
            .iter()
            .filter_map(|misfit| match &misfit.what {
                What::UnknownKey { key, allowed } => Some((key.clone(), allowed.clone())),
                _ => None,
            })
            .collect();
        for misfit in &here {
            match &misfit.what {
                What::MissingKey { key, .. } => wanted.push(key.clone()),
                What::UnknownKey { allowed, .. } => wanted.extend(allowed.iter().cloned()),
                _ => {}
            }
        }
        refused.push(unknown.into_iter().map(|(key, _)| key).collect::<Vec<_>>());
    }
    wanted.sort();
    wanted.dedup();
    if map.is_empty() {
        return one(What::OneKeyOf(wanted));
    }
    let nowhere: Vec<_> = map
        .keys()
        .filter(|key| refused.iter().all(|refused| refused.contains(key)))
        .collect();
    if !nowhere.is_empty() && branches.len() > 1 {
        let unknown = nowhere.into_iter().map(|key| Misfit {
            path: path.to_vec(),
            what: What::UnknownKey {
                key: key.clone(),
                allowed: wanted.clone(),
            },
        });
        return Some(unknown.collect());
    }
    let picks_one = refused.iter().any(Vec::is_empty);
    if !picks_one && map.len() > 1 && branches.len() > 1 {
        let mut keys = map.keys();
        let (first, second) = (keys.next()?, keys.next()?);
        return one(What::OnlyOneOf {
            key: second.clone(),
            other: first.clone(),
        });
    }
    None
}
