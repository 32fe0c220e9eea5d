//! A key pair made on this machine: where its private half is kept, and in which forms.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use ssh_key::PrivateKey;

use super::{place, ppk, private_key};
use crate::aws::tags;
use crate::base::{Node, Result, Value};
use crate::contract::{Context, Target};
use crate::resources::local_path;

/// A new key, made here; an existing file at the path is reused if it is this key pair's
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Create {
    /// File for the private key, in OpenSSH's format and readable by its owner only; without it,
    /// `~/.ssh/STACK-NAME.pem`. Destroy leaves it
    pub private_key: Option<String>,
    /// Also write it in `PuTTY`'s format: `true` for beside `private_key`, or a path
    #[schemars(extend("x-fixed" = false, "default" = false))]
    pub ppk: Ppk,
}

/// Whether and where `PuTTY`'s form is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ppk {
    /// Not at all.
    #[default]
    No,
    /// Beside the private key, ending in `.ppk`.
    Beside,
    /// At a path of its own.
    At(String),
}

impl Create {
    /// The private key's path as text.
    pub(super) fn private_key_text(&self, target: Target<'_>) -> String {
        self.private_key.clone().unwrap_or_else(|| {
            let stack = target.tags.value(tags::STACK).unwrap_or_default();
            let name = target.address.name.replace(['[', ']', '/'], "-");
            format!("~/.ssh/{stack}-{}.pem", name.trim_end_matches('-'))
        })
    }

    /// The key that is on this machine already, if it is this key pair's.
    pub(super) fn existing(&self, target: Target<'_>) -> Option<PrivateKey> {
        let path = local_path::expand(&self.private_key_text(target));
        let path = Value::Text(path.to_string_lossy().into_owned());
        let bytes = target.render.file(&Node::new(target.at, path)).ok()?;
        private_key::ours(&bytes, &comment(target))
    }

    /// The key, made and written if it is not there yet, in all the forms asked for.
    pub(super) fn ensure(&self, cx: &Context, target: Target<'_>) -> Result<PrivateKey> {
        let path = place(cx, &self.private_key_text(target));
        let key = private_key::ensure(&path, &comment(target))?;
        let putty = match &self.ppk {
            Ppk::No => None,
            Ppk::Beside => Some(path.with_extension("ppk")),
            Ppk::At(text) => Some(place(cx, text)),
        };
        if let Some(putty) = putty {
            private_key::write_new(&putty, ppk::text(&key)?.as_bytes())?;
        }
        Ok(key)
    }
}

/// The comment in the key by which its file is known as ours.
fn comment(target: Target<'_>) -> String {
    let stack = target.tags.value(tags::STACK).unwrap_or_default();
    format!("tidewalk {stack} {}", target.address)
}

impl JsonSchema for Ppk {
    fn schema_name() -> Cow<'static, str> {
        "Ppk".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["boolean", "string"] })
    }
}

impl<'de> Deserialize<'de> for Ppk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YesOrPath)
    }
}

struct YesOrPath;

impl Visitor<'_> for YesOrPath {
    type Value = Ppk;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`true` or a path")
    }

    fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Ppk, E> {
        Ok(if yes { Ppk::Beside } else { Ppk::No })
    }

    fn visit_str<E: de::Error>(self, path: &str) -> Result<Ppk, E> {
        Ok(Ppk::At(path.to_owned()))
    }
}
