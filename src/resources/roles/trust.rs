//! Who may become a role.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::{Map, Value as Json, json};

use super::Role;
use crate::base::node::Step;
use crate::resources::policy_document::{PolicyDocument, Use};

/// Longer documents are refused, whatever the account's quota:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const LONGEST: usize = 4096;

/// The number of an AWS account, 12 digits; without quotes, YAML takes it as a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountId(pub String);

impl JsonSchema for AccountId {
    fn schema_name() -> Cow<'static, str> {
        "AccountId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "examples": ["123456789012"] })
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = AccountId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number of an AWS account")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<AccountId, E> {
                Ok(AccountId(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<AccountId, E> {
                Ok(AccountId(format!("{number:012}")))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<AccountId, E> {
                Ok(AccountId(format!("{number:012}")))
            }
        }

        deserializer.deserialize_any(Number)
    }
}

impl Role {
    /// The trust policy that the spec means.
    pub(super) fn trust(&self) -> PolicyDocument {
        if let Some(document) = &self.trust_policy {
            return document.clone();
        }
        let mut principal = Map::new();
        let services: Vec<String> = self
            .trusted_service
            .0
            .iter()
            .map(|it| service(it))
            .collect();
        let accounts: Vec<&str> = self.trusted_account.0.iter().map(|it| &*it.0).collect();
        if !services.is_empty() {
            principal.insert("Service".to_owned(), services.into());
        }
        if !accounts.is_empty() {
            principal.insert("AWS".to_owned(), accounts.into());
        }
        let statement = json!({
            "Effect": "Allow",
            "Principal": Json::Object(principal),
            "Action": "sts:AssumeRole",
        });
        PolicyDocument::of(vec![statement])
    }

    /// The fields of the spec that say who is trusted, for plans: the first that is given.
    pub(super) fn trust_field(&self) -> &'static str {
        if self.trust_policy.is_some() {
            "trust_policy"
        } else if self.trusted_service.0.is_empty() {
            "trusted_account"
        } else {
            "trusted_service"
        }
    }

    pub(super) fn trust_problems(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = Vec::new();
        let short = !self.trusted_service.0.is_empty() || !self.trusted_account.0.is_empty();
        match &self.trust_policy {
            None if !short => problems.push((
                Vec::new(),
                "a role needs `trusted_service`, `trusted_account` or `trust_policy`".to_owned(),
            )),
            Some(_) if short => problems.push((
                at("trust_policy"),
                "`trust_policy` says all: leave out `trusted_service` and `trusted_account`"
                    .to_owned(),
            )),
            Some(document) => {
                let its = document.problems(Use::Trust).into_iter();
                problems.extend(its.map(|text| (at("trust_policy"), text)));
            }
            None => {}
        }
        for account in &self.trusted_account.0 {
            let digits = account.0.bytes().all(|byte| byte.is_ascii_digit());
            if account.0.len() != 12 || !digits {
                let text = format!("`{}` is no account number: it has 12 digits", account.0);
                problems.push((at("trusted_account"), text));
            }
        }
        let length = self.trust().text().len();
        if length > LONGEST {
            let text = format!("a trust policy has at most {LONGEST} characters, not {length}");
            problems.push((at(self.trust_field()), text));
        }
        problems
    }
}

/// `ec2` is short for `ec2.amazonaws.com`.
fn service(name: &str) -> String {
    if name.contains('.') {
        name.to_owned()
    } else {
        format!("{name}.amazonaws.com")
    }
}
