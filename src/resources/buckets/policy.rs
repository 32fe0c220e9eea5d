//! The policy document of a bucket, compared by what it means.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use crate::base::Shown;

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>.
const LARGEST: usize = 20 << 10;

/// A policy document, in one form: lists where one value would do, in one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy(Json);

impl JsonSchema for Policy {
    fn schema_name() -> Cow<'static, str> {
        "Policy".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["object", "string"] })
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let policy = match Json::deserialize(deserializer)? {
            Json::String(text) => Self::read(&text),
            json => Some(Self(one_form(json, ""))),
        };
        policy
            .filter(|it| it.0.get("Statement").is_some())
            .ok_or_else(|| de::Error::custom("expected a policy document, with a `Statement`"))
    }
}

impl Policy {
    /// A document as S3 has it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let json = serde_json::from_str(text).ok()?;
        Some(Self(one_form(json, "")))
    }

    /// As S3 takes it.
    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    pub(super) fn shown(&self) -> Shown {
        let text = serde_json::to_string_pretty(&self.0);
        Shown::Block(text.unwrap_or_else(|_| self.text()))
    }

    pub(super) fn problem(&self) -> Option<String> {
        let text = format!("a bucket's policy has at most {LARGEST} bytes");
        (self.text().len() > LARGEST).then_some(text)
    }
}

/// Keys whose value is a list of any length.
const LISTS: [&str; 8] = [
    "Statement",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "AWS",
    "Service",
    "Federated",
];

fn one_form(json: Json, key: &str) -> Json {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            let entries = entries.into_iter().map(|(key, value)| {
                let value = one_form(value, &key);
                let value = if LISTS.contains(&key.as_str()) && !value.is_array() {
                    Json::Array(vec![value])
                } else {
                    value
                };
                (key, value)
            });
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Json::Array(list) => {
            let mut list: Vec<Json> = list.into_iter().map(|item| one_form(item, key)).collect();
            list.sort_by_cached_key(ToString::to_string);
            Json::Array(list)
        }
        // S3 writes an account as its root user.
        Json::String(text)
            if key == "AWS" && text.len() == 12 && text.bytes().all(|it| it.is_ascii_digit()) =>
        {
            format!("arn:aws:iam::{text}:root").into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ways_of_writing_one_policy_are_the_same() {
        let long = r#"{ "Statement": [{ "Action": ["s3:GetObject"], "Principal": { "AWS": ["123456789012"] } }] }"#;
        let short = r#"{ "Statement": { "Principal": { "AWS": "arn:aws:iam::123456789012:root" }, "Action": "s3:GetObject" } }"#;
        assert_eq!(Policy::read(long), Policy::read(short));
        assert_eq!(Policy::read("no document"), None);
    }
}
