//! Where a declared host is: from its spec and from what is known of its instance.

use std::path::{Path, PathBuf};

use super::way::{Carrier, ManagedNode, Way, of_ssh_alone};
use super::{Host, bootstrap};
use crate::base::{Address, Error, Node, Result};
use crate::contract::Target;
use crate::resources::checks::Check;
use crate::ssh::{Destination, HostKey, Jump, Pins};

/// Where a host is.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one")]
pub enum Reach {
    /// Its instance does not exist yet, or has no address.
    NotYet,
    /// Its instance is stopped, stopping or starting again.
    NotRunning {
        /// Id of the instance.
        id: String,
        /// What EC2 calls its state.
        state: String,
    },
    /// It can be connected to.
    At {
        /// Where, as whom, by what.
        way: Way,
        /// IP address or host name.
        address: String,
        /// What its host key may be; nobody need know that of a host that SSH does not reach.
        pins: Option<Pins>,
        /// Id of the instance; the address of a host outside AWS.
        id: String,
    },
}

/// Where a declared host is, by its evaluated node: for commands that only connect.
///
/// # Errors
/// A playbook error; that nobody connects to the host.
pub fn of_node(folder: &Path, target: Target<'_>) -> Result<Reach> {
    match super::spec(target.node)? {
        Some(spec) if spec.bootstrap.is_some() => {
            let text = format!(
                "{} stands for machines that configure themselves",
                target.address
            );
            Err(Error::failed(text)
                .hint(
                    "to connect to them, find them by `inventory`, and declare hosts with \
                     `instance: \"{{ each.key }}\"`",
                )
                .at(target.at))
        }
        Some(spec) => reach(folder, &spec, target),
        None => Ok(Reach::NotYet),
    }
}

/// Where a host is.
///
/// # Errors
/// A playbook error, or a tag that holds no host key.
pub(super) fn reach(folder: &Path, spec: &Host, target: Target<'_>) -> Result<Reach> {
    let place = |key: &str| target.node.entry(key).map_or(target.at, |node| &node.at);
    let (address, pins, id) = match (&spec.instance, &spec.address) {
        (Some(name), _) => {
            let instance = Address::new("instances", name);
            let output = |key: &str| {
                let value = target.world.output(&instance, key)?;
                value.as_str().filter(|text| !text.is_empty())
            };
            let (Some(id), Some(state)) = (output("id"), output("state")) else {
                return Ok(Reach::NotYet);
            };
            if !["running", "pending"].contains(&state) {
                return Ok(Reach::NotRunning {
                    id: id.to_owned(),
                    state: state.to_owned(),
                });
            }
            let elastic = elastic_ip(target, id);
            let address = elastic
                .or_else(|| output("public_ip"))
                .or_else(|| output("private_ip"));
            let Some(address) = address else {
                return Ok(Reach::NotYet);
            };
            let key = match (output("host_key"), spec.transport) {
                (None, Carrier::Ssh) => return Err(unknown_key(name, id, target)),
                (key, _) => key.map(pins).transpose(),
            };
            (
                address,
                key.map_err(|error| error.at(place("instance")))?,
                id,
            )
        }
        (None, Some(address)) => {
            let key = spec.host_key.as_deref().unwrap_or_default();
            let pins = pins(key).map_err(|error| error.at(place("host_key")))?;
            (address.as_str(), Some(pins), address.as_str())
        }
        (None, None) => return Ok(Reach::NotYet),
    };
    let found = |way: Way| Reach::At {
        way,
        address: address.to_owned(),
        pins: pins.clone(),
        id: id.to_owned(),
    };
    if spec.transport == Carrier::Ssm {
        return Ok(found(Way::Ssm(ManagedNode {
            name: target.address.to_string(),
            instance: id.to_owned(),
        })));
    }
    let keys = pins.as_ref().map(Pins::keys).unwrap_or_default();
    let identity = spec.identity.as_ref().map(|path| local_path(folder, path));
    if let Some(path) = &identity {
        usable(path).map_err(|error| error.at(place("identity")))?;
    }
    let jump = match &spec.jump {
        None => None,
        Some(hosts) => Some(Jump {
            hosts: hosts.clone(),
            keys: jump_keys(spec).map_err(|error| error.at(place("jump_host_key")))?,
            identity: identity.clone(),
        }),
    };
    Ok(found(Way::Ssh(Destination {
        name: target.address.to_string(),
        address: address.to_owned(),
        user: spec.user.clone(),
        port: spec.port,
        identity,
        jump,
        keys,
    })))
}

fn pins(text: &str) -> Result<Pins> {
    text.parse()
}

fn jump_keys(spec: &Host) -> Result<Vec<HostKey>> {
    match &spec.jump_host_key {
        Some(text) => Ok(pins(text)?.keys()),
        None => Ok(Vec::new()),
    }
}

