//! Termination protection holds for all instances of a request, before any is ended.

use super::Rule;
use super::rule::refuse;

pub(super) const RULES: &[Rule] = &[Rule {
    actions: &["TerminateInstances"],
    code: "OperationNotPermitted",
    source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingDisableAPITermination.html",
    refuse: |front, call| {
        Box::pin(async move {
            let ids = call.params.list("InstanceId");
            let protected = ids.iter().find(|id| front.states.is_protected(id));
            Ok(protected.map(|id| {
                refuse(format!(
                    "The instance '{id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
                ))
            }))
        })
    },
}];
