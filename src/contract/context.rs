//! What a kind is given to work with: the stack's facts, AWS clients, progress, and its target.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::aws::{Clients, Tags};
use crate::base::{Address, Blob, Location, Node, Result, World};
use crate::ssh::Keep;

/// The surroundings of one run, the same for every resource. Always named `cx`, always first.
#[derive(Clone)]
pub struct Context {
    /// Name of the stack; written on everything it owns.
    pub stack: String,
    /// AWS region, such as `eu-west-1`; empty in a run that needs no account.
    pub region: String,
    /// AWS account number, as STS reports it; empty in a run that needs none.
    pub account: String,
    /// The playbook's own `tags:`, for every resource that can carry tags.
    pub tags: BTreeMap<String, String>,
    /// When the stack's lease ends (RFC 3339), if it has one.
    pub lease_until: Option<String>,
    /// The playbook's folder; relative paths in it start here.
    pub folder: PathBuf,
    /// The folder for what tidewalk keeps locally (`.tidewalk`): journal, control sockets.
    pub local: PathBuf,
    /// AWS clients.
    pub aws: Clients,
    /// Leave to keep connections to hosts for later runs, if the user gave it.
    pub keep: Option<Keep>,
    /// Where to say what is going on.
    pub progress: Arc<dyn Progress>,
}

impl Context {
    /// The run has to do with an AWS account.
    #[must_use]
    pub fn has_account(&self) -> bool {
        !self.account.is_empty()
    }
}

/// Receives one-line news of long work. Implementations must be quick.
pub trait Progress: Send + Sync {
    /// What is being done for a resource now: ``waiting for `running` ``.
    fn doing(&self, address: &Address, what: &str);

    /// What is to be known afterwards, too.
    fn note(&self, _text: &str) {}
}

/// One declared resource as a kind sees it, beside its own typed spec.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// Its address.
    pub address: &'a Address,
    /// Where the playbook declares it.
    pub at: &'a Location,
    /// The evaluated spec, with places; parts may be known only after apply during a plan.
    pub node: &'a Node,
    /// The others as they are at present: typed references resolve here. Missing are those that do
    /// not exist yet or are to be made anew.
    pub world: &'a World,
    /// The tags it should carry: the playbook's, its own, and the ownership tags.
    pub tags: &'a Tags,
    /// Renders template files with the playbook's variables and the outputs known now.
    pub render: &'a dyn Render,
}

/// Renders templates in the playbook's scope.
pub trait Render: Send + Sync {
    /// Renders the template file `source`, found as [`Render::file`] finds it, with `extra`
    /// (a JSON object) laid over the playbook's scope. The result is a text node, or one known
    /// only after apply; it is marked secret when a secret went into it.
    ///
    /// # Errors
    /// A playbook error with its place in the template.
    fn template(&self, source: &Node, extra: &serde_json::Value) -> Result<Node>;

    /// The bytes of a file named in the playbook: relative to the playbook's folder, its
    /// `templates/` or `files/`, or bundled in the binary.
    ///
    /// # Errors
    /// A playbook error at `source` when there is no such file.
    fn file(&self, source: &Node) -> Result<Blob>;
}
