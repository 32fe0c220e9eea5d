//! What instances and launch templates are made with alike: key pair, security groups, instance
//! profile, and what can be told to be wrong with them.

use aws_sdk_ec2::types::IamInstanceProfileSpecification;

use super::instances::ami::Ami;
use super::instances::root_volume::RootVolume;
use super::reference::{InstanceProfileName, KeyPairName, SecurityGroupName, named};
use crate::base::node::Step;
use crate::base::secret::MASK;
use crate::base::{Address, Error, Result, Shown};
use crate::contract::Target;

/// What can be told to be wrong with image, type and disk.
#[must_use]
pub fn problems(
    ami: &Ami,
    instance_type: &str,
    root_volume: &RootVolume,
) -> Vec<(Vec<Step>, String)> {
    let at = |key: &str| vec![Step::Key(key.to_owned())];
    let mut found = Vec::new();
    if let Some(problem) = ami.problem() {
        found.push((at("ami"), problem));
    }
    if !instance_type.contains('.') {
        let text = format!("`{instance_type}` is not an instance type, such as `t3a.small`");
        found.push((at("instance_type"), text));
    }
    for (key, problem) in root_volume.problems() {
        found.push(([at("root_volume"), at(key)].concat(), problem));
    }
    found
}

/// The name in AWS of the wanted key pair.
///
/// # Errors
/// A playbook error when it does not exist.
pub fn key_name(wanted: Option<&KeyPairName>, target: Target<'_>) -> Result<Option<String>> {
    let Some(KeyPairName(name)) = wanted else {
        return Ok(None);
    };
    let address = Address::new("key_pairs", name);
    let known = target.world.output(&address, "name");
    match known.and_then(serde_json::Value::as_str) {
        Some(known) => Ok(Some(known.to_owned())),
        None => Err(missing("key pair", "key_pair", name, target)),
    }
}

/// The key pair that is there and the wanted one; `None` when they are the same.
#[must_use]
pub fn key_shown(
    wanted: Option<&KeyPairName>,
    live: Option<&String>,
    target: Target<'_>,
) -> Option<(Shown, Shown)> {
    let new = match wanted {
        None => Shown::Absent,
        Some(KeyPairName(name)) => {
            let address = Address::new("key_pairs", name);
            let known = target.world.output(&address, "name");
            match known.and_then(serde_json::Value::as_str) {
                Some(known) => Shown::of(known),
                // It is to be made, maybe again: who has it keeps the key it was made with.
                None if live == Some(name) => return None,
                None => Shown::AfterApply,
            }
        }
    };
    Some((Shown::option(live), new))
}

/// The ids of the wanted groups; `None` for the VPC's default one.
///
/// # Errors
/// A playbook error when one does not exist.
pub fn group_ids(wanted: &[SecurityGroupName], target: Target<'_>) -> Result<Option<Vec<String>>> {
    let id = |name: &str| match target.world.id("security_groups", name) {
        Some(id) => Ok(id.to_owned()),
        None => Err(missing("security group", "security_groups", name, target)),
    };
    let ids: Result<Vec<_>> = wanted.iter().map(|group| id(&group.0)).collect();
    ids.map(|ids| (!ids.is_empty()).then_some(ids))
}

/// The groups that are there (ids, sorted) and the wanted ones; `None` when they are the same.
#[must_use]
pub fn groups_shown(
    wanted: &[SecurityGroupName],
    live: &[String],
    target: Target<'_>,
) -> Option<(Shown, Shown)> {
    let words = |id: &str| named(target.world, "security_groups", id).to_owned();
    let old = || Shown::list(live.iter().map(|id| words(id)));
    let id = |group: &SecurityGroupName| target.world.id("security_groups", &group.0);
    let mut ids: Vec<_> = wanted.iter().filter_map(id).collect();
    ids.sort_unstable();
    ids.dedup();
    if wanted.iter().any(|group| id(group).is_none()) {
        Some((old(), Shown::AfterApply))
    } else if ids == live {
        None
    } else {
        Some((old(), Shown::list(ids.into_iter().map(words))))
    }
}

/// The instance profile that is there (its name) and the wanted one.
#[must_use]
pub fn profile_shown(
    wanted: Option<&InstanceProfileName>,
    live: Option<&String>,
    target: Target<'_>,
) -> (Shown, Shown) {
    let new = match wanted {
        None => Shown::Absent,
        Some(profile) => match profile.name(target.world) {
            Some(name) => Shown::of(name),
            None => Shown::AfterApply,
        },
    };
    (Shown::option(live), new)
}

/// The name in a name or an ARN of an instance profile.
#[must_use]
pub fn profile_name(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

/// The name of the wanted instance profile.
///
/// # Errors
/// A playbook error when it does not exist.
pub fn wanted_profile<'a>(
    wanted: Option<&'a InstanceProfileName>,
    target: Target<'a>,
) -> Result<Option<&'a str>> {
    let Some(profile) = wanted else {
        return Ok(None);
    };
    let Some(name) = profile.name(target.world) else {
        let field = "instance_profile";
        let error = missing("the instance profile of role", field, &profile.0, target);
        return Err(error.hint("write `instance_profile: true` under the role"));
    };
    Ok(Some(name))
}

/// The instance profile as a launch is told.
///
/// # Errors
/// A playbook error when it does not exist.
pub fn profile(
    wanted: Option<&InstanceProfileName>,
    target: Target<'_>,
) -> Result<Option<IamInstanceProfileSpecification>> {
    let name = wanted_profile(wanted, target)?;
    let profile = |name| {
        IamInstanceProfileSpecification::builder()
            .name(name)
            .build()
    };
    Ok(name.map(profile))
}

/// User data as a plan shows it: by its hash.
#[must_use]
pub fn user_data_shown(hash: Option<&str>, target: Target<'_>) -> Shown {
    let node = target.node.entry("user_data");
    match hash {
        Some(hash) if node.is_some_and(|node| node.secret) => Shown::of(format!("{MASK} ({hash})")),
        hash => Shown::option(hash),
    }
}

fn missing(noun: &str, field: &str, name: &str, target: Target<'_>) -> Error {
    let at = target.node.entry(field).map_or(target.at, |node| &node.at);
    Error::playbook(format!("{noun} `{}` does not exist", Shown::of(name)), at)
}
