//! `repository`: an apt source with its own signing key.

use std::fmt::Write as _;

use base64::Engine as _;
use schemars::JsonSchema;
use serde::Deserialize;

use super::file::State;
use super::mode::Mode;
use super::names::Problem;
use super::placement::Placement;
use crate::base::node::Step;
use crate::base::{Error, Result};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// An apt source. Its key is trusted for this source only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Name of the files it makes: letters, digits, `-`, `_`.
    name: String,
    /// Where the packages are.
    uri: String,
    /// Release names, such as `bookworm`; `/` at the end for a flat source.
    suites: Vec<String>,
    /// Parts of the source, such as `main`; none for a flat source.
    #[serde(default)]
    components: Vec<String>,
    /// Architectures, such as `amd64`; all that the host has when not given.
    #[serde(default)]
    architectures: Vec<String>,
    /// The key that signs it. The distribution's own keys when not given.
    key: Option<Key>,
    /// `absent` removes the source and its key.
    #[serde(default)]
    #[schemars(extend("default" = "present"))]
    state: State,
}

/// Exactly one of `url`, `source` and `content`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Key {
    /// Where the host fetches it.
    url: Option<String>,
    /// SHA-256 of what is at the URL, in hex; then nothing else is accepted.
    sha256: Option<String>,
    /// A file: relative to the playbook's folder or its `files/`.
    source: Option<String>,
    /// The key itself, armored.
    content: Option<String>,
}

/// How the armor of a key begins.
const ARMOR: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

impl Repository {
    fn key_path(&self) -> String {
        format!("/etc/apt/keyrings/{}.gpg", self.name)
    }

    fn source_path(&self) -> String {
        format!("/etc/apt/sources.list.d/{}.sources", self.name)
    }

    /// The source in deb822 format (sources.list(5)).
    fn source(&self) -> String {
        let mut text = format!(
            "Types: deb\nURIs: {}\nSuites: {}\n",
            self.uri,
            self.suites.join(" ")
        );
        if !self.components.is_empty() {
            let _ = writeln!(text, "Components: {}", self.components.join(" "));
        }
        if !self.architectures.is_empty() {
            let _ = writeln!(text, "Architectures: {}", self.architectures.join(" "));
        }
        if let Some(key) = &self.key {
            let _ = writeln!(text, "Signed-By: {}", self.key_path());
            if let Some(url) = &key.url {
                let _ = writeln!(
                    text,
                    "# key: {url} {}",
                    key.sha256.as_deref().unwrap_or("-")
                );
            }
        }
        text
    }

    /// The key's bytes, when they are known here.
    fn key_bytes(&self, target: Target<'_>) -> Result<Option<Vec<u8>>> {
        let Some(key) = &self.key else {
            return Ok(None);
        };
        let node = target.node.entry("key");
        if let Some(text) = &key.content {
            return dearmored(text.as_bytes()).map(Some);
        }
        match node.and_then(|node| node.entry("source")) {
            Some(source) => dearmored(&target.render.file(source)?)
                .map(Some)
                .map_err(|error| error.at(&source.at)),
            None => Ok(None),
        }
    }

    fn files(&self, target: Target<'_>) -> Result<(String, String, Option<Vec<u8>>)> {
        Ok((self.key_path(), self.source_path(), self.key_bytes(target)?))
    }
}

fn placed(label: String, path: &str, content: Vec<u8>) -> Placement<'_> {
    Placement {
        label,
        path,
        content: Some(content.into()),
        owner: Some("root"),
        group: Some("root"),
        mode: Some(Mode::USUAL),
        ..Placement::default()
    }
}

