//! What a playbook's questions about the account are answered, without a plan of the rest.

use super::run::{Engine, Shared};
use crate::base::{Address, Error, Errors, Outputs, Result, World};
use crate::contract::Patience;

impl Engine {
    /// The answer to every question that the playbook has in the section `kind`, in its order.
    ///
    /// # Errors
    /// What could not be looked up, and what is wrong with an answer.
    pub async fn answers(&self, kind: &str) -> Result<Vec<(Address, Outputs)>, Errors> {
        self.answers_to(|address| address.kind == kind).await
    }

    /// The answers that `for_each` waits for.
    ///
    /// # Errors
    /// As [`Self::answers`].
    pub async fn awaited(&self) -> Result<World, Errors> {
        let playbook = self.playbook()?;
        let mut world = World::default();
        for (address, outputs) in self.answers_to(|it| playbook.asks.contains(it)).await? {
            world.know(address, outputs);
        }
        // What it would make must not be taken for what is no longer wanted.
        let mut errors = Errors::default();
        for address in playbook.asks.iter().filter(|it| !world.0.contains_key(it)) {
            let what = format!("`for_each` cannot wait for `{address}`");
            let error = Error::failed(what).hint("let it read only `vars` and `env`");
            errors.push(match playbook.declarations.get(address) {
                Some(declaration) => error.at(&declaration.at),
                None => error,
            });
        }
        errors.into_result(world)
    }

    async fn answers_to(
        &self,
        wanted: impl Fn(&Address) -> bool,
    ) -> Result<Vec<(Address, Outputs)>, Errors> {
        let playbook = self.playbook()?;
        let world = Shared::<World>::default();
        let mut errors = Errors::default();
        let mut answers = Vec::new();
        for (address, declaration) in &playbook.declarations {
            if !wanted(address) {
                continue;
            }
            let scope = self.scope(playbook, declaration, &world, None)?;
            let looked =
                self.kind(&address.kind)?
                    .observe(&self.cx, scope.target(), Patience::Standing);
            let placed = looked
                .await
                .map_err(|error| error.of(address).at(&declaration.at));
            if let Some(Some(found)) = errors.keep(placed) {
                answers.push((address.clone(), found.outputs));
            }
        }
        errors.into_result(answers)
    }
}
