//! Host keys that connections are pinned to, and how a host's pins are written down in one line.

use std::fmt;
use std::str::FromStr;

use ssh_key::{HashAlg, PublicKey};

use crate::base::{Error, Result};

/// A public host key: algorithm and base64, without a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey(String);

impl HostKey {
    /// `SHA256:…`, as OpenSSH shows it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        PublicKey::from_openssh(&self.0).map_or_else(
            |_| "(unreadable key)".to_owned(),
            |key| key.fingerprint(HashAlg::Sha256).to_string(),
        )
    }
}

impl FromStr for HostKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let words: Vec<_> = text.split_whitespace().take(2).collect();
        let line = words.join(" ");
        match PublicKey::from_openssh(&line) {
            Ok(_) => Ok(Self(line)),
            Err(cause) => Err(Error::failed(format!(
                "`{text}` is not a public host key: {cause}"
            ))
            .hint("write it as `ssh-ed25519 AAAA…`, the content of /etc/ssh/ssh_host_ed25519_key.pub")),
        }
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a host's key may be. Written as `KEY`, `planted KEY`, or `planted KEY next KEY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pins {
    /// The host made its own key.
    Own(HostKey),
    /// The host was started with a throw-away key; it is to make its own at first contact.
    Planted {
        /// The throw-away key.
        planted: HostKey,
        /// Its own key, while it is being swapped in: from now on the host may show either.
        next: Option<HostKey>,
    },
}

impl Pins {
    /// The keys the host may show.
    #[must_use]
    pub fn keys(&self) -> Vec<HostKey> {
        match self {
            Self::Own(key) => vec![key.clone()],
            Self::Planted { planted, next } => {
                std::iter::once(planted).chain(next).cloned().collect()
            }
        }
    }

    /// The host still has (or may have) its throw-away key.
    #[must_use]
    pub fn is_planted(&self) -> bool {
        matches!(self, Self::Planted { .. })
    }
}

impl FromStr for Pins {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let Some(planted) = text.strip_prefix("planted ") else {
            return text.parse().map(Self::Own);
        };
        match planted.split_once(" next ") {
            None => Ok(Self::Planted {
                planted: planted.parse()?,
                next: None,
            }),
            Some((planted, next)) => Ok(Self::Planted {
                planted: planted.parse()?,
                next: Some(next.parse()?),
            }),
        }
    }
}

impl fmt::Display for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(key) => write!(f, "{key}"),
            Self::Planted { planted, next } => {
                write!(f, "planted {planted}")?;
                next.iter().try_for_each(|next| write!(f, " next {next}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const OTHER: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    #[test]
    fn every_form_of_pins_survives_being_written_down() {
        for text in [
            KEY.to_owned(),
            format!("planted {KEY}"),
            format!("planted {KEY} next {OTHER}"),
        ] {
            let pins: Pins = text.parse().unwrap();
            assert_eq!(pins.to_string(), text);
            assert!(text.len() <= 256, "an EC2 tag holds 256 characters");
        }
        let pins: Pins = format!("planted {KEY} next {OTHER}").parse().unwrap();
        assert_eq!(pins.keys().len(), 2);
        assert!(pins.is_planted());
    }

    #[test]
    fn a_comment_is_dropped_and_rubbish_refused() {
        let key: HostKey = format!("{KEY} root@host").parse().unwrap();
        assert_eq!(key.to_string(), KEY);
        assert!(key.fingerprint().starts_with("SHA256:"));
        assert!("ssh-ed25519 nonsense".parse::<HostKey>().is_err());
        assert!("".parse::<Pins>().is_err());
    }
}
