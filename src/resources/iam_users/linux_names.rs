//! The login on a Linux host that an IAM user gets.
//!
//! The rule: the part before `@`, in small letters; every other character than `a-z`, `0-9`, `_` and `-`
//! becomes `_`; one that begins with neither letter nor `_` gets a `u` in front. The tag
//! `linux-name` of an IAM user says another one.

use std::collections::BTreeMap;

use crate::base::{Error, Errors, Result};

/// The tag of an IAM user that says its login.
pub const TAG: &str = "linux-name";

/// The longest login: useradd(8).
const LONGEST: usize = 32;

/// Logins of the system: Debian's base-passwd, and what the bundled setups bring.
const RESERVED: [&str; 38] = [
    "root",
    "daemon",
    "bin",
    "sys",
    "sync",
    "games",
    "man",
    "lp",
    "mail",
    "news",
    "uucp",
    "proxy",
    "www-data",
    "backup",
    "list",
    "irc",
    "gnats",
    "nobody",
    "_apt",
    "messagebus",
    "sshd",
    "syslog",
    "systemd-network",
    "systemd-resolve",
    "systemd-timesync",
    "ubuntu",
    "admin",
    "debian",
    "ec2-user",
    "sudo",
    "adm",
    "docker",
    "jenkins",
    "shiny",
    "rstudio-server",
    "redis",
    "postfix",
    "nginx",
];

/// The login of an IAM user of this name, by the rule.
#[must_use]
pub fn derived(name: &str) -> String {
    let before = name.split('@').next().unwrap_or_default().to_lowercase();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let login: String = before
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    let begins = |c: char| c.is_ascii_lowercase() || c == '_';
    if login.starts_with(begins) {
        login
    } else {
        format!("u{login}")
    }
}

/// The login of each user, given as name and the value of the tag [`TAG`].
///
/// # Errors
/// Every login that is reserved, too long, misspelt or another user's, too.
pub fn all(users: &[(&str, Option<&str>)]) -> Result<Vec<String>, Errors> {
    let mut errors = Errors::default();
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    let mut logins = Vec::new();
    for (name, tagged) in users {
        let login = tagged.map_or_else(|| derived(name), str::to_owned);
        if let Some(why) = problem(&login) {
            errors.push(refused(
                &format!("IAM user `{name}` would be `{login}`, {why}"),
                name,
            ));
        }
        if let Some(other) = owners.insert(login.clone(), name) {
            let message = format!("IAM users `{other}` and `{name}` would both be `{login}`");
            errors.push(refused(&message, name));
        }
        logins.push(login);
    }
    errors.into_result(logins)
}

fn refused(message: &str, name: &str) -> Error {
    Error::failed(message.to_owned()).hint(format!(
        "say another: `aws iam tag-user --user-name {name} --tags Key={TAG},Value=LOGIN`"
    ))
}

fn problem(login: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.';
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
    if RESERVED.contains(&login) {
        Some("which belongs to the system".to_owned())
    } else if login.len() > LONGEST {
        Some(format!("which is longer than {LONGEST} characters"))
    } else if !login.starts_with(begins) || !login.chars().all(fits) {
        Some("which is no name of a Linux user".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_logins_by_the_rule() {
        let rule = [
            ("jane.doe@x.org", "jane_doe"),
            ("JaneDoe", "janedoe"),
            ("jane+doe=1", "jane_doe_1"),
            ("1jane", "u1jane"),
            ("-jane", "u-jane"),
            ("_jane", "_jane"),
            ("žofie", "_ofie"),
        ];
        for (name, login) in rule {
            assert_eq!(derived(name), login, "{name}");
        }
    }

    #[test]
    fn a_tag_says_another_login() {
        let logins = all(&[("jane.doe", Some("jd")), ("joe", None)]);
        assert_eq!(logins.ok(), Some(vec!["jd".to_owned(), "joe".to_owned()]));
    }

    #[test]
    fn what_cannot_be_a_login_is_told_of_every_user_at_once() {
        let long = "a".repeat(33);
        let users = [
            ("jane.doe", None),
            ("jane@x.org", Some("jane_doe")),
            ("Root", None),
            (long.as_str(), None),
            ("joe", Some("j oe")),
        ];
        let errors = all(&users).err().unwrap_or_default();
        let told: Vec<_> = errors.0.iter().map(Error::message).collect();
        assert_eq!(
            told,
            [
                "IAM users `jane.doe` and `jane@x.org` would both be `jane_doe`",
                "IAM user `Root` would be `root`, which belongs to the system",
                &format!("IAM user `{long}` would be `{long}`, which is longer than 32 characters"),
                "IAM user `joe` would be `j oe`, which is no name of a Linux user",
            ]
        );
    }
}
