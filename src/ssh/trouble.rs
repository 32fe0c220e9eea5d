//! What OpenSSH's log says, turned into an error that says what to do.

use super::Destination;
use super::destination::ALIAS;
use crate::base::Error;

/// Code of the error of a host that does not answer.
pub const NO_ANSWER: &str = "NoAnswer";
/// Code of the error of a host that does not let us in.
pub const LOGIN_REFUSED: &str = "LoginRefused";

/// A connection that did not come about.
#[derive(Debug)]
pub struct Trouble {
    /// What to tell the user.
    pub error: Error,
    /// Whether it may pass by itself while a host boots.
    pub passing: Passing,
}

/// Whether trouble may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// Yes, for any host that is starting.
    WhileBooting,
    /// Only at a host's very first start, until its login and key are in place.
    WhileInstalling,
    /// No.
    Never,
}

/// Reads `ssh`'s log.
#[must_use]
pub fn explain(destination: &Destination, log: &str) -> Trouble {
    let name = &destination.name;
    let login = match &destination.jump {
        Some(jump) => format!("{} by way of {}", destination.login(), jump.hosts),
        None => destination.login(),
    };
    let last = log
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty() && !line.starts_with("Connection closed by UNKNOWN"))
        .unwrap_or("ssh said nothing");
    let has = |needles: &[&str]| needles.iter().any(|needle| log.contains(needle));
    let failed = |text: &str| Error::failed(format!("connecting to {name} ({login}): {text}"));
    let refused = || failed("the host refused the login").code(LOGIN_REFUSED);

    if has(&[
        &format!("{ALIAS} has changed"),
        &format!("key is known for {ALIAS} "),
    ]) {
        return Trouble {
            error: wrong_key(destination, log),
            passing: Passing::WhileInstalling,
        };
    }
    if has(&["Host key verification failed"]) {
        return Trouble {
            error: failed("the jump host's key could not be verified")
                .note(log.lines().next().unwrap_or(last).trim())
                .hint("give it as `jump_host_key`, or connect to the jump host once with `ssh`"),
            passing: Passing::Never,
        };
    }
    if has(&[
        "Permission denied",
        "Too many authentication failures",
        "No more authentication",
    ]) {
        return Trouble {
            error: refused_login(destination, refused(), log),
            passing: Passing::WhileInstalling,
        };
    }
    if has(&["Could not resolve hostname"]) {
        return Trouble {
            error: failed(last).hint("check the address"),
            passing: Passing::Never,
        };
    }
    if has(&["timed out", "Timeout"]) {
        return Trouble {
            error: failed("no answer").code(NO_ANSWER).note(last).hint(
                "does a security group let this machine's address in on the SSH port, and has the \
                 host a public address?",
            ),
            passing: Passing::WhileBooting,
        };
    }
    let boots = [
        "Connection refused",
        "Connection reset",
        "Connection closed",
        "No route to host",
        "Network is unreachable",
        "kex_exchange_identification",
        "Broken pipe",
        "System is booting up",
        "Not allowed at this time",
    ];
    if has(&boots) {
        return Trouble {
            error: failed(last).code(NO_ANSWER).hint(
                "is it still starting, and is this the port of its SSH server? An instance that \
                     is lost is made anew by `tidewalk destroy --only instances.NAME` and \
                     `tidewalk apply`",
            ),
            passing: Passing::WhileBooting,
        };
    }
    Trouble {
        error: failed(last),
        passing: Passing::Never,
    }
}

fn refused_login(destination: &Destination, error: Error, log: &str) -> Error {
    let user = destination.user.as_deref();
    let tried = match &destination.identity {
        Some(path) => format!("the key `{}`", path.display()),
        None => "the keys of the ssh agent and of ~/.ssh".to_owned(),
    };
    let user = user.map_or_else(
        || "the user of your ssh configuration".to_owned(),
        |user| format!("user `{user}`"),
    );
    let error = error.note(format!("tried {user} with {tried}"));
    let unusable = log.lines().find(|line| {
        [
            "Load key",
            "UNPROTECTED",
            "not accessible",
            "no such identity",
        ]
        .iter()
        .any(|needle| line.contains(needle))
    });
    match unusable {
        Some(line) => error.note(line.trim().trim_matches('@').trim()),
        None => error,
    }
    .hint("set `user` (Ubuntu: `ubuntu`, Debian: `admin`, Amazon Linux: `ec2-user`) and `identity`")
}

fn wrong_key(destination: &Destination, log: &str) -> Error {
    let shown = log
        .split_whitespace()
        .find(|word| word.starts_with("SHA256:"))
        .map_or("a key of another type", |word| word.trim_end_matches('.'));
    let known: Vec<_> = destination
        .keys
        .iter()
        .map(super::HostKey::fingerprint)
        .collect();
    Error::failed(format!(
        "the host key of {} ({}) is not the one it is pinned to; nothing was sent to it",
        destination.name, destination.address
    ))
    .note(format!("pinned to: {}", known.join(" or ")))
    .note(format!("the host shows: {shown}"))
    .hint(
        "if the host was reinstalled, compare the fingerprint on its console and set the new key \
         (`host_key` of the host, or the tag `tidewalk:host-key` of its instance); otherwise \
         someone may be listening in",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination() -> Destination {
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
        Destination {
            name: "hosts.a".to_owned(),
            address: "10.0.0.1".to_owned(),
            user: Some("ubuntu".to_owned()),
            port: None,
            identity: None,
            jump: None,
            keys: key.parse().into_iter().collect(),
        }
    }

    #[test]
    fn a_changed_key_is_told_with_both_fingerprints() {
        let log = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n\
                   Host key for tidewalk-host has changed and you have requested strict checking.\n\
                   The fingerprint for the ED25519 key sent by the remote host is\nSHA256:abc.\n\
                   Host key verification failed.\n";
        let error = explain(&destination(), log).error;
        assert!(error.notes()[0].starts_with("pinned to: SHA256:"));
        assert_eq!(error.notes()[1], "the host shows: SHA256:abc");
    }

    #[test]
    fn what_passes_while_booting_is_told_from_what_does_not() {
        let passing = |log| explain(&destination(), log).passing;
        let refused = "ssh: connect to host 10.0.0.1 port 22: Connection refused";
        assert_eq!(passing(refused), Passing::WhileBooting);
        let denied = "ubuntu@10.0.0.1: Permission denied (publickey).";
        assert_eq!(passing(denied), Passing::WhileInstalling);
        let name = "ssh: Could not resolve hostname x: Name or service not known";
        assert_eq!(passing(name), Passing::Never);
    }

    #[test]
    fn a_refused_login_says_what_was_tried() {
        let log = "ubuntu@10.0.0.1: Permission denied (publickey).";
        let error = explain(&destination(), log).error;
        assert!(error.notes()[0].contains("user `ubuntu`"));
    }
}
