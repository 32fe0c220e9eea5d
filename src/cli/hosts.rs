//! The hosts of a run: where they are, and programs on them.

use super::session::Session;
use crate::base::suggestion::hint;
use crate::base::{Address, Error, Errors, Result};
use crate::contract::Target;
use crate::report::Output;
use crate::resources::hosts::reach::{self, Reach};
use crate::resources::hosts::way::{self, Way};
use crate::ssh;

/// The status of a program that ended without one: by a signal, or with the connection.
const SIGNALLED: i32 = 255;

/// What a program on a host printed, and its exit status.
pub struct Ran {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Session {
    /// Opens a login shell on a host; returns its exit status.
    ///
    /// # Errors
    /// When there is no such host, or it cannot be reached.
    pub async fn shell(&self, host: &str, out: &Output) -> Result<i32, Errors> {
        let destination = match self.way(host).await? {
            Way::Ssh(destination) => destination,
            Way::Ssm(node) => return Err(no_shell(host, &node.name, &node.instance).into()),
        };
        // The terminal is the other program's from here on.
        out.end();
        let keep = self.engine.context().keep.as_ref();
        Ok(ssh::interactive(&destination, keep).await?)
    }

    /// Runs a program on a host, its streams joined to ours; returns its exit status. What Run Command
    /// carries is printed at its end, and reads nothing.
    ///
    /// # Errors
    /// When there is no such host, or it cannot be reached.
    pub async fn join(&self, host: &str, argv: &[String], out: &Output) -> Result<i32, Errors> {
        let way = self.way(host).await?;
        let Way::Ssh(destination) = way else {
            let ran = self.capture(&way, argv).await?;
            out.data(&String::from_utf8_lossy(&ran.stdout));
            out.say(&String::from_utf8_lossy(&ran.stderr));
            return Ok(ran.status);
        };
        // The terminal is the other program's from here on.
        out.end();
        let keep = self.engine.context().keep.as_ref();
        Ok(ssh::exec(&destination, keep, argv).await?)
    }

    /// Where hosts are that are named as `server` or `hosts.server`: an answer for each, by one look
    /// at the account.
    ///
    /// # Errors
    /// When the playbook has no such host, or a listing fails.
    pub async fn ways(&self, hosts: &[String]) -> Result<Vec<Result<Way>>, Errors> {
        let mut errors = Errors::default();
        let named = hosts.iter().map(|host| self.host(host));
        let named: Vec<_> = named.filter_map(|it| errors.keep(it)).collect();
        let addresses = errors.into_result(named)?;
        let folder = &self.engine.context().folder;
        let look = |target: Target<'_>| Ok(reach::of_node(folder, target));
        let reached = self.engine.glance(&addresses, look).await?;
        let answers = addresses.iter().zip(reached);
        Ok(answers
            .map(|(address, reached)| way_of(address, reached?))
            .collect())
    }

    async fn way(&self, host: &str) -> Result<Way, Errors> {
        let answers = self.ways(&[host.to_owned()]).await?;
        match answers.into_iter().next() {
            Some(answer) => Ok(answer?),
            None => Err(Error::failed(format!("`{host}` was not found")).into()),
        }
    }

    /// Runs a program on a host and keeps what it prints.
    ///
    /// # Errors
    /// When the host cannot be reached.
    pub async fn capture(&self, way: &Way, argv: &[String]) -> Result<Ran> {
        let output = way::capture(self.engine.context(), way, argv).await?;
        Ok(Ran {
            status: output.status.unwrap_or(SIGNALLED),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }

    /// The address of a host of the playbook.
    fn host(&self, host: &str) -> Result<Address> {
        let name = host.strip_prefix("hosts.").unwrap_or(host);
        let address = Address::new("hosts", name);
        let playbook = self.engine.playbook()?;
        if playbook.declarations.contains_key(&address) {
            return Ok(address);
        }
        let hosts = playbook
            .declarations
            .keys()
            .filter(|address| address.kind == "hosts");
        let names: Vec<&str> = hosts.map(|address| address.name.as_str()).collect();
        Err(Error::usage(format!("the playbook has no host `{name}`")).hint(hint(name, &names)))
    }
}

fn no_shell(host: &str, name: &str, instance: &str) -> Error {
    Error::usage(format!(
        "{name} is reached by Run Command, which has no login shell"
    ))
    .hint(format!(
        "run single programs by `tidewalk exec {host} -- PROGRAM`, or open a shell with AWS's own \
         client: `aws ssm start-session --target {instance}`"
    ))
}

fn way_of(address: &Address, reached: Reach) -> Result<Way> {
    match reached {
        Reach::At { way, .. } => Ok(way),
        Reach::NotRunning { id, state } => {
            Err(Error::failed(format!("`{address}` is not running"))
                .note(format!("instance `{id}` is {state}")))
        }
        Reach::NotYet => Err(Error::failed(format!("`{address}` does not exist yet"))
            .hint("make it with `tidewalk apply`")),
    }
}
