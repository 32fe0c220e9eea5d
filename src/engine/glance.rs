//! A look at declared resources with everything that is there, without planning anything.

use super::run::{Engine, Shared};
use crate::base::{Address, Error, Errors, World};
use crate::contract::Target;

impl Engine {
    /// Looks at the account, then calls `work` for each address with its spec evaluated by what is
    /// there.
    ///
    /// # Errors
    /// Every listing that failed, every address that is not declared, and what `work` says.
    pub async fn glance<R>(
        &self,
        addresses: &[Address],
        work: impl Fn(Target<'_>) -> Result<R, Error>,
    ) -> Result<Vec<R>, Errors> {
        let playbook = self.playbook()?;
        let survey = self.look().await?;
        let mut world = World::default();
        for (address, found) in &survey.owned {
            world.know(address.clone(), found.outputs.clone());
        }
        for (address, outputs) in &survey.external {
            world.know(address.clone(), outputs.clone());
        }
        let world = Shared::new(world);
        let mut errors = Errors::default();
        let mut results = Vec::new();
        for address in addresses {
            let Some(declaration) = playbook.declarations.get(address) else {
                errors.push(Error::usage(format!("`{address}` is not in the playbook")));
                continue;
            };
            match self.scope(playbook, declaration, &world, survey.owned.get(address)) {
                Ok(scope) => results.extend(errors.keep(work(scope.target()))),
                Err(found) => errors.0.extend(found.0),
            }
        }
        errors.into_result(results)
    }
}
