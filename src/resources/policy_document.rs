//! IAM policy documents: written in YAML, compared by what they mean.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde_json::{Map, Value as Json, json};

use crate::aws::iam;
use crate::base::Shown;

/// The version of the policy language in use since 2012.
const VERSION: &str = "2012-10-17";

/// A policy document in its canonical form: two that mean the same are equal. A playbook writes a
/// whole document (`{ Statement: […] }`) or only the list of its statements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyDocument(Json);

/// What a document is for, which tells what its statements need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// What somebody may do: has `Resource`, and no `Principal`.
    Identity,
    /// Who may become a role: has `Principal`, and no `Resource`.
    Trust,
    /// Who may do what with the resource that it is on: has `Principal`.
    Resource,
}

impl JsonSchema for PolicyDocument {
    fn schema_name() -> Cow<'static, str> {
        "PolicyDocument".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "object" },
                { "type": "array", "items": { "type": "object" } },
            ]
        })
    }
}

impl<'de> Deserialize<'de> for PolicyDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = match Json::deserialize(deserializer)? {
            Json::Array(statements) => json!({ "Statement": statements }),
            json @ Json::Object(_) => json,
            _ => return Err(de::Error::custom("expected a policy document")),
        };
        if json.get("Statement").is_none() {
            let text = "a policy document has a `Statement`, or is the list of its statements";
            return Err(de::Error::custom(text));
        }
        Ok(Self(canonical(json)))
    }
}

impl PolicyDocument {
    /// The document with these statements.
    #[must_use]
    pub fn of(statements: Vec<Json>) -> Self {
        let statements = ("Statement".to_owned(), Json::Array(statements));
        Self(canonical(Json::from_iter([statements])))
    }

    /// A document as AWS tells it; one that cannot be read is unlike any other.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let text = if text.trim_start().starts_with('{') {
            text.to_owned()
        } else {
            iam::decoded(text)
        };
        Self(serde_json::from_str(&text).map_or(Json::String(text), canonical))
    }

    /// The document as AWS takes it.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// The document in lines, to be compared by the reader of a plan.
    #[must_use]
    pub fn shown(&self) -> Shown {
        let text = serde_json::to_string_pretty(&self.0);
        Shown::Block(text.unwrap_or_else(|_| self.text()))
    }

    /// What is wrong with it for this use, as far as it can be told offline.
    #[must_use]
    pub fn problems(&self, of: Use) -> Vec<String> {
        let statements = self.0.get("Statement").and_then(Json::as_array);
        let mut problems = Vec::new();
        for (number, statement) in statements.into_iter().flatten().enumerate() {
            let has = |keys: [&str; 2]| keys.iter().any(|key| statement.get(*key).is_some());
            let which = || match statement.get("Sid").and_then(Json::as_str) {
                Some(sid) => format!("statement `{sid}`"),
                None => format!("statement {}", number + 1),
            };
            let effect = statement.get("Effect").and_then(Json::as_str);
            if !matches!(effect, Some("Allow" | "Deny")) {
                problems.push(format!("{} needs `Effect: Allow` or `Deny`", which()));
            }
            if !has(["Action", "NotAction"]) {
                problems.push(format!("{} needs an `Action`", which()));
            }
            let (principal, resource) = (
                has(["Principal", "NotPrincipal"]),
                has(["Resource", "NotResource"]),
            );
            match of {
                Use::Identity if principal => problems.push(format!(
                    "{} has a `Principal`: who may do it is whoever has the policy",
                    which()
                )),
                Use::Identity if !resource => {
                    problems.push(format!("{} needs a `Resource`, such as `\"*\"`", which()));
                }
                Use::Trust if resource => problems.push(format!(
                    "{} has a `Resource`: a trust policy is about its own role",
                    which()
                )),
                Use::Trust | Use::Resource if !principal => {
                    problems.push(format!("{} needs a `Principal`", which()));
                }
                _ => {}
            }
        }
        if statements.is_none_or(Vec::is_empty) {
            problems.push("a policy document needs at least one statement".to_owned());
        }
        problems
    }
}

/// The same document in one form: lists where one value would do, sorted where order means nothing.
fn canonical(document: Json) -> Json {
    let Json::Object(mut map) = document else {
        return document;
    };
    let mut statements: Vec<Json> = match map.remove("Statement") {
        Some(Json::Array(list)) => list.into_iter().map(statement).collect(),
        Some(one) => vec![statement(one)],
        None => Vec::new(),
    };
    statements.sort_by_cached_key(ToString::to_string);
    let version = map.remove("Version").unwrap_or_else(|| VERSION.into());
    let mut whole = Map::new();
    whole.insert("Version".to_owned(), version);
    if let Some(id) = map.remove("Id").filter(|id| *id != "") {
        whole.insert("Id".to_owned(), id);
    }
    whole.insert("Statement".to_owned(), statements.into());
    Json::Object(whole)
}

