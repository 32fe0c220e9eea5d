//! A security group that something uses cannot be deleted.

use super::Rule;
use super::rule::{Refusal, refuse};
use crate::base::Result;
use crate::sandbox::front::{Call, Front, State};

pub(super) const RULES: &[Rule] = &[Rule {
    actions: &["DeleteSecurityGroup"],
    code: "DependencyViolation",
    source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html",
    refuse: |front, call| Box::pin(in_use(front, call)),
}];

async fn in_use(front: &Front, call: &Call) -> Result<Option<Refusal>> {
    let region = &call.region;
    let group = match (call.params.value("GroupId"), call.params.value("GroupName")) {
        (Some(id), _) => Some(id.to_owned()),
        (None, Some(name)) => front.cloud.group_id(region, name).await?,
        (None, None) => None,
    };
    let Some(group) = group else { return Ok(None) };
    let violation = || refuse(format!("resource {group} has a dependent object"));

    let machines = front.cloud.machines(region, &[], Some(&group)).await?;
    if machines
        .iter()
        .any(|machine| front.state_of(machine) != Some(State::Terminated))
    {
        return Ok(Some(violation()));
    }
    // The emulator keeps the interfaces of terminated instances.
    let gone: Vec<&str> = machines.iter().map(|machine| machine.id.as_str()).collect();
    let interfaces = front.cloud.interfaces_in(region, &group).await?;
    let held = interfaces
        .iter()
        .any(|(_, instance)| instance.as_deref().is_none_or(|id| !gone.contains(&id)));
    if held
        || !front
            .cloud
            .groups_that_name(region, &group)
            .await?
            .is_empty()
    {
        return Ok(Some(violation()));
    }
    Ok(None)
}
