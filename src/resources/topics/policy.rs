//! The access policy of a topic. AWS gives every topic one, which stands for none here.

use serde_json::{Value as Json, json};

use crate::base::Shown;

const DEFAULT_ID: &str = "__default_policy_ID";

/// The document, written as such or as text; `None` when it is no JSON.
pub(super) fn read(written: &Json) -> Option<Json> {
    match written {
        Json::String(text) => serde_json::from_str(text).ok().filter(Json::is_object),
        Json::Object(_) => Some(written.clone()),
        _ => None,
    }
}

/// Both sides to be shown: the same when they mean the same.
pub(super) fn shown(live: &Json, wanted: Option<&Json>) -> (Shown, Shown) {
    let show = |policy: &Json| match serde_json::to_string_pretty(policy) {
        Ok(text) => Shown::Block(text),
        Err(_) => Shown::Absent,
    };
    let wanted = wanted.and_then(read);
    let old = if is_default(live) {
        Shown::Absent
    } else {
        show(live)
    };
    let new = wanted.as_ref().map_or(Shown::Absent, show);
    match wanted {
        Some(wanted) if wanted == *live => (new.clone(), new),
        _ => (old, new),
    }
}

fn is_default(policy: &Json) -> bool {
    policy.is_null() || policy["Id"] == DEFAULT_ID
}

/// What AWS gives a new topic: its account may do everything with it.
pub(super) fn default(arn: &str, account: &str) -> Json {
    let actions = [
        "SNS:GetTopicAttributes",
        "SNS:SetTopicAttributes",
        "SNS:AddPermission",
        "SNS:RemovePermission",
        "SNS:DeleteTopic",
        "SNS:Subscribe",
        "SNS:ListSubscriptionsByTopic",
        "SNS:Publish",
    ];
    json!({
        "Version": "2008-10-17",
        "Id": DEFAULT_ID,
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": actions,
            "Resource": arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": account } },
        }],
    })
}
