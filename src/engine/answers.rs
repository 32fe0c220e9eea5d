//! What a playbook's questions about the account are answered, without a plan of the rest.

use super::run::{Engine, Shared};
use crate::base::{Address, Errors, Outputs, Result, World};
use crate::contract::Patience;

impl Engine {
    /// The answer to every question that the playbook has in the section `kind`, in its order.
    ///
    /// # Errors
    /// What could not be looked up, and what is wrong with an answer.
    pub async fn answers(&self, kind: &str) -> Result<Vec<(Address, Outputs)>, Errors> {
        let playbook = self.playbook()?;
        let world = Shared::<World>::default();
        let mut errors = Errors::default();
        let mut answers = Vec::new();
        for (address, declaration) in &playbook.declarations {
            if address.kind != kind {
                continue;
            }
            let scope = self.scope(playbook, declaration, &world, None)?;
            let looked = self
                .kind(kind)?
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
