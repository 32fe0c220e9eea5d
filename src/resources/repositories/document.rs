//! Policy documents: JSON that is the same whatever its order and its shorthands.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde_json::Value;

/// A policy document as it was written; two are the same when they mean the same.
#[derive(Clone, Debug)]
pub struct Document(Value);

impl Document {
    pub(super) fn new(value: Value) -> Self {
        Self(value)
    }

    /// The text to send.
    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    /// What AWS answered; what is no JSON is kept as text.
    pub(super) fn read(text: &str) -> Self {
        Self::new(serde_json::from_str(text).unwrap_or_else(|_| text.into()))
    }

    /// The whole number that a JSON pointer leads to.
    pub(super) fn number(&self, pointer: &str) -> Option<u32> {
        u32::try_from(self.0.pointer(pointer)?.as_u64()?).ok()
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        canonical(self.0.clone()) == canonical(other.0.clone())
    }
}

/// In the same form for documents that are the same.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        canonical(self.0.clone()).fmt(f)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = match Value::deserialize(deserializer)? {
            Value::String(text) => serde_json::from_str(&text)
                .map_err(|error| de::Error::custom(format!("this is no JSON: {error}")))?,
            other => other,
        };
        if value.is_object() {
            Ok(Self::new(value))
        } else {
            Err(de::Error::custom("a policy document is a mapping"))
        }
    }
}

impl JsonSchema for Document {
    fn schema_name() -> Cow<'static, str> {
        "Document".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["object", "string"] })
    }
}

/// A list of one text is the text, the order of texts means nothing, and an account's number as a
/// principal is its root user: AWS writes it so, whatever was sent.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let entry = |(key, value): (String, Value)| {
                let value = canonical(value);
                let value = if key == "AWS" {
                    principal(value)
                } else {
                    value
                };
                (key, value)
            };
            let entries: BTreeMap<_, _> = map.into_iter().map(entry).collect();
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(list) => {
            let mut list: Vec<_> = list.into_iter().map(canonical).collect();
            match list.as_mut_slice() {
                [Value::String(one)] => Value::String(std::mem::take(one)),
                many => {
                    if many.iter().all(Value::is_string) {
                        many.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
                    }
                    Value::Array(list)
                }
            }
        }
        other => other,
    }
}

fn principal(value: Value) -> Value {
    match value {
        Value::String(account)
            if account.len() == 12 && account.chars().all(|c| c.is_ascii_digit()) =>
        {
            Value::String(format!("arn:aws:iam::{account}:root"))
        }
        Value::Array(list) => Value::Array(list.into_iter().map(principal).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_that_mean_the_same_are_the_same() {
        let written = Document::new(json!({ "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": ["123456789012"] },
            "Action": ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
        }] }));
        let told = Document::read(
            r#"{"Statement":[{"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],
            "Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Effect":"Allow"}]}"#,
        );
        assert_eq!(written, told);
        assert_ne!(written, Document::new(json!({ "Statement": [] })));
    }
}
