//! The way to a host: SSH, or AWS's Run Command. The rest of the kind need not know which.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use super::run_command::RunCommand;
use crate::base::{Node, Result};
use crate::contract::Context;
use crate::ssh::session::Patience;
use crate::ssh::transport::Reopen;
use crate::ssh::{Destination, HostKey, Input, Session, Transport, trouble};

/// What carries commands to a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Carrier {
    /// OpenSSH.
    #[default]
    Ssh,
    /// AWS Systems Manager's Run Command, as root. For an `instance` that is a managed node.
    Ssm,
}

/// Where a host is, and by what it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By SSH.
    Ssh(Destination),
    /// By Run Command.
    Ssm(ManagedNode),
}

/// An instance that Run Command reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedNode {
    /// What messages call it: `hosts.server`.
    pub name: String,
    /// Id of the instance.
    pub instance: String,
}

impl Way {
    /// Opens it; `doing` hears why that takes long.
    ///
    /// # Errors
    /// What keeps the host from being reached, and what to do.
    pub(super) async fn open(
        &self,
        cx: &Context,
        patience: Patience,
        doing: &(dyn Fn(&str) + Sync),
    ) -> Result<Arc<dyn Transport>> {
        Ok(match self {
            Self::Ssh(destination) => {
                let keep = cx.keep.as_ref();
                Arc::new(Session::reconnect(destination, keep, patience, doing).await?)
            }
            Self::Ssm(node) => Arc::new(RunCommand::open(cx, node, patience.booting, doing).await?),
        })
    }
}

impl Way {
    /// Another host key is accepted, too: the host's own, which was made on it.
    pub(super) fn accept(&mut self, own: Option<HostKey>) {
        if let Self::Ssh(destination) = self {
            destination.keys.extend(own);
        }
    }
}

/// Another way to a host, which shares nothing with what is open or kept.
pub(super) struct Again<'a> {
    pub(super) cx: &'a Context,
    pub(super) way: &'a Way,
}

#[async_trait]
impl Reopen for Again<'_> {
    async fn open_anew(&self, booting: Duration) -> Result<Arc<dyn Transport>> {
        let patience = Patience {
            booting,
            first_start: false,
        };
        Ok(match self.way {
            Way::Ssh(destination) => {
                Arc::new(Session::connect(destination, patience, &|_| {}).await?)
            }
            Way::Ssm(node) => Arc::new(RunCommand::open(self.cx, node, booting, &|_| {}).await?),
        })
    }
}

/// A host that runs answers within this.
const UP: Duration = Duration::from_secs(15);

/// Runs a program on a host and keeps what it prints.
///
/// # Errors
/// When the host cannot be reached.
pub async fn capture(cx: &Context, way: &Way, argv: &[String]) -> Result<crate::ssh::Output> {
    match way {
        Way::Ssh(destination) => crate::ssh::capture(destination, cx.keep.as_ref(), argv).await,
        Way::Ssm(node) => {
            let host = RunCommand::open(cx, node, UP, &|_| {}).await?;
            let line = crate::ssh::batch::line_of(argv)?;
            host.run(&line, &Input::default(), &mut |_| {}).await
        }
    }
}

/// The host does not answer, or does not let us in yet.
pub(super) fn is_not_up(error: &crate::base::Error) -> bool {
    [trouble::NO_ANSWER, trouble::LOGIN_REFUSED]
        .map(Some)
        .contains(&error.service_code())
}

/// What of a spec belongs to SSH alone.
pub(super) fn of_ssh_alone(node: &Node) -> Option<(&'static str, &Node)> {
    let keys = ["user", "port", "identity", "jump", "jump_host_key"];
    keys.into_iter()
        .find_map(|key| Some((key, node.entry(key)?)))
}
