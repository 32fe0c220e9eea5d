//! Changes a fleet in place, and waits until its instances are in service.

use std::time::Duration;

use aws_sdk_autoscaling::types::Tag;

use super::creation::{sdk_tags, subnets, template};
use super::{Fleet, Live, listing, refresh};
use crate::aws::{Poll, Tags, Wait, refused, tags};
use crate::base::Result;
use crate::contract::{Context, Target};
use crate::resources::named::with_name;

/// Instances that fail to start are tried again for long.
const DEADLINE: Duration = Duration::from_mins(15);

pub(super) async fn apply(
    spec: &Fleet,
    cx: &Context,
    target: Target<'_>,
    mut live: Live,
) -> Result<Live> {
    let specification = template(spec, target)?;
    let version = specification.version().unwrap_or_default().to_owned();
    let moved = match spec.network {
        Some(_) => Some(subnets(spec, cx, target).await?).filter(|ids| *ids != live.subnets),
        None => None,
    };
    let desired = spec.desired_capacity.unwrap_or(live.desired_capacity);
    let same = specification.launch_template_id() == Some(&live.template)
        && version == live.version
        && spec.min_size == live.min_size
        && spec.max_size == live.max_size
        && desired == live.desired_capacity
        && moved.is_none()
        && spec.health_check_type == live.health_check_type
        && spec.health_check_grace_seconds == live.health_check_grace_seconds;
    if !same {
        let call = cx.aws.autoscaling.update_auto_scaling_group();
        let call = call
            .auto_scaling_group_name(&live.name)
            .launch_template(specification)
            .min_size(spec.min_size)
            .max_size(spec.max_size)
            .set_desired_capacity(spec.desired_capacity)
            .set_vpc_zone_identifier(moved.map(|ids| ids.join(",")))
            .health_check_type(&spec.health_check_type)
            .health_check_grace_period(spec.health_check_grace_seconds);
        let done = call.send().await;
        done.map_err(refused("autoscaling:UpdateAutoScalingGroup"))?;
    }
    // Before the refresh: new instances get the new tags.
    retag(cx, target, &live).await?;
    live.tags.apply(&with_name(target));
    if spec.refresh && refresh::others(&live, &version) > 0 {
        refresh::refresh(cx, target, &live.name).await?;
    }
    let tags = live.tags.clone();
    let live = in_service(cx, target, &live.name, &version, spec).await?;
    Ok(Live { tags, ..live })
}

/// Waits until as many instances as wanted are in service.
async fn in_service(
    cx: &Context,
    target: Target<'_>,
    name: &str,
    version: &str,
    spec: &Fleet,
) -> Result<Live> {
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("the instances of `{name}` to be in service");
    let wait = Wait::new(what, DEADLINE, &news);
    let settled = wait.until(async || {
        let found = listing::named(cx, vec![name.to_owned()]).await?;
        let Some(live) = found.into_iter().next() else {
            return Ok(Poll::Pending("not visible".to_owned()));
        };
        let instances = live.instances.iter();
        let serving = instances.filter(|it| it.state == "InService").count();
        let wanted = usize::try_from(live.desired_capacity).unwrap_or_default();
        let seen = live.version == version && live.max_size == spec.max_size;
        if seen && serving == wanted && live.instances.len() == wanted {
            return Ok(Poll::Ready(live));
        }
        Ok(Poll::Pending(format!("{serving} of {wanted}")))
    });
    settled.await.map_err(|error| {
        error.hint(format!(
            "look at why they do not start: `aws autoscaling describe-scaling-activities \
             --auto-scaling-group-name {name}`"
        ))
    })
}

async fn retag(cx: &Context, target: Target<'_>, live: &Live) -> Result<()> {
    let (set, unset) = tags::changes(&live.tags, &with_name(target));
    if !set.is_empty() {
        let call = cx.aws.autoscaling.create_or_update_tags();
        let tags = sdk_tags(&live.name, &Tags(set));
        let done = call.set_tags(Some(tags)).send().await;
        done.map_err(refused("autoscaling:CreateOrUpdateTags"))?;
    }
    if !unset.is_empty() {
        let tag = |key: &String| {
            let tag = Tag::builder().resource_id(&live.name).key(key);
            tag.resource_type("auto-scaling-group").build()
        };
        let call = cx.aws.autoscaling.delete_tags();
        let call = call.set_tags(Some(unset.iter().map(tag).collect()));
        let done = call.send().await;
        done.map_err(refused("autoscaling:DeleteTags"))?;
    }
    Ok(())
}
