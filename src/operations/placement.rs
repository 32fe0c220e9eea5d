//! A file that is to have certain content, owner and mode: what `file`, `template`, `unit` and
//! others share.

use similar::TextDiff;

use super::known_files;
use super::mode::Mode;
use super::names::{self, Problem};
use super::seen_file::{self, LARGEST_SHOWN, SeenFile};
use crate::base::{Blob, Effect, Error, FieldChange, Result, Shown};
use crate::contract::{Fact, Work};
use crate::ssh::Command;

/// What is wanted of one file.
#[derive(Debug, Default)]
pub struct Placement<'a> {
    /// What plans call it.
    pub label: String,
    /// Where it is.
    pub path: &'a str,
    /// Its content; `None` while it is known only after apply.
    pub content: Option<Blob>,
    /// The content is never shown.
    pub secret: bool,
    /// Owner's name; what is there, else root.
    pub owner: Option<&'a str>,
    /// Group's name; what is there, else root.
    pub group: Option<&'a str>,
    /// Permission bits; what is there, else 0644.
    pub mode: Option<Mode>,
    /// Command that must succeed before (`%s`) or right after the new content is in place.
    pub validate: Option<&'a str>,
    /// `reload:UNIT`, `restart:UNIT`.
    pub notifies: Vec<String>,
}

/// `reload:` and `restart:` as the units that are to be notified.
#[must_use]
pub fn notifies(reload: Option<&String>, restart: Option<&String>) -> Vec<String> {
    let reload = reload.map(|unit| format!("reload:{}", names::whole_unit(unit)));
    let restart = restart.map(|unit| format!("restart:{}", names::whole_unit(unit)));
    reload.into_iter().chain(restart).collect()
}

/// The mode that is wanted: a file with a secret in it is for its owner only.
#[must_use]
pub fn mode(given: Option<Mode>, secret: bool) -> Option<Mode> {
    given.or(secret.then_some(Mode::PRIVATE))
}

/// What is wrong with the fields that all such operations have.
#[must_use]
pub fn check(
    path: &str,
    owner: Option<&String>,
    group: Option<&String>,
    reload: Option<&String>,
    restart: Option<&String>,
) -> Vec<Problem> {
    let account = |name: &String| names::account(name);
    let unit = |name: &String| names::unit(name, true);
    [
        names::field("path", names::path(path)),
        names::field("owner", owner.and_then(account)),
        names::field("group", group.and_then(account)),
        names::field("reload", reload.and_then(unit)),
        names::field("restart", restart.and_then(unit)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Placement<'_> {
    /// The command that looks at it.
    #[must_use]
    pub fn probe(&self) -> Command {
        match &self.content {
            Some(content) => seen_file::probe_for(self.path, content),
            None => seen_file::probe(self.path, None),
        }
    }

    /// What is to be done.
    ///
    /// # Errors
    /// When something that is not a file is in the way.
    pub fn work(&self, fact: Option<&Fact>) -> Result<Work> {
        let seen = fact.map(seen_file::read).transpose()?.flatten();
        if seen.as_ref().is_some_and(|seen| !seen.is_file) {
            return Err(Error::failed(format!(
                "`{}` on the host is not a regular file",
                self.path
            ))
            .hint("remove it there, or choose another path"));
        }
        if let (Some(content), None) = (&self.content, self.validate) {
            known_files::check(self.path, content)?;
        }
        let mut work = Work::default();
        self.compare(seen.as_ref(), &mut work.changes);
        if let Some(content) = &self.content
            && !work.changes.is_empty()
        {
            let command = Command::new(["tw_put", self.path])
                .args(self.attributes())
                .args(self.notifies.iter().cloned());
            work.commands.push(command.reading(content.clone()));
            work.notifies.clone_from(&self.notifies);
        }
        Ok(work)
    }

    /// MODE OWNER GROUP VALIDATE, as `tw_put` takes them.
    #[must_use]
    pub fn attributes(&self) -> [String; 4] {
        let or_dash = |name: Option<&str>| name.unwrap_or("-").to_owned();
        [
            self.mode
                .map_or_else(|| "-".to_owned(), |mode| mode.to_string()),
            or_dash(self.owner),
            or_dash(self.group),
            self.validate
                .or_else(|| known_files::validator(self.path))
                .unwrap_or_default()
                .to_owned(),
        ]
    }

    fn compare(&self, seen: Option<&SeenFile>, changes: &mut Vec<FieldChange>) {
        match &self.content {
            None => changes.push(update(&self.label, Shown::Absent, Shown::AfterApply)),
            Some(content) => {
                if seen.is_none_or(|seen| seen.hash != content.sha256()) {
                    changes.push(self.content_change(seen, content));
                }
            }
        }
        let Some(seen) = seen else { return };
        attribute_changes(
            &self.label,
            seen,
            (self.mode, self.owner, self.group),
            changes,
        );
    }

    fn content_change(&self, seen: Option<&SeenFile>, content: &Blob) -> FieldChange {
        let old_size = seen.map_or(Shown::Absent, |seen| size(seen.size, &seen.hash));
        if self.secret {
            let old = seen.map_or(Shown::Absent, |_| Shown::Hidden);
            // Both sides hidden would read as no change.
            let old = if old == Shown::Hidden {
                Shown::of("(another secret)")
            } else {
                old
            };
            return update(&self.label, old, Shown::Hidden);
        }
        let old = match seen {
            None => Some(Vec::new()),
            Some(seen) => seen.content.clone(),
        };
        let new_size = || size(content.len() as u64, content.sha256());
        let texts = old
            .filter(|_| content.len() <= LARGEST_SHOWN)
            .and_then(|old| {
                Some((
                    String::from_utf8(old).ok()?,
                    std::str::from_utf8(content).ok()?,
                ))
            });
        match texts {
            Some((old, new)) if !(old.contains('\0') || new.contains('\0')) => {
                if seen.is_none() && new.is_empty() {
                    return update(&self.label, Shown::Absent, Shown::of("(empty)"));
                }
                update(
                    &self.label,
                    old_size,
                    Shown::Block(unified(self.path, seen.is_some(), &old, new)),
                )
            }
            _ => update(&self.label, old_size, new_size()),
        }
    }
}

/// Changes of mode, owner and group.
pub fn attribute_changes(
    label: &str,
    seen: &SeenFile,
    (mode, owner, group): (Option<Mode>, Option<&str>, Option<&str>),
    changes: &mut Vec<FieldChange>,
) {
    if mode.is_some() && mode != seen.mode {
        let (old, new) = (Shown::option(seen.mode), Shown::option(mode));
        changes.push(update(&format!("{label} mode"), old, new));
    }
    for (what, wanted, old) in [("owner", owner, &seen.owner), ("group", group, &seen.group)] {
        if let Some(wanted) = wanted.filter(|wanted| wanted != old) {
            changes.push(update(
                &format!("{label} {what}"),
                Shown::of(old),
                Shown::of(wanted),
            ));
        }
    }
}

/// A change in place.
#[must_use]
pub fn update(field: &str, old: Shown, new: Shown) -> FieldChange {
    FieldChange {
        field: field.to_owned(),
        old,
        new,
        effect: Effect::Update,
    }
}

/// A unified diff, as `diff -u` writes it.
#[must_use]
pub fn unified(path: &str, existed: bool, old: &str, new: &str) -> String {
    let from = if existed { path } else { "/dev/null" };
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(from, path)
        .to_string()
}

fn size(bytes: u64, hash: &str) -> Shown {
    Shown::of(format!(
        "{bytes} bytes, sha256 {}",
        hash.get(..12).unwrap_or(hash)
    ))
}
