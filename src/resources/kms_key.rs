//! A KMS key in a typed field: of the playbook, or of the account by id or ARN.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::base::{Address, Known, Shown, World};

/// What is an id or an ARN, and no name.
const NO_NAME: &str = "^(arn:aws|mrk-|[0-9a-f]{8}-[0-9a-f]{4}-)";

/// The name of a KMS key, or the id or ARN of one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct KmsKey(pub String);

impl JsonSchema for KmsKey {
    fn schema_name() -> Cow<'static, str> {
        "KmsKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "the name of a KMS key, or the id or ARN of one in the account",
            "x-kind": "keys",
            "x-kind-unless": NO_NAME,
        })
    }
}

impl KmsKey {
    /// What AWS has to be told: the ARN where it is known. `None` while the key does not exist.
    #[must_use]
    pub fn id<'a>(&'a self, world: &'a World) -> Option<&'a str> {
        let address = Address::new("keys", &self.0);
        match world.output(&address, "arn") {
            Some(arn) => arn.as_str(),
            None if self.is_name() => None,
            None => Some(&self.0),
        }
    }

    fn is_name(&self) -> bool {
        let text = &self.0;
        let id = |text: &str| text.len() == 36 && text.matches('-').count() == 4;
        !(text.starts_with("arn:aws") || text.starts_with("mrk-") || id(text))
    }

    /// The two sides of a diff, in the playbook's words: the key that is wanted, and the ARN or id
    /// of the one that is used.
    #[must_use]
    pub fn shown(wanted: Option<&Self>, live: Option<&str>, world: &World) -> (Shown, Shown) {
        let old = Shown::option(live.map(|live| named(world, live)));
        let new = match wanted {
            None => Shown::Absent,
            Some(key) => match key.id(world) {
                None => Shown::AfterApply,
                Some(id) if live.is_some_and(|live| is_same(live, id)) => old.clone(),
                Some(id) => Shown::of(named(world, id)),
            },
        };
        (old, new)
    }
}

/// Both name one key, by ARN or by id.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    let id = |text: &str| text.rsplit('/').next().map(str::to_owned);
    let arns = one.starts_with("arn:") && other.starts_with("arn:");
    one == other || !arns && id(one) == id(other)
}

/// The playbook's name of a key, where it has one.
fn named<'a>(world: &'a World, id: &'a str) -> &'a str {
    let its = |(address, known): (&'a Address, &'a Known)| {
        let outputs = known.outputs.as_ref()?;
        let arn = outputs.text("arn")?;
        (address.kind == "keys" && is_same(arn, id)).then_some(address.name.as_str())
    };
    world.0.iter().find_map(its).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_an_arn_name_the_same_key() {
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let arn = format!("arn:aws:kms:eu-west-1:1:key/{id}");
        assert!(is_same(&arn, id));
        assert!(!is_same(&arn, "arn:aws:kms:eu-west-1:2:key/x"));
        assert!(KmsKey("data".to_owned()).is_name());
        assert!(!KmsKey(id.to_owned()).is_name());
    }
}
