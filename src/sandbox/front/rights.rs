//! What the role of an instance profile may do, as far as a rule must know it: the emulator has the
//! policies, but does not enforce them.

use aws_sdk_iam::Client;
use aws_sdk_iam::error::DisplayErrorContext;
use serde_json::Value;
use url::form_urlencoded;

use crate::base::{Error, Result};

/// Whether the role of a profile is allowed an action such as `ssm:UpdateInstanceInformation` by any
/// of its policies. Conditions, denials and boundaries are not looked at.
pub(crate) async fn allows(iam: &Client, profile: &str, action: &str) -> Result<bool> {
    let name = profile.rsplit('/').next().unwrap_or_default();
    let answer = iam.get_instance_profile().instance_profile_name(name);
    let answer = answer.send().await.map_err(|cause| failed(&cause))?;
    let roles = answer.instance_profile.map(|it| it.roles);
    let Some(role) = roles.into_iter().flatten().next().map(|it| it.role_name) else {
        return Ok(false);
    };
    let inline = iam.list_role_policies().role_name(&role).send().await;
    for policy in inline.map_err(|cause| failed(&cause))?.policy_names {
        let call = iam.get_role_policy().role_name(&role).policy_name(policy);
        let policy = call.send().await.map_err(|cause| failed(&cause))?;
        if is_in(&policy.policy_document, action) {
            return Ok(true);
        }
    }
    let attached = iam.list_attached_role_policies().role_name(&role);
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
        let document = version.and_then(|it| it.document);
        if document.is_some_and(|document| is_in(&document, action)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn failed<E: std::error::Error>(cause: &E) -> Error {
    Error::failed(format!(
        "asking for a role's rights: {}",
        DisplayErrorContext(cause)
    ))
}

/// Whether a policy document, percent-encoded as IAM gives it, allows an action.
fn is_in(document: &str, action: &str) -> bool {
    let plain = format!("it={}", document.replace('+', "%2B"));
    let mut decoded = form_urlencoded::parse(plain.as_bytes());
    let text = decoded.next().map(|(_, text)| text).unwrap_or_default();
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let statements = list(&document["Statement"]);
    let mut allowing = statements.iter().filter(|it| it["Effect"] == "Allow");
    allowing.any(|statement| {
        let actions = list(&statement["Action"]);
        let mut actions = actions.iter().filter_map(Value::as_str);
        actions.any(|pattern| fits(&pattern.to_lowercase(), &action.to_lowercase()))
    })
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// Whether a pattern with stars fits a text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len()).any(|at| text.is_char_boundary(at) && fits(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_allows_what_its_patterns_fit() {
        let action = "ssm:UpdateInstanceInformation";
        for (actions, wanted) in [
            (
                r#"["ssm:GetParameter","ssm:UpdateInstanceInformation"]"#,
                true,
            ),
            (r#""ssm:*""#, true),
            (r#""*""#, true),
            (r#""ssm:Update*Tags""#, false),
            (r#"["s3:*"]"#, false),
        ] {
            let document = format!(r#"{{"Statement":[{{"Effect":"Allow","Action":{actions}}}]}}"#);
            assert_eq!(is_in(&document, action), wanted, "{actions}");
            let encoded: String = form_urlencoded::byte_serialize(document.as_bytes()).collect();
            let encoded = encoded.replace('+', "%20");
            assert_eq!(is_in(&encoded, action), wanted, "{actions}");
            let denied = document.replace("Allow", "Deny");
            assert!(!is_in(&denied, action));
        }
    }
}
