//! `serial:`: the resources of one `for_each` a few at a time, and no further after a failure.

use std::collections::BTreeMap;

use super::graph::Graph;
use crate::base::{Address, Error, Errors};
use crate::playbook::{Declaration, Playbook};

/// Lets each batch of a series follow the one before.
///
/// # Errors
/// When that contradicts what the resources need.
pub(super) fn arrange(playbook: &Playbook, graph: &mut Graph) -> Result<(), Errors> {
    let mut series: BTreeMap<(&str, &str), Vec<&Declaration>> = BTreeMap::new();
    for declaration in playbook.declarations.values() {
        if declaration.serial.is_some() && graph.has(&declaration.address) {
            let Address { kind, .. } = &declaration.address;
            let (name, _) = declaration.address.split_key();
            series.entry((kind, name)).or_default().push(declaration);
        }
    }
    for members in series.values() {
        let at_once = members.first().and_then(|first| first.serial);
        let batches: Vec<_> = members.chunks(at_once.unwrap_or(1)).collect();
        for pair in batches.windows(2) {
            for later in pair[1] {
                for earlier in pair[0] {
                    graph.follow(&later.address, &earlier.address);
                }
            }
        }
    }
    if graph.order().len() == graph.addresses().count() {
        return Ok(());
    }
    let placed = graph.order();
    let stuck = series.values().flatten();
    let stuck = stuck.filter(|it| !placed.contains(&it.address));
    let errors = stuck.take(1).map(|it| {
        Error::playbook("`serial` contradicts what these resources need", &it.at)
            .note(format!("{} would wait for itself", it.address))
            .hint("change the order of `for_each`, or leave out `serial`")
            .of(&it.address)
    });
    Err(Errors(errors.collect()))
}
