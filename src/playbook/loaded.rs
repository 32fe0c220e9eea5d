//! A loaded playbook: what it declares, and how to evaluate it against what is known.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::declaration::Declaration;
use super::declare;
use super::expression::{Expressions, Findings};
use super::scope::{Fact, Scope};
use super::setups;
use super::types::Types;
use crate::base::{Address, Blob, Errors, Known, Location, Node, Result, World};

/// A playbook that loaded without errors.
pub struct Playbook {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Its folder; relative paths in it start here.
    pub folder: PathBuf,
    /// Name of the stack.
    pub stack: String,
    /// The only AWS account that it may be applied to.
    pub account: Option<String>,
    /// AWS region.
    pub region: Option<String>,
    /// Tags for everything that can carry tags.
    pub tags: BTreeMap<String, String>,
    /// How long the stack may live unless its lease is renewed.
    pub lease: Option<Duration>,
    /// The most resources of a kind that it may have, and where that is written.
    pub limits: BTreeMap<String, (u64, Location)>,
    /// The most that it may cost, US dollars a month, and where that is written.
    pub monthly_limit: Option<(f64, Location)>,
    /// What it tells about itself after a run; not evaluated.
    pub outputs: IndexMap<String, Node>,
    /// Everything it declares, in the order it was written.
    pub declarations: IndexMap<Address, Declaration>,
    /// Questions about the account that `for_each` depends on and that are not answered yet: what it
    /// makes is left out. Ask them, and load it again with the answers.
    pub asks: Vec<Address>,
    pub(super) expressions: Expressions,
    pub(super) scope: Scope,
    pub(super) types: BTreeMap<String, Types>,
}

/// What is known of the run when expressions are evaluated.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// AWS region.
    pub region: Option<String>,
    /// AWS account number.
    pub account: Option<String>,
}

impl Playbook {
    /// A declaration's spec with its expressions evaluated; what reads outputs that are not known
    /// is [`Value::AfterApply`](crate::base::Value::AfterApply).
    ///
    /// # Errors
    /// Every part that cannot be evaluated or does not fit the section's schema.
    pub fn evaluate(
        &self,
        declaration: &Declaration,
        world: &World,
        facts: &Facts,
    ) -> Result<Node, Errors> {
        let targets = declaration
            .references
            .iter()
            .map(|reference| &reference.target);
        let scope = Arc::new(self.scope_of(Some(declaration), known(targets, world), facts));
        let mut findings = Findings::default();
        let node = match self.types.get(&declaration.address.kind) {
            Some(types) => {
                let (body, setups) = (&declaration.body, &declaration.setups);
                let expressions = &self.expressions;
                let evaluated =
                    setups::evaluate(expressions, types, body, setups, &scope, &mut findings);
                if findings.errors.0.is_empty() {
                    let misfits = types.check(&evaluated.node, &declaration.at);
                    findings.errors.0.extend(misfits);
                }
                evaluated.node
            }
            None => self
                .expressions
                .evaluate(&declaration.body, &scope, &mut findings),
        };
        of(findings.errors, &declaration.address).into_result(node)
    }

    /// The playbook's outputs, evaluated.
    ///
    /// # Errors
    /// Every output that cannot be evaluated.
    pub fn evaluate_outputs(
        &self,
        world: &World,
        facts: &Facts,
    ) -> Result<IndexMap<String, Node>, Errors> {
        let scope = Arc::new(self.scope_of(None, world.0.clone(), facts));
        let mut errors = Errors::default();
        let mut outputs = IndexMap::new();
        for (name, node) in &self.outputs {
            match self.expressions.value(node, &scope) {
                Ok(node) => drop(outputs.insert(name.clone(), node)),
                Err(wrong) => errors.0.extend(wrong.0),
            }
        }
        errors.into_result(outputs)
    }

    /// Renders the template file `source` in the scope of a declaration, with `extra` (a JSON
    /// object) laid over it; its `vars` are laid over the playbook's one by one. A text node, or
    /// one known only after apply; secret when a secret went into it.
    ///
    /// # Errors
    /// A playbook error with its place in the template.
    pub fn render_template(
        &self,
        declaration: &Declaration,
        world: &World,
        facts: &Facts,
        source: &Node,
        extra: &Json,
    ) -> Result<Node> {
        let mut scope = self.scope_of(Some(declaration), BTreeMap::new(), facts);
        let found = self.expressions.template_references(source, &scope, extra);
        // What a setup's variables were made from, too.
        let all = declaration.references.iter().chain(&found.references);
        scope.known = Arc::new(known(all.map(|reference| &reference.target), world));
        let scope = Arc::new(scope);
        let mut findings = Findings::default();
        let scope = match declaration.setups.iter().find(|it| it.wrote(&source.at)) {
            Some(setup) => setup.scope(&self.expressions, &scope, &mut findings),
            None => scope,
        };
        if let Some(error) = findings.errors.0.into_iter().next() {
            return Err(error.of(&declaration.address));
        }
        self.expressions
            .render(source, &scope, extra)
            .map_err(|error| error.of(&declaration.address))
    }

    /// The bytes of the file that `source` names: beside the file in which it is written, in the
    /// playbook's folder, in `templates/` or `files/` of either, or bundled in the binary.
    ///
    /// # Errors
    /// A playbook error at `source` when there is no such file.
    pub fn file(&self, source: &Node) -> Result<Blob> {
        let name = source.as_text().unwrap_or_default();
        self.expressions
            .files
            .read(name, &source.at)
            .map(|(_, bytes)| bytes)
    }

    fn scope_of(
        &self,
        declaration: Option<&Declaration>,
        known: BTreeMap<Address, Known>,
        facts: &Facts,
    ) -> Scope {
        let mut scope = self.scope.clone();
        if let Some(region) = &facts.region {
            scope.region = Fact::Known(region.clone());
        }
        if let Some(account) = &facts.account {
            scope.account = Fact::Known(account.clone());
        }
        scope.each =
            declaration.and_then(|declaration| declaration.each.as_ref().map(declare::given));
        scope.known = Arc::new(known);
        scope
    }
}

fn known<'a>(
    targets: impl Iterator<Item = &'a Address>,
    world: &World,
) -> BTreeMap<Address, Known> {
    targets
        .filter_map(|target| Some((target.clone(), world.0.get(target)?.clone())))
        .collect()
}

fn of(errors: Errors, address: &Address) -> Errors {
    Errors(
        errors
            .0
            .into_iter()
            .map(|error| error.of(address))
            .collect(),
    )
}
