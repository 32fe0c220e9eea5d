//! `user`: a login, its groups and shell, there or not.

use schemars::JsonSchema;
use serde::Deserialize;

use super::file::State;
use super::names::{self, Problem};
use super::placement::update;
use crate::base::{Error, FieldChange, Result, Secret, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// A user on the host.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Login name.
    name: String,
    /// Number.
    uid: Option<u32>,
    /// Primary group; one of the same name when not given.
    group: Option<String>,
    /// Further groups; others that the user is in stay.
    #[serde(default)]
    groups: Vec<String>,
    /// Login shell, such as `/bin/bash`.
    shell: Option<String>,
    /// Home directory.
    home: Option<String>,
    /// Full name or remark.
    comment: Option<String>,
    /// The password's hash as `mkpasswd` or `openssl passwd -6` prints it; never shown.
    #[schemars(with = "Option<String>")]
    password_hash: Option<Secret>,
    /// Name of a `SecureString` parameter with the password of a user who has none yet: it must be
    /// changed at the first login. A password that was ever set stays; this one is never shown, and
    /// read only when it is needed.
    initial_password: Option<String>,
    /// A new one is a system user, without a home directory.
    #[serde(default)]
    system: bool,
    /// `absent` removes the user.
    #[serde(default)]
    #[schemars(extend("default" = "present"))]
    state: State,
    /// With `state: absent`: removes the home directory, too.
    #[serde(default)]
    remove_home: bool,
}

/// What is in the place of the hash of a password that was never set.
const NEVER_SET: [&str; 5] = ["", "!", "!!", "*", "!*"];

/// What `tw_see_user` tells.
struct Seen {
    uid: String,
    comment: String,
    home: String,
    shell: String,
    groups: Vec<String>,
    password_hash: String,
}

fn read(fact: Option<&Fact>) -> Result<Option<Seen>> {
    let Some(fact) = fact.filter(|fact| !fact.stdout.is_empty()) else {
        return Ok(None);
    };
    let text = fact.text();
    let mut lines = text.lines();
    let fields: Vec<_> = lines.next().unwrap_or_default().split(':').collect();
    let [_, _, uid, _, comment, home, shell] = fields[..] else {
        return Err(Error::failed(format!("`{text}` is no passwd entry")));
    };
    Ok(Some(Seen {
        uid: uid.to_owned(),
        comment: comment.to_owned(),
        home: home.to_owned(),
        shell: shell.to_owned(),
        groups: lines
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        password_hash: lines.next().unwrap_or_default().to_owned(),
    }))
}

impl User {
    /// A program that changes the account, which may be the one we are logged in as.
    fn account(&self, program: &str) -> Command {
        Command::new(["tw_account", &self.name, program])
    }

    /// Where the password comes from, of a user who never had one.
    fn first_password(&self, seen: Option<&Seen>) -> Option<&String> {
        let unset = |seen: &Seen| NEVER_SET.contains(&seen.password_hash.as_str());
        let name = self.initial_password.as_ref();
        name.filter(|_| self.state == State::Present && seen.is_none_or(unset))
    }

    /// Options that `useradd` and `usermod` share, with what they change.
    fn differences(&self, seen: Option<&Seen>) -> (Vec<FieldChange>, Vec<String>) {
        let uid = self.uid.map(|uid| uid.to_string());
        let old = |part: fn(&Seen) -> &String| seen.map(part).cloned().unwrap_or_default();
        let primary = seen.and_then(|seen| seen.groups.first().cloned());
        let fields = [
            ("uid", "-u", &uid, old(|seen| &seen.uid)),
            ("group", "-g", &self.group, primary.unwrap_or_default()),
            ("shell", "-s", &self.shell, old(|seen| &seen.shell)),
            ("home", "-d", &self.home, old(|seen| &seen.home)),
            ("comment", "-c", &self.comment, old(|seen| &seen.comment)),
        ];
        let (mut changes, mut options) = (Vec::new(), Vec::new());
        for (field, option, wanted, old) in fields {
            let Some(wanted) = wanted.as_ref().filter(|wanted| **wanted != old) else {
                continue;
            };
            let label = format!("{} {field}", self.label());
            changes.push(update(&label, Shown::of(old), Shown::of(wanted)));
            options.extend([option.to_owned(), wanted.clone()]);
        }
        let has = |group: &String| seen.is_some_and(|seen| seen.groups.contains(group));
        let missing: Vec<_> = self
            .groups
            .iter()
            .filter(|group| !has(group))
            .cloned()
            .collect();
        if !missing.is_empty() {
            let label = format!("{} groups", self.label());
            let old = Shown::list(seen.map_or(&[][..], |seen| &seen.groups));
            changes.push(update(
                &label,
                old,
                Shown::of(format!("+ {}", missing.join(", "))),
            ));
            // A new user gets them by a command of its own: see `work`.
            if seen.is_some() {
                options.extend(["-aG".to_owned(), missing.join(",")]);
            }
        }
        (changes, options)
    }

