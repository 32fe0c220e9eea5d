//! Takes the identity off a running machine while it is baked, and gives it back.
//!
//! What is taken off waits in `/run`, which is memory: no image has it. A run that is killed in
//! between leaves it there, and the next bake goes on with it; a restart of the machine in between
//! makes it another one, whose host key is then refused.

use std::sync::Arc;

use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::hosts::open;
use crate::resources::reference::HostName;
use crate::ssh::batch::Run;
use crate::ssh::{Batch, Command, Transport};

/// Host keys, machine id and the state of cloud-init go, so that each machine makes its own.
const CLEAN: &str = r"
set -e
umask 077
kept=/run/tidewalk-bake
if [ ! -d $kept ]; then
  rm -rf $kept.new
  mkdir -p $kept.new/ssh
  cp -p /etc/ssh/ssh_host_* $kept.new/ssh/
  cp -p /etc/machine-id $kept.new/machine-id
  if [ -d /var/lib/cloud ]; then cp -a /var/lib/cloud $kept.new/cloud; fi
  mv $kept.new $kept
fi
rm -f /etc/ssh/ssh_host_*
: > /etc/machine-id
if [ -f /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ]; then
  rm -f /var/lib/dbus/machine-id
fi
if [ -d /var/lib/cloud ]; then find /var/lib/cloud -mindepth 1 -delete; fi
rm -f /var/lib/systemd/random-seed
sync
";

const RESTORE: &str = r"
set -e
kept=/run/tidewalk-bake
[ -d $kept ] || exit 0
cp -p $kept/ssh/ssh_host_* /etc/ssh/
cat $kept/machine-id > /etc/machine-id
if [ -d $kept/cloud ]; then cp -a $kept/cloud/. /var/lib/cloud/; fi
rm -rf $kept
sync
";

/// The host that is baked, with its open connection.
pub(super) struct Host {
    session: Arc<dyn Transport>,
    sudo: bool,
}

impl Host {
    /// The host of that name, which must be the instance.
    pub(super) fn of(
        cx: &Context,
        target: Target<'_>,
        name: &HostName,
        instance: &str,
    ) -> Result<Self> {
        let at = target.node.entry("host").map_or(target.at, |it| &it.at);
        if target.world.id("hosts", &name.0) != Some(instance) {
            let text = format!("host `{}` is not the instance that is baked", name.0);
            return Err(Error::playbook(text, at));
        }
        let (session, sudo) = open::connection(cx, &name.0).ok_or_else(|| {
            let text = format!("this run has no connection to host `{}`", name.0);
            Error::failed(text).at(at).hint("run it without `--only`")
        })?;
        Ok(Self { session, sudo })
    }

    pub(super) async fn clean(&self) -> Result<()> {
        self.run(CLEAN, "taking the identity off").await
    }

    pub(super) async fn restore(&self) -> Result<()> {
        self.run(RESTORE, "giving the identity back").await
    }

    async fn run(&self, script: &str, doing: &str) -> Result<()> {
        let batch = Batch {
            prelude: "".into(),
            sudo: self.sudo,
            lock: true,
            commands: vec![(Run::Step, Command::new(["sh", "-c", script]))],
        };
        let outcomes = self.session.batch(&batch, |_| {}).await?;
        match outcomes.first() {
            Some(outcome) if outcome.status == Some(0) => Ok(()),
            Some(outcome) => Err(Error::failed(format!(
                "{doing}: {}",
                String::from_utf8_lossy(&outcome.stderr).trim()
            ))),
            None => Err(Error::failed(format!("{doing}: no answer"))),
        }
    }
}
