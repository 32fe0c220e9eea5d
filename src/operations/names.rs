//! What names and paths on hosts may look like; each function tells what is wrong.

use crate::base::node::Step;

/// A problem and where in the spec it is.
pub type Problem = (Vec<Step>, String);

/// Suffixes that systemd knows.
const UNIT_SUFFIXES: [&str; 9] = [
    ".service",
    ".timer",
    ".socket",
    ".path",
    ".mount",
    ".target",
    ".slice",
    ".automount",
    ".swap",
];

/// The problem of one field, if any.
#[must_use]
pub fn field(key: &str, problem: Option<String>) -> Option<Problem> {
    problem.map(|text| (vec![Step::Key(key.to_owned())], text))
}

/// The problem of one item of a list, if any.
#[must_use]
pub fn item(key: &str, index: usize, problem: Option<String>) -> Option<Problem> {
    problem.map(|text| (vec![Step::Key(key.to_owned()), Step::Index(index)], text))
}

/// A path on the host: absolute, plain.
#[must_use]
pub fn path(text: &str) -> Option<String> {
    if !text.starts_with('/') {
        return Some(format!("`{text}` is not an absolute path"));
    }
    if text.contains(['\n', '\0', '\\', '|']) || text.split('/').any(|part| part == "..") {
        return Some(format!(
            "`{text}` is not a plain path: no `..`, `\\`, `|` or line breaks"
        ));
    }
    if text.len() > 1 && text.ends_with('/') {
        return Some(format!("`{text}` ends with `/`"));
    }
    None
}

/// A user or group.
#[must_use]
pub fn account(text: &str) -> Option<String> {
    let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    (!(first && rest) || text.len() > 32).then(|| {
        format!("`{text}` is not a user or group name: letters, digits, `_`, `-`, at most 32")
    })
}

/// A package.
#[must_use]
pub fn package(text: &str) -> Option<String> {
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let rest = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "+._-:".contains(c));
    (!(first && rest)).then(|| format!("`{text}` is not a package name"))
}

/// A systemd unit; `.service` may be left out where `bare` is set.
#[must_use]
pub fn unit(text: &str, bare: bool) -> Option<String> {
    let plain = !text.is_empty()
        && !text.starts_with(['-', '.'])
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ":_.@\\-".contains(c));
    if !plain {
        return Some(format!("`{text}` is not a unit name"));
    }
    let known = UNIT_SUFFIXES.iter().any(|suffix| text.ends_with(suffix));
    (!bare && !known).then(|| {
        format!(
            "`{text}` is not a whole unit name: it ends with {}",
            UNIT_SUFFIXES.map(|suffix| format!("`{suffix}`")).join(", ")
        )
    })
}

/// A unit name with its suffix: a bare one is a service.
#[must_use]
pub fn whole_unit(text: &str) -> String {
    if UNIT_SUFFIXES.iter().any(|suffix| text.ends_with(suffix)) {
        text.to_owned()
    } else {
        format!("{text}.service")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_rubbish() {
        for good in ["/", "/etc/motd", "/a b"] {
            assert_eq!(path(good), None, "{good}");
        }
        for bad in ["etc/motd", "/etc/../x", "/etc/"] {
            assert!(path(bad).is_some(), "{bad}");
        }
        assert!(account("1a").is_some());
        assert!(account("www-data").is_none());
        assert!(package("g++").is_none());
        assert!(package("-oX").is_some());
        assert!(unit("nginx", false).is_some());
        assert!(unit("nginx", true).is_none());
        assert!(unit("a b.service", true).is_some());
        assert_eq!(whole_unit("nginx"), "nginx.service");
        assert_eq!(whole_unit("a.timer"), "a.timer");
    }
}
