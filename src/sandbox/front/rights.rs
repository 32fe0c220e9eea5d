//! What the role of an instance profile may do: the emulator has the policies, but does not enforce
//! them.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>, of
//! which conditions, boundaries and the policies of resources are not looked at.

use aws_sdk_iam::Client;
use aws_sdk_iam::error::DisplayErrorContext;
use serde_json::Value;
use url::form_urlencoded;

use crate::base::{Error, Result};

/// An instance profile.
pub(super) struct Profile {
    /// Its id.
    pub(super) id: String,
    /// The name of its role.
    pub(super) role: Option<String>,
}

/// What policies say of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One allows it, none denies it.
    Allowed,
    /// None allows it.
    Unmentioned,
    /// One denies it.
    Denied,
}

/// Whether the role of a profile is allowed an action such as `ssm:UpdateInstanceInformation`,
/// whatever it is done to.
pub(super) async fn allows(iam: &Client, arn: &str, action: &str) -> Result<bool> {
    let Some(role) = profile(iam, arn).await?.role else {
        return Ok(false);
    };
    let policies = policies(iam, &role).await?;
    Ok(judge(&policies, action, None) == Verdict::Allowed)
}

/// The profile of an ARN.
pub(super) async fn profile(iam: &Client, arn: &str) -> Result<Profile> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let answer = iam.get_instance_profile().instance_profile_name(name);
    let answer = answer.send().await.map_err(|cause| failed(&cause))?;
    let found = answer.instance_profile;
    let id = found.as_ref().map(|it| it.instance_profile_id.clone());
    let mut roles = found.map(|it| it.roles).unwrap_or_default().into_iter();
    Ok(Profile {
        id: id.unwrap_or_default(),
        role: roles.next().map(|it| it.role_name),
    })
}

/// The policies of a role, its own and those attached to it.
pub(super) async fn policies(iam: &Client, role: &str) -> Result<Vec<Value>> {
    let mut documents = Vec::new();
    let inline = iam.list_role_policies().role_name(role).send().await;
    for policy in inline.map_err(|cause| failed(&cause))?.policy_names {
        let call = iam.get_role_policy().role_name(role).policy_name(policy);
        let policy = call.send().await.map_err(|cause| failed(&cause))?;
        documents.push(document(&policy.policy_document));
    }
    let attached = iam.list_attached_role_policies().role_name(role);
    let attached = attached.send().await.map_err(|cause| failed(&cause))?;
    for policy in attached.attached_policies.unwrap_or_default() {
        let Some(arn) = policy.policy_arn else {
            continue;
        };
        let call = iam.get_policy().policy_arn(&arn).send().await;
        let policy = call.map_err(|cause| failed(&cause))?.policy;
        let version = policy.and_then(|it| it.default_version_id);
        let call = iam.get_policy_version().policy_arn(&arn);
        let call = call.set_version_id(version).send().await;
        let version = call.map_err(|cause| failed(&cause))?.policy_version;
        documents.extend(version.and_then(|it| it.document).as_deref().map(document));
    }
    Ok(documents)
}

fn failed<E: std::error::Error>(cause: &E) -> Error {
    Error::failed(format!(
        "asking for a role's rights: {}",
        DisplayErrorContext(cause)
    ))
}

