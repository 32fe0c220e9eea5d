//! `packages`: installed, at their latest version, or not there; by apt, dnf or yum.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::names::{self, Problem};
use super::placement::update;
use crate::base::{FieldChange, Result, Shown};
use crate::contract::{Fact, Operation, Target, Work};
use crate::ssh::Command;

/// Packages of the host's distribution.
#[derive(Debug)]
pub struct Packages(Spec);

/// Packages of the host's distribution; a plain list of names will do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Spec {
    /// Their names.
    names: Vec<String>,
    /// `present`, `latest` or `absent`.
    #[serde(default)]
    #[schemars(extend("default" = "present"))]
    state: PackageState,
    /// Refresh the package lists first: `true`, `false`, or when needed (not given: they are older
    /// than a day, a source has changed, or a package is not known).
    update_cache: Option<bool>,
    /// Install what they recommend, too.
    #[serde(default = "yes")]
    recommends: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum PackageState {
    /// Installed, in whatever version.
    #[default]
    Present,
    /// Installed, in the newest version that the sources have.
    Latest,
    /// Not installed.
    Absent,
}

impl PackageState {
    fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Latest => "latest",
            Self::Absent => "absent",
        }
    }
}

fn yes() -> bool {
    true
}

impl<'de> Deserialize<'de> for Packages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Packages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of packages, or a mapping with `names`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Packages, A::Error> {
                let names = Vec::deserialize(SeqAccessDeserializer::new(seq))?;
                Ok(Packages(Spec {
                    names,
                    state: PackageState::Present,
                    update_cache: None,
                    recommends: true,
                }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Packages, A::Error> {
                Spec::deserialize(MapAccessDeserializer::new(map)).map(Packages)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Packages {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Packages".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let spec = Spec::json_schema(generator);
        schemars::json_schema!({
            "description": "Packages of the host's distribution.",
            "anyOf": [
                { "description": "Their names.", "type": "array", "items": { "type": "string" } },
                spec,
            ],
        })
    }
}

/// An installed package: its version, and the newest one if that was asked for.
struct Installed<'a> {
    name: &'a str,
    version: &'a str,
    candidate: Option<&'a str>,
}

fn read(text: &str) -> Vec<Installed<'_>> {
    text.lines()
        .filter_map(|line| {
            let mut parts = line.split('\t');
            Some(Installed {
                name: parts.next()?,
                version: parts.next()?,
                candidate: parts
                    .next()
                    .filter(|text| !text.is_empty() && *text != "(none)"),
            })
        })
        .collect()
}

impl Packages {
    fn change(&self, name: &str, installed: Option<&Installed<'_>>) -> Option<FieldChange> {
        let old = Shown::option(installed.map(|installed| installed.version));
        let new = match (self.0.state, installed) {
            (PackageState::Absent, None) | (PackageState::Present, Some(_)) => return None,
            (PackageState::Absent, Some(_)) => Shown::Absent,
            (PackageState::Latest, Some(installed)) => {
                let newer = installed
                    .candidate
                    .filter(|new| *new != installed.version)?;
                Shown::of(newer)
            }
            (_, None) => Shown::of(if self.0.state == PackageState::Latest {
                "latest"
            } else {
                "installed"
            }),
        };
        Some(update(&format!("package {name}"), old, new))
    }
}

impl Operation for Packages {
    const NAME: &'static str = "packages";

    fn label(&self) -> String {
        format!("packages {}", self.0.names.join(", "))
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems: Vec<_> = self
            .0
            .names
            .iter()
            .enumerate()
            .filter_map(|(index, name)| {
                let text = names::package(name)?;
                // In the short form the list is the whole value.
                let whole = names::item("names", index, Some(text))?;
                Some(whole)
            })
            .collect();
        if self.0.names.is_empty() {
            problems.push((Vec::new(), "no package is named".to_owned()));
        }
        problems
    }

    fn probe(&self, _target: Target<'_>) -> Result<Vec<Command>> {
        let latest = (self.0.state == PackageState::Latest).then_some("--latest");
        let command = Command::new(["tw_see_packages"]).args(latest);
        Ok(vec![command.args(self.0.names.iter().cloned())])
    }

    fn work(&self, _target: Target<'_>, facts: &[Fact]) -> Result<Work> {
        let text = facts.first().map(Fact::text).unwrap_or_default();
        let installed = read(&text);
        let (mut changes, mut names) = (Vec::new(), Vec::new());
        for name in &self.0.names {
            let bare = name.split(':').next();
            let seen = installed.iter().find(|seen| Some(seen.name) == bare);
            if let Some(change) = self.change(name, seen) {
                changes.push(change);
                names.push(name.clone());
            }
        }
        if names.is_empty() {
            return Ok(Work::default());
        }
        let update_cache = match self.0.update_cache {
            None => "auto",
            Some(true) => "true",
            Some(false) => "false",
        };
        let command = Command::new(["tw_packages", self.0.state.word(), update_cache])
            .arg(self.0.recommends.to_string())
            .args(names);
        Ok(Work {
            changes,
            commands: vec![command],
            notifies: Vec::new(),
        })
    }
}
