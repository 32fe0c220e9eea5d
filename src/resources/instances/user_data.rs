//! What an instance gets to read at its first boot: a host key that is known beforehand, and the
//! user's own part.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, LineEnding, PrivateKey};
use zeroize::Zeroizing;

use crate::base::hex;
use crate::base::{Result, ResultExt as _};

/// The user's part may have this many bytes: EC2 takes 16 KiB, the rest is the host key's.
pub const LONGEST: usize = 15_000;

const BOUNDARY: &str = "==tidewalk-part==";

/// A throw-away host key: the first connection is pinned to it, and it is replaced there.
pub(super) struct HostKey {
    private: Zeroizing<String>,
    /// `ssh-ed25519 AAAA…`
    pub(super) public: String,
}

impl HostKey {
    pub(super) fn random() -> Result<Self> {
        let key =
            PrivateKey::random(&mut OsRng, Algorithm::Ed25519).context("making a host key")?;
        let private = key
            .to_openssh(LineEnding::LF)
            .context("encoding the host key")?;
        let public = key
            .public_key()
            .to_openssh()
            .context("encoding the host key")?;
        Ok(Self { private, public })
    }
}

/// The whole, in base64 as EC2 wants it: a MIME message that cloud-init reads part by part.
pub(super) fn encoded(key: &HostKey, users: Option<&str>) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(message(key, users).as_bytes()))
}

fn message(key: &HostKey, users: Option<&str>) -> Zeroizing<String> {
    let private: Vec<_> = key
        .private
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    let private = Zeroizing::new(private.concat());
    let mut text = Zeroizing::new(format!(
        "Content-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\n\
         MIME-Version: 1.0\n\
         \n\
         --{BOUNDARY}\n\
         Content-Type: text/cloud-config; charset=\"utf-8\"\n\
         \n\
         #cloud-config\n\
         ssh_deletekeys: true\n\
         ssh_keys:\n  \
           ed25519_private: |\n{}  \
           ed25519_public: {}\n",
        *private, key.public
    ));
    if let Some(users) = users {
        let _ = writeln!(text, "--{BOUNDARY}");
        text.push_str(header(users));
        text.push_str(users);
        if !users.ends_with('\n') {
            text.push('\n');
        }
    }
    let _ = writeln!(text, "--{BOUNDARY}--");
    text
}

/// The part's own header; a MIME message brings its own. cloud-init takes `text/plain` by its
/// first line.
fn header(users: &str) -> &'static str {
    match users {
        _ if users.starts_with("Content-Type:") || users.starts_with("MIME-Version:") => "",
        _ if users.starts_with("#!") => "Content-Type: text/x-shellscript; charset=\"utf-8\"\n\n",
        _ if users.starts_with("#cloud-config") => {
            // Lists and mappings of both parts count.
            "Content-Type: text/cloud-config; charset=\"utf-8\"\n\
             Merge-Type: list(append)+dict(no_replace,recurse_list)+str()\n\n"
        }
        _ => "Content-Type: text/plain; charset=\"utf-8\"\n\n",
    }
}

/// What the instance's tag remembers of the user's part.
#[must_use]
pub fn hash(users: &str) -> String {
    let mut text = hex(&Sha256::digest(users));
    text.truncate(16);
    format!("sha256:{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_carries_the_key_and_the_users_part() {
        let key = HostKey::random().unwrap();
        let text = message(&key, Some("#!/bin/sh\necho hello"));
        assert!(
            text.contains(&format!("\n  ed25519_public: {}\n--", key.public)),
            "{}",
            *text
        );
        assert!(text.contains("\n    -----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert!(
            text.contains("\nContent-Type: text/x-shellscript; charset=\"utf-8\"\n\n#!/bin/sh\n")
        );
        assert!(text.ends_with("echo hello\n--==tidewalk-part==--\n"));
        assert!(encoded(&key, Some(&"x".repeat(LONGEST))).len() * 3 / 4 <= 16 * 1024);
    }
}