/// A policy document, percent-encoded as IAM gives it.
fn document(text: &str) -> Value {
    let plain = format!("it={}", text.replace('+', "%2B"));
    let mut decoded = form_urlencoded::parse(plain.as_bytes());
    let text = decoded.next().map(|(_, text)| text).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// What policies say of an action with a resource. Where the resource is not known, one that
/// allows it for any allows it, and one that denies it must deny it for all.
pub(super) fn judge(policies: &[Value], action: &str, resource: Option<&str>) -> Verdict {
    let statements = policies.iter().flat_map(|it| list(&it["Statement"]));
    let mut verdict = Verdict::Unmentioned;
    for statement in statements.filter(|it| names(it, action)) {
        let denies = statement["Effect"] == "Deny";
        if !concerns(&statement, resource, denies) {
            continue;
        }
        if denies && statement["Condition"].is_null() {
            return Verdict::Denied;
        }
        if statement["Effect"] == "Allow" {
            verdict = Verdict::Allowed;
        }
    }
    verdict
}

fn names(statement: &Value, action: &str) -> bool {
    let any = |key: &str| any(&statement[key], &action.to_lowercase(), str::to_lowercase);
    match statement.get("NotAction") {
        Some(_) => !any("NotAction"),
        None => any("Action"),
    }
}

fn concerns(statement: &Value, resource: Option<&str>, denies: bool) -> bool {
    let Some(resource) = resource else {
        return !denies || list(&statement["Resource"]).iter().any(|it| it == "*");
    };
    let any = |key: &str| any(&statement[key], resource, str::to_owned);
    match statement.get("NotResource") {
        Some(_) => !any("NotResource"),
        None => any("Resource"),
    }
}

fn any(patterns: &Value, text: &str, alike: impl Fn(&str) -> String) -> bool {
    let patterns = list(patterns);
    let mut patterns = patterns.iter().filter_map(Value::as_str);
    patterns.any(|pattern| fits(alike(pattern).as_bytes(), text.as_bytes()))
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// Whether a pattern with stars and question marks fits a text.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, _) => text.is_empty(),
        (Some((b'*', rest)), _) => (0..=text.len()).any(|at| fits(rest, &text[at..])),
        (Some((wanted, rest)), Some((is, text))) => {
            (wanted == is || *wanted == b'?') && fits(rest, text)
        }
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(statements: &str, action: &str, resource: Option<&str>) -> Verdict {
        let text = format!(r#"{{"Statement":[{statements}]}}"#);
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let policies = [document(&encoded.replace('+', "%20"))];
        let verdict = judge(&policies, action, resource);
        assert_eq!(judge(&[document(&text)], action, resource), verdict);
        verdict
    }

    #[test]
    fn a_policy_allows_what_its_patterns_fit() {
        let action = "ssm:UpdateInstanceInformation";
        for (actions, wanted) in [
            (
                r#"["ssm:GetParameter","ssm:UpdateInstanceInformation"]"#,
                Verdict::Allowed,
            ),
            (r#""ssm:*""#, Verdict::Allowed),
            (r#""*""#, Verdict::Allowed),
            (r#""ssm:Update*Tags""#, Verdict::Unmentioned),
            (r#"["s3:*"]"#, Verdict::Unmentioned),
        ] {
            let allow = format!(r#"{{"Effect":"Allow","Action":{actions},"Resource":"*"}}"#);
            assert_eq!(judged(&allow, action, None), wanted, "{actions}");
            let deny = allow.replace("Allow", "Deny");
            assert_ne!(judged(&deny, action, None), Verdict::Allowed);
        }
    }

    #[test]
    fn a_resource_must_fit_and_a_denial_wins() {
        let allow =
            r#"{"Effect":"Allow","Action":"s3:Get*","Resource":["arn:aws:s3:::b/fleet-?/*"]}"#;
        let deny =
            r#"{"Effect":"Deny","NotAction":"s3:PutObject","Resource":"arn:aws:s3:::b/fleet-1/x"}"#;
        let get = |statements: &str, key: &str| {
            let resource = format!("arn:aws:s3:::b/{key}");
            judged(statements, "s3:GetObject", Some(&resource))
        };
        assert_eq!(get(allow, "fleet-1/x"), Verdict::Allowed);
        assert_eq!(get(allow, "fleet-10/x"), Verdict::Unmentioned);
        let both = format!("{allow},{deny}");
        assert_eq!(get(&both, "fleet-1/x"), Verdict::Denied);
        assert_eq!(get(&both, "fleet-1/y"), Verdict::Allowed);
        let others = r#"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/*"}"#;
        assert_eq!(get(others, "a"), Verdict::Unmentioned);
    }
}
