//! What a playbook costs a month, told offline: with nothing known of other resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::monthly::members;
use crate::base::{Address, Cost, Errors, Node, World};
use crate::contract::{Beside, Kind, Stage};
use crate::playbook::{Facts, Playbook};

/// The monthly cost of all that a playbook declares.
#[derive(Clone, Debug, Default)]
pub struct Bill {
    /// Name of the stack.
    pub stack: String,
    /// AWS region.
    pub region: String,
    /// Every resource, in the order of the file.
    pub lines: Vec<(Address, Cost)>,
    /// The most that it may cost, US dollars a month, as the playbook says.
    pub limit: Option<f64>,
}

impl Bill {
    /// The bill of `playbook` at the list prices of `region`.
    ///
    /// # Errors
    /// Every part of the playbook that cannot be evaluated.
    pub fn of(
        playbook: &Playbook,
        kinds: &[Arc<dyn Kind>],
        facts: &Facts,
        region: &str,
    ) -> Result<Self, Errors> {
        let attached = attached(playbook);
        let mut errors = Errors::default();
        let mut lines = Vec::new();
        for (address, declaration) in &playbook.declarations {
            let mut named = kinds.iter().filter(|kind| kind.name() == address.kind);
            let Some(kind) = named.find(|kind| kind.stage() == Stage::Account) else {
                continue;
            };
            match playbook.evaluate(declaration, &World::default(), facts) {
                Ok(node) => {
                    let spec = |other: &Address| spec_of(playbook, &World::default(), facts, other);
                    let beside = Beside {
                        attached: attached.get(address).map(Vec::as_slice).unwrap_or_default(),
                        spec: &spec,
                    };
                    lines.push((address.clone(), kind.cost(&node, region, &beside)));
                }
                Err(found) => errors.0.extend(found.0),
            }
        }
        let limit = playbook.monthly_limit.as_ref().map(|(usd, _)| *usd);
        errors.into_result(Self {
            stack: playbook.stack.clone(),
            region: region.to_owned(),
            lines,
            limit,
        })
    }

    /// All of it together.
    #[must_use]
    pub fn total(&self) -> Cost {
        self.lines.iter().map(|(_, cost)| cost.clone()).sum()
    }

    /// The bill as a document, version 1.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let total = self.total();
        let lines = self.lines.iter().map(|(address, cost)| {
            let mut line = members(cost);
            line.insert("address".to_owned(), address.to_string().into());
            line.insert("items".to_owned(), items(cost));
            Value::Object(line)
        });
        let mut document = members(&total);
        document.insert("version".to_owned(), 1.into());
        document.insert("stack".to_owned(), self.stack.clone().into());
        document.insert("region".to_owned(), self.region.clone().into());
        document.insert("limit_usd".to_owned(), json!(self.limit));
        document.insert("resources".to_owned(), lines.collect());
        Value::Object(document)
    }
}

fn items(cost: &Cost) -> Value {
    let items = cost.items.iter();
    items
        .map(|(item, usd)| (item.clone(), json!(super::monthly::rounded(*usd))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What the playbook says of a resource, as far as it is known.
pub(super) fn spec_of(
    playbook: &Playbook,
    world: &World,
    facts: &Facts,
    address: &Address,
) -> Option<Node> {
    let declaration = playbook.declarations.get(address)?;
    playbook.evaluate(declaration, world, facts).ok()
}

/// For every address, those that attach themselves to it (an elastic IP to its instance).
pub(super) fn attached(playbook: &Playbook) -> BTreeMap<Address, Vec<Address>> {
    let mut attached: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
    for (address, declaration) in &playbook.declarations {
        let references = declaration.references.iter();
        for reference in references.filter(|reference| reference.attaches) {
            let target = reference.target.clone();
            attached.entry(target).or_default().push(address.clone());
        }
    }
    attached
}
