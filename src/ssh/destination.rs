//! Where to connect, as what, and which host keys are accepted; and that as OpenSSH configuration.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::HostKey;
use crate::base::{Error, Result, ResultExt};

/// The name that host keys are filed under, whatever the address is.
pub(super) const ALIAS: &str = "tidewalk-host";

/// A host that can be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// What messages call it: `hosts.server`.
    pub name: String,
    /// IP address or host name.
    pub address: String,
    /// Login; what the user's own ssh configuration says when not given.
    pub user: Option<String>,
    /// Port; 22 or what the user's own ssh configuration says when not given.
    pub port: Option<u16>,
    /// Path of the private key; agent and ssh configuration when not given.
    pub identity: Option<PathBuf>,
    /// The way there.
    pub jump: Option<Jump>,
    /// The host keys that are accepted, and no others.
    pub keys: Vec<HostKey>,
}

/// Hosts to go through, in `ProxyJump` notation (`user@host:port`, several with commas).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    /// The hosts.
    pub hosts: String,
    /// The last one's host keys; empty: those the user's own `known_hosts` has.
    pub keys: Vec<HostKey>,
    /// Path of the private key for it.
    pub identity: Option<PathBuf>,
}

impl Destination {
    /// The address with the login, for messages.
    #[must_use]
    pub fn login(&self) -> String {
        match &self.user {
            Some(user) => format!("{user}@{}", self.address),
            None => self.address.clone(),
        }
    }

    /// Writes the configuration for `ssh -F` and what it refers to into `folder`, a private one;
    /// returns its path.
    ///
    /// # Errors
    /// When a file cannot be written, or a value cannot stand in such a file.
    pub fn write_config(&self, folder: &Path) -> Result<PathBuf> {
        plain(&self.address)?;
        let known_hosts = folder.join("known_hosts");
        write_keys(&known_hosts, ALIAS, &self.keys)?;
        let mut text = format!("Host {}\n", self.address);
        let mut say = |key: &str, value: &str| {
            let _ = writeln!(text, "  {key} {value}");
        };
        say("HostKeyAlias", ALIAS);
        say("UserKnownHostsFile", &quoted_path(&known_hosts)?);
        say("GlobalKnownHostsFile", "/dev/null");
        say("KnownHostsCommand", "none");
        for (key, value) in GUARDED {
            say(key, value);
        }
        if let Some(user) = &self.user {
            say("User", plain(user)?);
        }
        if let Some(port) = self.port {
            say("Port", &port.to_string());
        }
        if let Some(identity) = &self.identity {
            say("IdentityFile", &quoted_path(identity)?);
            say("IdentitiesOnly", "yes");
        }
        if let Some(jump) = &self.jump {
            say("ProxyCommand", &jump.write_config(folder)?);
        }
        let config = folder.join("config");
        write_private(&config, &with_own_configuration(text))?;
        Ok(config)
    }
}

/// Options that the user's own configuration must not undo.
const GUARDED: [(&str, &str); 12] = [
    ("StrictHostKeyChecking", "yes"),
    ("VerifyHostKeyDNS", "no"),
    ("UpdateHostKeys", "no"),
    ("CheckHostIP", "no"),
    ("ConnectTimeout", "10"),
    ("ServerAliveInterval", "15"),
    ("ServerAliveCountMax", "4"),
    ("ForwardAgent", "no"),
    ("ForwardX11", "no"),
    ("ClearAllForwardings", "yes"),
    ("PermitLocalCommand", "no"),
    ("RemoteCommand", "none"),
];

impl Jump {
    /// Writes the configuration of the way, and returns the `ProxyCommand` that goes it.
    fn write_config(&self, folder: &Path) -> Result<String> {
        let (before, last) = match self.hosts.rsplit_once(',') {
            Some((before, last)) => (Some(before), last),
            None => (None, self.hosts.as_str()),
        };
        let (user, rest) = match last.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, last),
        };
        let (host, port) = host_and_port(rest);
        let mut text = format!("Host {}\n", plain(host)?);
        let mut say = |key: &str, value: &str| {
            let _ = writeln!(text, "  {key} {value}");
        };
        for (key, value) in GUARDED {
            say(key, value);
        }
        say("BatchMode", "yes");
        if !self.keys.is_empty() {
            let known_hosts = folder.join("jump_known_hosts");
            write_keys(&known_hosts, "tidewalk-jump", &self.keys)?;
            say("HostKeyAlias", "tidewalk-jump");
            say("UserKnownHostsFile", &quoted_path(&known_hosts)?);
            say("GlobalKnownHostsFile", "/dev/null");
        }
        if let Some(user) = user {
            say("User", plain(user)?);
        }
        if let Some(port) = port {
            say("Port", plain(port)?);
        }
        if let Some(identity) = &self.identity {
            say("IdentityFile", &quoted_path(identity)?);
            say("IdentitiesOnly", "yes");
        }
        if let Some(before) = before {
            say("ProxyJump", plain(before)?);
        }
        let config = folder.join("jump_config");
        write_private(&config, &with_own_configuration(text))?;
        Ok(format!(
            "ssh -F {} -E {} -W [%h]:%p {host}",
            quoted_path(&config)?,
            quoted_path(&folder.join("jump_log"))?
        ))
    }
}

/// Splits `host:port`, where the host may be an IPv6 address in brackets.
fn host_and_port(text: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (text, None),
    }
}

/// Lets the user's own ssh configuration speak after ours: the first value wins in OpenSSH.
fn with_own_configuration(text: String) -> String {
    text + "Host *\n  Include ~/.ssh/config\n  Include /etc/ssh/ssh_config\n"
}

/// A word that needs no quotes in a configuration file or after `ssh`.
fn plain(word: &str) -> Result<&str> {
    let odd = |c: char| !(c.is_alphanumeric() || "._-@:,[]%+\\".contains(c));
    if word.is_empty() || word.starts_with('-') || word.contains(odd) {
        return Err(Error::failed(format!(
            "`{word}` cannot be a host, user or port for ssh"
        )));
    }
    Ok(word)
}

/// A path as a word of a configuration file.
fn quoted_path(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(text) if !text.contains(['"', '\n', '\\', '$', '`']) => {
            Ok(format!("\"{}\"", text.replace('%', "%%")))
        }
        _ => Err(Error::failed(format!(
            "the path `{}` cannot be given to ssh",
            path.display()
        ))),
    }
}

fn write_keys(path: &Path, alias: &str, keys: &[HostKey]) -> Result<()> {
    let lines = keys.iter().fold(String::new(), |mut lines, key| {
        let _ = writeln!(lines, "{alias} {key}");
        lines
    });
    write_private(path, &lines)
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).context(format!("writing `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        assert_eq!(host_and_port("a.example"), ("a.example", None));
        assert_eq!(host_and_port("10.0.0.1:2222"), ("10.0.0.1", Some("2222")));
        assert_eq!(host_and_port("[fe80::1]:22"), ("fe80::1", Some("22")));
        assert_eq!(host_and_port("fe80::1"), ("fe80::1", None));
    }

    #[test]
    fn words_that_could_be_options_or_shell_are_refused() {
        for bad in ["-oProxyCommand=x", "a b", "a;b", "", "a\nUser x"] {
            assert!(plain(bad).is_err(), "{bad:?}");
        }
        assert!(plain("ubuntu").is_ok());
    }
}
