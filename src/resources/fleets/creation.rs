//! Makes a fleet, once: its name can be used once.

use std::time::Duration;

use aws_sdk_autoscaling::types::{LaunchTemplateSpecification, Tag};

use super::{Fleet, Live, listing};
use crate::aws::{Poll, Tags, Wait, is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::named::{must_be_ours, name_of, with_name};
use crate::resources::place::place;
use crate::resources::reference::LaunchTemplateName;

pub(super) async fn created(spec: &Fleet, cx: &Context, target: Target<'_>) -> Result<Live> {
    let name = name_of(spec.name.as_ref(), target);
    let call = cx
        .aws
        .autoscaling
        .create_auto_scaling_group()
        .auto_scaling_group_name(&name)
        .launch_template(template(spec, target)?)
        .min_size(spec.min_size)
        .max_size(spec.max_size)
        .set_desired_capacity(spec.desired_capacity)
        .vpc_zone_identifier(subnets(spec, cx, target).await?.join(","))
        .health_check_type(&spec.health_check_type)
        .health_check_grace_period(spec.health_check_grace_seconds)
        .set_tags(Some(sdk_tags(&name, &with_name(target))));
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wait = Wait::new("what the fleet needs", Duration::from_mins(3), &news);
    wait.until(async || {
        let made = call.clone().send().await;
        match made.map_err(refused("autoscaling:CreateAutoScalingGroup")) {
            Ok(_) => Ok(Poll::Ready(())),
            // An earlier try, whose answer was lost, or somebody else's: its tags tell.
            Err(error) if is_code(&error, "AlreadyExists") => Ok(Poll::Ready(())),
            // One of this name is being deleted.
            Err(error) if is_code(&error, "ScalingActivityInProgress") => {
                Ok(Poll::Pending(error.message().to_owned()))
            }
            Err(error) => Err(error),
        }
    })
    .await?;
    let wait = Wait::new("the fleet to be visible", Duration::from_mins(2), &news);
    let live = wait.until(async || {
        let found = listing::named(cx, vec![name.clone()]).await?;
        Ok(match found.into_iter().next() {
            Some(live) => Poll::Ready(live),
            None => Poll::Pending("not there yet".to_owned()),
        })
    });
    let live = live.await?;
    must_be_ours("Auto Scaling group", &name, &live.tags, target)?;
    Ok(live)
}

/// The template in its default version.
pub(super) fn template(spec: &Fleet, target: Target<'_>) -> Result<LaunchTemplateSpecification> {
    let LaunchTemplateName(name) = &spec.launch_template;
    let missing = || {
        let text = format!("launch template `{name}` does not exist");
        Error::playbook(text, target.at)
    };
    let (id, version) = spec.template(target).ok_or_else(missing)?;
    let template = LaunchTemplateSpecification::builder();
    Ok(template.launch_template_id(id).version(version).build())
}

/// Ids of the subnets that its instances are in.
pub(super) async fn subnets(spec: &Fleet, cx: &Context, target: Target<'_>) -> Result<Vec<String>> {
    let place = place(cx, target, spec.network.as_ref()).await?;
    let mut subnets = place.subnets;
    subnets.sort();
    Ok(subnets)
}

/// Tags as Auto Scaling takes them; the instances get them, too.
pub(super) fn sdk_tags(group: &str, tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| {
        Tag::builder()
            .resource_id(group)
            .resource_type("auto-scaling-group")
            .key(key)
            .value(value)
            .propagate_at_launch(true)
            .build()
    };
    tags.0.iter().map(tag).collect()
}
