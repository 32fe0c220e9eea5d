//! Tag keys that begin with `aws:` are AWS's own.

use super::Rule;
use super::rule::refuse;
use crate::sandbox::front::Call;

pub(super) const RULES: &[Rule] = &[Rule {
    actions: &[],
    code: "InvalidParameterValue",
    source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions",
    refuse: |_, call| {
        Box::pin(async move {
            Ok(reserved_key(call).map(|key| {
                refuse(format!(
                    "Tag keys starting with 'aws:' are reserved for internal use: {key}"
                ))
            }))
        })
    },
}];

/// The first reserved key in `Tag.N.Key` or `TagSpecification.N.Tag.M.Key`, of calls that write.
fn reserved_key(call: &Call) -> Option<&str> {
    let writes = call.action != "DeleteTags" && !call.action.starts_with("Describe");
    let is_key = |name: &str| {
        (name.starts_with("Tag.") || name.starts_with("TagSpecification."))
            && name.ends_with(".Key")
    };
    let mut entries = call.params.0.iter().filter(|(name, _)| is_key(name));
    entries
        .find(|(_, key)| writes && key.to_ascii_lowercase().starts_with("aws:"))
        .map(|(_, key)| key.as_str())
}