/// The elastic IP that is associated with an instance, if the playbook knows one.
fn elastic_ip<'a>(target: Target<'a>, id: &str) -> Option<&'a str> {
    let elastic = |address: &&Address| address.kind == "elastic_ips";
    target.world.0.keys().filter(elastic).find_map(|address| {
        let output = |key: &str| {
            target
                .world
                .output(address, key)
                .and_then(|value| value.as_str())
        };
        (output("instance_id") == Some(id)).then(|| output("public_ip"))?
    })
}

fn unknown_key(name: &str, id: &str, target: Target<'_>) -> Error {
    Error::failed(format!(
        "the host key of instances.{name} ({id}) is not known: it has no tag `tidewalk:host-key`"
    ))
    .hint(format!(
        "compare the fingerprint in `aws ec2 get-console-output --instance-id {id}` and tag the \
         instance with `tidewalk:host-key` = `ssh-ed25519 AAAA…`, or let tidewalk make the instance"
    ))
    .at(target.at)
}

/// `~/` is the home folder; a relative path starts at the playbook's folder.
pub(super) fn local_path(folder: &Path, text: &str) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (text.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => folder.join(text),
    }
}

/// The private key is there, or its public half, by which an ssh agent is asked.
fn usable(path: &Path) -> Result<()> {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    if path.exists() || Path::new(&public).exists() {
        return Ok(());
    }
    let text = format!("the private key `{}` is not there", path.display());
    Err(Error::failed(text)
        .hint("copy it here from the machine that it was made on, or name another in `identity`"))
}

/// What is wrong with where a host is said to be, offline.
pub(super) fn check(spec: &Host, node: &Node) -> Vec<Error> {
    let place = |key: &str| node.entry(key).map_or(&node.at, |node| &node.at);
    let mut errors = bootstrap::check(spec, node);
    if spec.bootstrap.is_some() {
        return errors;
    }
    match (&spec.instance, &spec.address) {
        (Some(_), Some(_)) => errors.push(Error::playbook(
            "give `instance` or `address`, not both",
            place("address"),
        )),
        (None, None) => errors.push(
            Error::playbook("where is it? give `instance` or `address`", &node.at)
                .hint("such as `instance: server`"),
        ),
        (None, Some(address)) if spec.host_key.is_none() => {
            errors.push(without_key(spec, address, place("address")));
        }
        (Some(_), None) if spec.host_key.is_some() => errors.push(Error::playbook(
            "the host key of an instance is in its tags, not in the playbook",
            place("host_key"),
        )),
        _ => {}
    }
    for key in ["host_key", "jump_host_key"] {
        let text = node.entry(key).and_then(Node::as_text);
        if let Some(Err(error)) = text.map(pins) {
            let error = Error::playbook(error.message(), place(key));
            errors.push(error.hint("such as `ssh-ed25519 AAAA…`"));
        }
    }
    if let Some((key, text)) = spec.healthy.as_ref().and_then(Check::problem) {
        let node = node.entry("healthy").unwrap_or(node);
        errors.push(Error::playbook(text, &node.entry(key).unwrap_or(node).at));
    }
    if spec.jump_host_key.is_some() && spec.jump.is_none() {
        let text = "`jump_host_key` belongs to `jump`";
        errors.push(Error::playbook(text, place("jump_host_key")));
    }
    if spec.transport == Carrier::Ssm {
        errors.extend(check_managed(spec, node));
    }
    errors
}

fn check_managed(spec: &Host, node: &Node) -> Vec<Error> {
    let place = |key: &str| node.entry(key).map_or(&node.at, |node| &node.at);
    let mut errors = Vec::new();
    if spec.instance.is_none() {
        let text = "`transport: ssm` reaches instances only: give `instance`";
        errors.push(Error::playbook(text, place("transport")));
    }
    if let Some((key, given)) = of_ssh_alone(node) {
        let text = format!("`{key}` belongs to `transport: ssh`");
        errors.push(Error::playbook(text, &given.at));
    }
    if !spec.sudo {
        let text = "AWS's agent is root: `sudo: false` belongs to `transport: ssh`";
        errors.push(Error::playbook(text, place("sudo")));
    }
    errors
}

fn without_key(spec: &Host, address: &str, at: &crate::base::Location) -> Error {
    let port = spec
        .port
        .map_or(String::new(), |port| format!("-p {port} "));
    Error::playbook(
        "a host outside AWS needs its `host_key`: a key that nobody has checked is not trusted",
        at,
    )
    .hint(format!(
        "`ssh-keyscan -t ed25519 {port}{address}` prints it; compare it with \
         `cat /etc/ssh/ssh_host_ed25519_key.pub` on the host's console, then set `host_key`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_there_or_an_agent_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("id");
        assert!(usable(&key).unwrap_err().message().contains("is not there"));
        std::fs::write(folder.path().join("id.pub"), "").unwrap();
        assert!(usable(&key).is_ok());
    }
}