    fn two_passwords(&self) -> Option<String> {
        let two = self.initial_password.is_some() && self.password_hash.is_some();
        two.then(|| "leave out `initial_password` or `password_hash`".to_owned())
    }

    fn password(&self, seen: Option<&Seen>, work: &mut Work) {
        let Some(wanted) = &self.password_hash else {
            return;
        };
        if seen.is_some_and(|seen| seen.password_hash == wanted.expose()) {
            return;
        }
        let label = format!("{} password_hash", self.label());
        work.changes
            .push(update(&label, Shown::Absent, Shown::Hidden));
        let line = format!("{}:{}\n", self.name, wanted.expose());
        work.commands
            .push(self.account("chpasswd").arg("-e").reading(line));
    }
}

impl Operation for User {
    const NAME: &'static str = "user";

    fn label(&self) -> String {
        format!("user {}", self.name)
    }

    fn check(&self) -> Vec<Problem> {
        let groups = self.groups.iter().enumerate();
        [
            names::field("name", names::account(&self.name)),
            names::field("group", self.group.as_deref().and_then(names::account)),
            names::field("shell", self.shell.as_deref().and_then(names::path)),
            names::field("home", self.home.as_deref().and_then(names::path)),
            names::field("initial_password", self.two_passwords()),
        ]
        .into_iter()
        .chain(groups.map(|(index, group)| names::item("groups", index, names::account(group))))
        .flatten()
        .collect()
    }

    fn probe(&self, _target: Target<'_>) -> Result<Vec<Command>> {
        Ok(vec![Command::new(["tw_see_user", &self.name])])
    }

    fn parameters(&self, facts: &[Fact]) -> Vec<String> {
        let seen = read(facts.first()).ok().flatten();
        self.first_password(seen.as_ref())
            .cloned()
            .into_iter()
            .collect()
    }

    fn work(&self, _target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let seen = read(facts.first())?;
        let mut work = Work::default();
        if self.state == State::Absent {
            if let Some(seen) = seen {
                let how = if self.remove_home {
                    "removed with its home"
                } else {
                    ""
                };
                let old = Shown::of(format!("uid {}", seen.uid));
                work.changes
                    .push(update(&self.label(), old, Shown::of(how)));
                let command = self
                    .account("userdel")
                    .args(self.remove_home.then_some("-r"));
                work.commands.push(command.arg(&self.name));
            }
            return Ok(work);
        }
        let (changes, options) = self.differences(seen.as_ref());
        if seen.is_none() {
            work.changes
                .push(update(&self.label(), Shown::Absent, Shown::of("new")));
            let command = Command::new(["tw_make", "user", "useradd"]);
            let kind = if self.system { "-r" } else { "-m" };
            work.commands
                .push(command.arg(kind).args(options).arg(&self.name));
            if !self.groups.is_empty() {
                let groups = self.groups.join(",");
                let join = self.account("usermod").args(["-aG", &groups, &self.name]);
                work.commands.push(join);
            }
        } else if !options.is_empty() {
            if let Some(at) = options.iter().position(|word| word == "-aG") {
                let groups = options.get(at + 1).map(String::as_str).unwrap_or_default();
                work.commands
                    .push(Command::new(["tw_note_groups", &self.name, groups]));
            }
            work.commands
                .push(self.account("usermod").args(options).arg(&self.name));
        }
        work.changes.extend(changes);
        self.password(seen.as_ref(), &mut work);
        if let Some(name) = self.first_password(seen.as_ref()) {
            let label = format!("{} initial_password", self.label());
            let new = format!("that of parameter {name}, to be changed at the first login");
            work.changes
                .push(update(&label, Shown::Absent, Shown::of(new)));
            let give = self.account("tw_first_password").arg(&self.name);
            let value = facts.get(1).map(|fact| fact.stdout.clone());
            work.commands.extend(value.map(|value| give.reading(value)));
        }
        Ok(work)
    }
}