/// A key as apt reads it from `.gpg` files: without its armor (RFC 9580, section 6.2), every one of
/// several.
fn dearmored(bytes: &[u8]) -> Result<Vec<u8>> {
    let armored = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.contains(ARMOR));
    let mut key = Vec::new();
    match armored {
        None => key.extend_from_slice(bytes),
        Some(text) => {
            for block in text.split(ARMOR).skip(1) {
                let body: String = block
                    .lines()
                    .skip(1)
                    .skip_while(|line| !line.trim().is_empty())
                    .map(str::trim)
                    .take_while(|line| !line.starts_with('=') && !line.starts_with('-'))
                    .collect();
                let block = base64::engine::general_purpose::STANDARD
                    .decode(body)
                    .map_err(|cause| Error::failed(format!("the key cannot be read: {cause}")))?;
                key.extend(block);
            }
        }
    }
    // An OpenPGP packet begins with its highest bit set (RFC 9580, section 4.2).
    if key.first().is_some_and(|first| first & 0x80 != 0) {
        return Ok(key);
    }
    Err(Error::failed("the key is not an OpenPGP key")
        .hint("give the key that signs the source: an armored block, or the same in binary"))
}

impl Operation for Repository {
    const NAME: &'static str = "repository";

    fn label(&self) -> String {
        format!("repository {}", self.name)
    }

    fn check(&self) -> Vec<Problem> {
        let at = |key: &str| vec![Step::Key(key.to_owned())];
        let mut problems = Vec::new();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || !self.name.chars().all(plain) {
            let text = format!("`{}` is not letters, digits, `-`, `_`", self.name);
            problems.push((at("name"), text));
        }
        if !["http://", "https://", "file:/"]
            .iter()
            .any(|start| self.uri.starts_with(start))
            || self.uri.contains(char::is_whitespace)
        {
            problems.push((
                at("uri"),
                format!("`{}` is not a URI of packages", self.uri),
            ));
        }
        if self.suites.is_empty() {
            problems.push((at("suites"), "no suite is named".to_owned()));
        }
        if let Some(key) = &self.key {
            let given = [&key.url, &key.source, &key.content];
            if given.iter().filter(|value| value.is_some()).count() != 1 {
                let text = "give exactly one of `url`, `source` and `content`".to_owned();
                problems.push((at("key"), text));
            }
        }
        problems
    }

    fn probe(&self, target: Target<'_>) -> Result<Vec<Command>> {
        let (key_path, source_path, key) = self.files(target)?;
        Ok(vec![
            super::seen_file::probe(&key_path, key.as_deref()),
            super::seen_file::probe(&source_path, Some(self.source().as_bytes())),
        ])
    }

    fn work(&self, target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let (key_path, source_path, key) = self.files(target)?;
        let there = |index: usize| facts.get(index).is_some_and(|fact| !fact.stdout.is_empty());
        let mut work = Work::default();
        if self.state == State::Absent {
            for (index, path) in [(0, &key_path), (1, &source_path)] {
                if there(index) {
                    let change = super::placement::update(
                        &format!("{} {path}", self.label()),
                        crate::base::Shown::of("present"),
                        crate::base::Shown::Absent,
                    );
                    work.changes.push(change);
                    work.commands.push(Command::new(["tw_remove", path]));
                }
            }
            return Ok(work);
        }
        let source = self.source().into_bytes();
        let of_source = placed(self.label(), &source_path, source).work(facts.get(1))?;
        let url = self
            .key
            .as_ref()
            .and_then(|key| key.url.as_ref().map(|url| (key, url)));
        if let Some((key, url)) = url {
            if !there(0) || !of_source.changes.is_empty() {
                let old = if there(0) { "present" } else { "" };
                work.changes.push(super::placement::update(
                    &format!("{} key", self.label()),
                    crate::base::Shown::of(old),
                    crate::base::Shown::of(format!("from {url}")),
                ));
                let sha256 = key.sha256.as_deref().unwrap_or("-");
                work.commands
                    .push(Command::new(["tw_fetch_key", url, sha256, &key_path]));
            }
        } else if let Some(bytes) = key {
            let of_key = placed(format!("{} key", self.label()), &key_path, bytes);
            let of_key = of_key.work(facts.first())?;
            work.changes.extend(of_key.changes);
            work.commands.extend(of_key.commands);
        }
        work.changes.extend(of_source.changes);
        if !work.changes.is_empty() {
            work.commands.insert(0, Command::new(["tw_has_apt"]));
        }
        work.commands.extend(of_source.commands);
        Ok(work)
    }
}
