//! Files that are known to break much when they are wrong: how they are validated where the playbook
//! does not say.

use std::path::Path;

use crate::base::{Error, ErrorKind, Result};

/// The command that must accept new content at `path`, as `validate` takes it.
#[must_use]
pub fn validator(path: &str) -> Option<&'static str> {
    let inside = |folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| !rest.is_empty())
    };
    match path {
        "/etc/sudoers" => Some("visudo -c -f %s"),
        "/etc/ssh/sshd_config" => Some("sshd -t -f %s"),
        "/etc/fstab" => Some("findmnt --verify --tab-file %s"),
        _ if inside("/etc/sudoers.d/") => Some("visudo -c -f %s"),
        _ if inside("/etc/ssh/sshd_config.d/") => Some("sshd -t"),
        _ => None,
    }
}

/// JSON is JSON before it leaves this machine.
///
/// # Errors
/// Where it is not.
pub fn check(path: &str, content: &[u8]) -> Result<()> {
    if Path::new(path).extension().is_none_or(|it| it != "json") {
        return Ok(());
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(content) {
        Ok(_) => Ok(()),
        Err(cause) => {
            let text = format!("what is to be in `{path}` is not JSON: {cause}");
            Err(Error::new(ErrorKind::Playbook, text)
                .hint("where it need not be, say so with a `validate` of your own"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_lock_everybody_out_is_validated() {
        assert_eq!(validator("/etc/sudoers.d/team"), Some("visudo -c -f %s"));
        assert_eq!(validator("/etc/ssh/sshd_config.d/a.conf"), Some("sshd -t"));
        assert_eq!(validator("/etc/sudoers.d/"), None);
        assert_eq!(validator("/etc/motd"), None);
    }
}
