//! The environment variables that the code reads, and which of them are secrets.

use super::app::{Place, Variable};
use super::folder::Folder;

/// Variables that R or the system sets by itself.
const OWN_VARIABLES: [&str; 8] = [
    "HOME",
    "PATH",
    "USER",
    "PWD",
    "TMPDIR",
    "LANG",
    "R_HOME",
    "R_LIBS_USER",
];

/// Words of names that stand for secrets.
const SECRET_WORDS: [&str; 9] = [
    "TOKEN", "PASSWORD", "PASSWD", "PASS", "PWD", "SECRET", "KEY", "WEBHOOK", "PAT",
];

/// Last words of names that only say where a secret is.
const ABOUT: [&str; 5] = ["PARAMETER", "NAME", "FILE", "PATH", "ARN"];

/// The variables that any of the code reads, each where it is read first.
pub(super) fn variables(folder: &Folder) -> Vec<Variable> {
    let mut found: Vec<Variable> = Vec::new();
    for code in &folder.code {
        for read in code.variables() {
            let known = found.iter_mut().find(|it| it.name == read.name);
            if let Some(known) = known {
                known.default = known.default.take().or(read.default);
            } else if is_variable(&read.name) && !OWN_VARIABLES.contains(&read.name.as_str()) {
                found.push(Variable {
                    secret: is_secret(&read.name),
                    name: read.name,
                    default: read.default,
                    at: Place::new(&code.path, read.line),
                });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn is_variable(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(fits) && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// `SLACK_TOKEN` and `PGPASSWORD` are, `SLACK_TOKEN_PARAMETER` and `KEYBOARD` are not.
fn is_secret(name: &str) -> bool {
    let upper = name.to_uppercase();
    let mut words = upper.split('_');
    let about = upper
        .rsplit('_')
        .next()
        .is_some_and(|it| ABOUT.contains(&it));
    let endings = ["TOKEN", "PASSWORD", "SECRET", "APIKEY"];
    let ends = endings.iter().any(|it| upper.ends_with(it));
    !about && (ends || words.any(|it| SECRET_WORDS.contains(&it)))
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn secrets_are_told_by_their_names() {
        for name in [
            "SLACK_TOKEN",
            "PGPASSWORD",
            "AWS_ACCESS_KEY_ID",
            "apikey",
            "GITHUB_PAT",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "SLACK_TOKEN_PARAMETER",
            "KEYBOARD",
            "MONKEY",
            "PASSENGERS",
            "SECRET_ARN",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
