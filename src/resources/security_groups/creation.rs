//! Makes a security group, once.

use std::time::Duration;

use aws_sdk_ec2::types::ResourceType;

use super::{Live, SecurityGroup, list};
use crate::aws::ec2::{filter, specification};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::Result;
use crate::contract::{Context, Target};
use crate::resources::place::place;

/// A new group, without its rules; or the one of this address that an earlier try made.
pub(super) async fn made(spec: &SecurityGroup, cx: &Context, target: Target<'_>) -> Result<Live> {
    let vpc = match &spec.vpc {
        Some(vpc) => vpc.clone(),
        None => place(cx, target, spec.network.as_ref()).await?.vpc,
    };
    let name = spec.aws_name(target);
    let description = spec.description.clone().unwrap_or_else(|| {
        format!(
            "tidewalk stack {}",
            cx.stack.replace(|c: char| !c.is_ascii(), "-")
        )
    });
    let call = cx.aws.ec2.create_security_group();
    let call = call.group_name(name).description(description).vpc_id(&vpc);
    let tags = specification(ResourceType::SecurityGroup, target.tags);
    let made = call.tag_specifications(tags).send().await;
    let (key, value) = match made.map_err(refused("ec2:CreateSecurityGroup")) {
        Ok(made) => ("group-id", made.group_id.unwrap_or_default()),
        // An earlier try, whose answer was lost, or somebody else's.
        Err(error) if is_code(&error, "InvalidGroup.Duplicate") => {
            let named = vec![filter("group-name", [name]), filter("vpc-id", [&vpc])];
            let owner = list(cx, named).await?.into_iter().next();
            let owner = owner.and_then(|live| Some((live.tags.owner()?, live.id)));
            match owner {
                Some((owner, id))
                    if owner.stack == cx.stack && owner.address == *target.address =>
                {
                    ("group-id", id)
                }
                Some((owner, id)) => {
                    let (address, stack) = (&owner.address, &owner.stack);
                    let error = error.note(format!("{id} belongs to {address} of stack `{stack}`"));
                    return Err(if *stack == cx.stack {
                        error.hint(format!(
                            "give this one another `name:`, or delete that one first: \
                             `tidewalk destroy --only {address}`"
                        ))
                    } else {
                        error.hint("give this one another `name:`")
                    });
                }
                None => return Err(error),
            }
        }
        Err(error) => return Err(error),
    };
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wait = Wait::new(
        format!("`{value}` to be visible"),
        Duration::from_mins(1),
        &news,
    );
    wait.until(async || {
        let found = list(cx, vec![filter(key, [&value])]).await?;
        Ok(match found.into_iter().next() {
            Some(live) => Poll::Ready(live),
            None => Poll::Pending("not there yet".to_owned()),
        })
    })
    .await
}
