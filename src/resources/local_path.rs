//! Paths on this machine as a playbook writes them: `~` is the home folder.

use std::path::PathBuf;

/// `text` with a leading `~` replaced by the home folder, if that is known.
#[must_use]
pub fn expand(text: &str) -> PathBuf {
    let rest = match text.strip_prefix('~') {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix('/'),
        None => None,
    };
    match (rest, std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}
