//! What the stack has left on things that stay when it goes: on a host outside AWS, or on one whose
//! instance is kept.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use futures::stream;

use super::run::{Engine, Shared};
use super::survey::Survey;
use super::{Action, Step};
use crate::base::{Address, Errors, Known, World};
use crate::contract::{Found, Stage};
use crate::playbook::{Declaration, Playbook};

/// What was seen of them.
#[derive(Default)]
pub(super) struct Remains {
    /// Those that hold something of the stack.
    pub(super) found: BTreeMap<Address, Found>,
    /// Those that could not be looked at.
    pub(super) unread: Vec<Step>,
}

impl Engine {
    /// Looks at all that stays, of the addresses that are `chosen`.
    pub(super) async fn remains(
        &self,
        survey: &Survey,
        kept: &BTreeMap<Address, String>,
        chosen: impl Fn(&Address) -> bool,
    ) -> Remains {
        let mut remains = Remains::default();
        let Some(playbook) = &self.playbook else {
            return remains;
        };
        let goes =
            |address: &Address| survey.owned.contains_key(address) && !kept.contains_key(address);
        let stays = |it: &&Declaration| {
            let mut on = it.references.iter().map(|reference| &reference.target);
            self.stage(&it.address) == Stage::Upon && chosen(&it.address) && !on.any(&goes)
        };
        let mut world = World::default();
        for (address, outputs) in &survey.external {
            world.know(address.clone(), outputs.clone());
        }
        for (address, found) in &survey.owned {
            let outputs = Some(found.outputs.clone());
            world.0.insert(
                address.clone(),
                Known {
                    outputs,
                    ..Known::default()
                },
            );
        }
        let world = &Shared::new(world);
        let looks = playbook.declarations.values().filter(stays);
        let looks = looks.map(|it| async move {
            let seen = self.remains_on(playbook, it, world).await;
            (it, seen)
        });
        let mut seen = stream::iter(looks).buffer_unordered(self.options.parallelism.max(1));
        while let Some((declaration, seen)) = seen.next().await {
            let address = &declaration.address;
            match seen {
                Ok(found) => remains.found.extend(found.map(|it| (address.clone(), it))),
                Err(errors) => {
                    let mut step = Step::new(address.clone(), Action::Unread);
                    step.at = Some(declaration.at.clone());
                    let first = errors.0.into_iter().next();
                    step.unread = first.map(|error| error.of(address).at(&declaration.at));
                    remains.unread.push(step);
                }
            }
        }
        remains
    }

    async fn remains_on(
        &self,
        playbook: &Playbook,
        declaration: &Declaration,
        world: &Shared<World>,
    ) -> Result<Option<Found>, Errors> {
        let kind = self.kind(&declaration.address.kind)?;
        let scope = self.scope(playbook, declaration, world, None)?;
        Ok(kind.remains(&self.cx, scope.target()).await?)
    }
}
