//! The lifecycle policy that keeps a number of images.

use serde_json::json;

use super::document::Document;

/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html>
pub(super) fn keeping(count: u32) -> Document {
    Document::new(json!({
        "rules": [{
            "rulePriority": 1,
            "description": format!("keep the newest {count}"),
            "selection": {
                "tagStatus": "any",
                "countType": "imageCountMoreThan",
                "countNumber": count,
            },
            "action": { "type": "expire" },
        }]
    }))
}

/// The number of images that a policy keeps when it is one of [`keeping`], else the policy.
pub(super) fn sorted(policy: Option<&Document>) -> (Option<u32>, Option<&Document>) {
    let Some(policy) = policy else {
        return (None, None);
    };
    match policy.number("/rules/0/selection/countNumber") {
        Some(count) if keeping(count) == *policy => (Some(count), None),
        _ => (None, Some(policy)),
    }
}
