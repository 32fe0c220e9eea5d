//! Deletes a security group, and tells who holds it while it cannot be.

use std::time::Duration;

use super::rules_applied::Side;
use super::{Live, list, members};
use crate::aws::ec2::{filter, tags_of};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Resource as _};

/// Interfaces of terminated instances and deleted load balancers take minutes to go.
const DEADLINE: Duration = Duration::from_mins(10);

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let address = match live.tags.owner() {
        Some(owner) => owner.address,
        None => Address::new(super::SecurityGroup::KIND, &live.name),
    };
    let news = |text: &str| cx.progress.doing(&address, text);
    let what = format!("security group `{}` to be free", live.name);
    let wait = Wait::new(what, DEADLINE, &news);
    let done = wait.until(async || {
        let call = cx.aws.ec2.delete_security_group().group_id(&live.id);
        match call
            .send()
            .await
            .map_err(refused("ec2:DeleteSecurityGroup"))
        {
            Ok(_) => Ok(Poll::Ready(())),
            Err(error) if is_code(&error, "InvalidGroup.NotFound") => Ok(Poll::Ready(())),
            Err(error)
                if is_code(&error, "DependencyViolation")
                    || is_code(&error, "InvalidGroup.InUse") =>
            {
                release_own(cx, live).await?;
                let holders = holders(cx, live).await?;
                if let Some(foreign) = holders.iter().find(|holder| holder.stays) {
                    return Err(held(live, &holders).hint(foreign.remedy(live)));
                }
                Ok(Poll::Pending(in_words(&holders)))
            }
            Err(error) => Err(error),
        }
    });
    match done.await {
        Err(error) if is_code(&error, "Timeout") => {
            let holders = holders(cx, live).await?;
            let hint = "run the command again once they are gone";
            Err(held(live, &holders).code("DependencyViolation").hint(hint))
        }
        done => done,
    }
}

/// Something that keeps the group from being deleted.
struct Holder {
    what: String,
    /// It does not go away by itself.
    stays: bool,
}

impl Holder {
    fn remedy(&self, live: &Live) -> String {
        format!(
            "remove {} first, or keep the group: `tidewalk destroy --keep {}`",
            self.what,
            live.tags
                .owner()
                .map_or_else(|| live.name.clone(), |owner| owner.address.to_string())
        )
    }
}

fn held(live: &Live, holders: &[Holder]) -> Error {
    let text = format!("security group `{}` cannot be deleted yet", live.name);
    let error = Error::failed(text).code("DependencyViolation");
    holders.iter().fold(error, |error, holder| {
        error.note(format!("held by: {}", holder.what))
    })
}

fn in_words(holders: &[Holder]) -> String {
    if holders.is_empty() {
        return "AWS still sees something that uses it".to_owned();
    }
    let list: Vec<_> = holders.iter().map(|holder| holder.what.as_str()).collect();
    format!("held by {}", list.join(", "))
}

/// Takes rules that refer to the group out of the stack's own other groups.
async fn release_own(cx: &Context, live: &Live) -> Result<()> {
    for group in referring(cx, live).await? {
        if group.id == live.id
            || group
                .tags
                .owner()
                .is_none_or(|owner| owner.stack != cx.stack)
        {
            continue;
        }
        for (side, rules) in [
            (Side::Ingress, &group.ingress),
            (Side::Egress, &group.egress),
        ] {
            let of_it = rules.iter().filter(|rule| rule.group() == Some(&live.id));
            let revoked = side.revoke(cx, &group.id, &of_it.collect::<Vec<_>>()).await;
            match revoked {
                Err(error)
                    if !is_code(&error, "InvalidPermission.NotFound")
                        && !is_code(&error, "InvalidGroup.NotFound") =>
                {
                    return Err(error);
                }
                _ => {}
            }
        }
    }
    Ok(())
}

async fn referring(cx: &Context, live: &Live) -> Result<Vec<Live>> {
    let mut found = Vec::new();
    for key in ["ip-permission.group-id", "egress.ip-permission.group-id"] {
        found.extend(list(cx, vec![filter(key, [&live.id])]).await?);
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.dedup_by(|a, b| a.id == b.id);
    Ok(found)
}

async fn holders(cx: &Context, live: &Live) -> Result<Vec<Holder>> {
    let groups = referring(cx, live)
        .await?
        .into_iter()
        .filter(|group| group.id != live.id);
    let rules = groups.map(|group| {
        let owner = group.tags.owner();
        let ours = owner.as_ref().is_some_and(|owner| owner.stack == cx.stack);
        let whose = match owner {
            Some(owner) if ours => owner.address.to_string(),
            Some(owner) => format!("stack `{}`, not ours", owner.stack),
            None => "not ours".to_owned(),
        };
        Holder {
            what: format!("a rule of {} `{}` ({whose})", group.id, group.name),
            stays: !ours,
        }
    });
    let mut holders: Vec<_> = rules.collect();
    let staying = members::staying(cx, live).await?;
    let call = cx.aws.ec2.describe_network_interfaces();
    let call = call.filters(filter("group-id", [&live.id]));
    let interfaces = call
        .send()
        .await
        .map_err(refused("ec2:DescribeNetworkInterfaces"))?;
    for interface in interfaces.network_interfaces.into_iter().flatten() {
        let id = interface.network_interface_id.unwrap_or_default();
        let instance = interface
            .attachment
            .and_then(|attachment| attachment.instance_id);
        let owner = tags_of(interface.tag_set).owner();
        let note = interface.description.filter(|text| !text.is_empty());
        let stays = instance.as_ref().is_some_and(|id| staying.contains(id));
        let of = match (instance, note, owner) {
            (Some(instance), _, Some(owner)) => {
                format!(
                    "of {instance}, {} of stack `{}`",
                    owner.address, owner.stack
                )
            }
            (Some(instance), _, None) => format!("of {instance}"),
            (None, Some(note), _) => note,
            (None, None, _) => "unattached".to_owned(),
        };
        holders.push(Holder {
            what: format!("{id} ({of})"),
            stays,
        });
    }
    Ok(holders)
}