fn statement(statement: Json) -> Json {
    const ORDER: [&str; 9] = [
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    let Json::Object(mut map) = statement else {
        return statement;
    };
    let mut whole = Map::new();
    for key in ORDER {
        let Some(value) = map.remove(key) else {
            continue;
        };
        let value = match key {
            "Sid" if value == "" => continue,
            "Sid" | "Effect" => value,
            "Principal" | "NotPrincipal" => principal(value),
            "Condition" => sorted_map(value, |tests| sorted_map(tests, values)),
            _ => values(value),
        };
        whole.insert(key.to_owned(), value);
    }
    whole.extend(map);
    Json::Object(whole)
}

/// `*` is everybody of AWS; an account's number is its root.
fn principal(value: Json) -> Json {
    let Json::Object(map) = value else {
        return json!({ "AWS": values(value) });
    };
    let mut kinds: Vec<(String, Json)> = map
        .into_iter()
        .map(|(kind, value)| {
            let Json::Array(list) = values(value) else {
                return (kind, Json::Null);
            };
            let mut list: Vec<Json> = list.into_iter().map(account_root).collect();
            list.sort_by_cached_key(ToString::to_string);
            (kind, list.into())
        })
        .collect();
    kinds.sort_by(|a, b| a.0.cmp(&b.0));
    Json::Object(kinds.into_iter().collect())
}

fn account_root(principal: Json) -> Json {
    match principal.as_str() {
        Some(text) if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("arn:aws:iam::{text}:root").into()
        }
        _ => principal,
    }
}

fn sorted_map(value: Json, each: impl Fn(Json) -> Json) -> Json {
    let Json::Object(map) = value else {
        return value;
    };
    let mut entries: Vec<_> = map
        .into_iter()
        .map(|(key, value)| (key, each(value)))
        .collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Json::Object(entries.into_iter().collect())
}

/// One value or several, as a sorted list of texts without repetition.
fn values(value: Json) -> Json {
    let list = match value {
        Json::Array(list) => list,
        one => vec![one],
    };
    let mut texts: Vec<Json> = list
        .into_iter()
        .map(|value| match value {
            Json::Bool(_) | Json::Number(_) => value.to_string().into(),
            other => other,
        })
        .collect();
    texts.sort_by_cached_key(ToString::to_string);
    texts.dedup();
    texts.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(json: Json) -> PolicyDocument {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn documents_that_mean_the_same_are_equal() {
        let short = document(json!([
            { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
              "Condition": { "Bool": { "aws:SecureTransport": true } } },
            { "Effect": "Deny", "Action": ["b:B", "a:A"], "Resource": ["*"] },
        ]));
        let long = document(json!({
            "Version": "2012-10-17",
            "Statement": [
                { "Sid": "", "Resource": "*", "Action": ["a:A", "b:B"], "Effect": "Deny" },
                { "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"],
                  "Condition": { "Bool": { "aws:SecureTransport": ["true"] } } },
            ],
        }));
        assert_eq!(short, long);
        assert_eq!(PolicyDocument::read(&long.text()), short);
        let encoded = long.text().replace('{', "%7B").replace('"', "%22");
        assert_eq!(PolicyDocument::read(&encoded), short);
        let trust = |principal: Json| {
            document(json!([
                { "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }
            ]))
        };
        let root = trust(json!({ "AWS": ["arn:aws:iam::123456789012:root"] }));
        assert_eq!(trust(json!({ "AWS": "123456789012" })), root);
        assert_eq!(trust(json!("*")), trust(json!({ "AWS": "*" })));
        assert_ne!(trust(json!("*")), root);
    }

    #[test]
    fn what_a_statement_lacks_is_said() {
        let bad = document(json!([{ "Effect": "allow", "Resource": "*" }]));
        assert_eq!(
            bad.problems(Use::Identity),
            [
                "statement 1 needs `Effect: Allow` or `Deny`",
                "statement 1 needs an `Action`"
            ]
        );
        let trust = document(json!([
            { "Sid": "a", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*" }
        ]));
        let told = trust.problems(Use::Trust);
        assert!(told[0].starts_with("statement `a` has a `Resource`"));
        assert!(PolicyDocument::of(Vec::new()).problems(Use::Trust).len() == 1);
    }
}
