//! Finds resources that wait for each other, and tells the way round.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::declaration::{Declaration, How, Reference};
use crate::base::{Address, Error};

/// One error for each ring of resources; a resource is named in one of them at most.
pub(super) fn find(declarations: &IndexMap<Address, Declaration>) -> Vec<Error> {
    let edges: Vec<Vec<(usize, &Reference)>> = declarations
        .values()
        .map(|declaration| {
            let references = declaration.references.iter();
            let targets = references.filter_map(|reference| {
                let index = declarations.get_index_of(&reference.target)?;
                Some((index, reference))
            });
            targets.collect()
        })
        .collect();
    let mut finished = vec![false; edges.len()];
    let mut errors = Vec::new();
    for start in 0..edges.len() {
        if !finished[start] {
            walk(start, &edges, &mut finished, &mut |ring| {
                errors.push(explain(declarations, ring));
            });
        }
    }
    errors
}

type Ring<'a> = [(usize, &'a Reference)];

/// Depth first, without recursion: a chain may be as long as the playbook.
fn walk<'a>(
    start: usize,
    edges: &[Vec<(usize, &'a Reference)>],
    finished: &mut [bool],
    report: &mut dyn FnMut(&Ring<'a>),
) {
    let mut path: Vec<(usize, usize)> = vec![(start, 0)];
    let mut depths = HashMap::from([(start, 0)]);
    let mut reported = Vec::new();
    while let Some((node, next)) = path.last_mut() {
        let Some((target, _)) = edges[*node].get(*next) else {
            finished[*node] = true;
            depths.remove(node);
            path.pop();
            continue;
        };
        *next += 1;
        if finished[*target] {
            continue;
        }
        if let Some(depth) = depths.get(target) {
            let ring: Vec<_> = path[*depth..]
                .iter()
                .map(|(node, next)| (*node, edges[*node][*next - 1].1))
                .collect();
            if !ring.iter().any(|(node, _)| reported.contains(node)) {
                reported.extend(ring.iter().map(|(node, _)| *node));
                report(&ring);
            }
        } else {
            depths.insert(*target, path.len());
            path.push((*target, 0));
        }
    }
}

fn explain(declarations: &IndexMap<Address, Declaration>, ring: &Ring<'_>) -> Error {
    let (_, first) = ring[0];
    let address = |index: usize| declarations.get_index(index).map(|(address, _)| address);
    let names: Vec<_> = ring
        .iter()
        .filter_map(|(node, _)| address(*node))
        .map(|address| format!("`{address}`"))
        .collect();
    let message = match names.as_slice() {
        [own] => format!("{own} refers to itself"),
        _ => format!("{} wait for each other", names.join(", ")),
    };
    let mut error = Error::new(crate::base::ErrorKind::Playbook, message).at(&first.at);
    if ring.len() > 1 {
        for (node, reference) in ring {
            if let Some(from) = address(*node) {
                let verb = match reference.how {
                    How::Typed => "names",
                    How::Expression => "reads",
                    How::DependsOn => "depends on",
                };
                error = error.note(format!(
                    "`{from}` {verb} `{}` at {}",
                    reference.target, reference.at
                ));
            }
        }
    }
    error.hint("remove one of these references")
}
