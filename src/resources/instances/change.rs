//! Changes an instance in place.

use std::time::Duration;

use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, HttpTokensState, IamInstanceProfileSpecification,
};

use super::{Instance, Live, PROTECTION, launch, power};
use crate::aws::ec2::{filter, retag};
use crate::aws::{Poll, Wait, refused};
use crate::base::Result;
use crate::contract::{Context, Target};
use crate::resources::machine;

/// Brings a live instance to its spec; the tags last, as they say that all the rest is done.
pub(super) async fn apply(
    spec: &Instance,
    cx: &Context,
    target: Target<'_>,
    live: Live,
) -> Result<Live> {
    let live = settled(cx, target, live).await?;
    let id = live.id.clone();
    let modify = || cx.aws.ec2.modify_instance_attribute().instance_id(&id);
    if let Some(mut groups) = machine::group_ids(&spec.security_groups, target)? {
        groups.sort();
        groups.dedup();
        if groups != live.security_groups {
            let call = modify().set_groups(Some(groups));
            call.send()
                .await
                .map_err(refused("ec2:ModifyInstanceAttribute"))?;
        }
    }
    let profile = machine::profile(spec.instance_profile.as_ref(), target)?;
    let name = profile.as_ref().and_then(|profile| profile.name.as_ref());
    if name != live.instance_profile.as_ref() {
        instance_profile(cx, target, &id, profile).await?;
    }
    if let Some(root) = &live.root {
        spec.root_volume.apply(cx, &id, root).await?;
    }
    if spec.termination_protection != live.tags.is_set(PROTECTION) {
        let value = AttributeBooleanValue::builder().value(spec.termination_protection);
        let call = modify().disable_api_termination(value.build());
        call.send()
            .await
            .map_err(refused("ec2:ModifyInstanceAttribute"))?;
    }
    monitoring(spec, cx, &live).await?;
    if live.tokens_optional {
        let call = cx
            .aws
            .ec2
            .modify_instance_metadata_options()
            .instance_id(&id);
        let call = call.http_tokens(HttpTokensState::Required);
        let call = call.http_put_response_hop_limit(2);
        call.send()
            .await
            .map_err(refused("ec2:ModifyInstanceMetadataOptions"))?;
    }
    let (root, mut live) = (live.root.clone(), live);
    if spec.instance_type != live.instance_type {
        live = match live.state.as_str() {
            "stopped" => live,
            _ => power::stop(cx, target.address, &live).await?,
        };
        let value = AttributeValue::builder().value(&spec.instance_type);
        let call = modify().instance_type(value.build());
        call.send()
            .await
            .map_err(refused("ec2:ModifyInstanceAttribute"))?;
    }
    let mut live = power::bring(cx, target.address, live, spec.state).await?;
    live.root = root;
    let tags = spec.instance_tags(target);
    // Other volumes that are attached are resources of their own.
    let with_it = crate::contract::Live::parts(&live).into_iter();
    let ids: Vec<_> = std::iter::once(live.id.clone())
        .chain(with_it.map(|part| part.id))
        .collect();
    retag(&cx.aws, &ids, &live.tags, &tags).await?;
    live.tags.apply(&tags);
    Ok(live)
}

/// An instance on its way to running or to a stop, once it is there.
async fn settled(cx: &Context, target: Target<'_>, live: Live) -> Result<Live> {
    let root = live.root.clone();
    let mut live = match live.state.as_str() {
        "pending" => power::running(cx, target.address, &live.id).await?,
        "stopping" => power::stopped(cx, target.address, &live.id).await?,
        _ => return Ok(live),
    };
    live.root = root;
    Ok(live)
}

async fn monitoring(spec: &Instance, cx: &Context, live: &Live) -> Result<()> {
    match (spec.monitoring, live.monitoring) {
        (true, false) => {
            let call = cx.aws.ec2.monitor_instances().instance_ids(&live.id);
            call.send().await.map_err(refused("ec2:MonitorInstances"))?;
        }
        (false, true) => {
            let call = cx.aws.ec2.unmonitor_instances().instance_ids(&live.id);
            call.send()
                .await
                .map_err(refused("ec2:UnmonitorInstances"))?;
        }
        _ => {}
    }
    Ok(())
}

async fn instance_profile(
    cx: &Context,
    target: Target<'_>,
    id: &str,
    wanted: Option<IamInstanceProfileSpecification>,
) -> Result<()> {
    let ec2 = &cx.aws.ec2;
    let call = ec2.describe_iam_instance_profile_associations();
    let call = call
        .filters(filter("instance-id", [id]))
        .filters(filter("state", ["associating", "associated"]));
    let listed = call.send().await;
    let listed = listed.map_err(refused("ec2:DescribeIamInstanceProfileAssociations"))?;
    let mut associations = listed
        .iam_instance_profile_associations
        .into_iter()
        .flatten();
    let old = associations.find_map(|association| association.association_id);
    let Some(wanted) = wanted else {
        let Some(old) = old else { return Ok(()) };
        let call = ec2.disassociate_iam_instance_profile().association_id(old);
        let done = call.send().await.map(drop);
        return done.map_err(refused("ec2:DisassociateIamInstanceProfile"));
    };
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wait = Wait::new("the instance profile", Duration::from_secs(90), &news);
    wait.until(async || {
        let wanted = wanted.clone();
        let done = if let Some(old) = &old {
            let call = ec2.replace_iam_instance_profile_association();
            let call = call.association_id(old).iam_instance_profile(wanted);
            let done = call.send().await.map(drop);
            done.map_err(refused("ec2:ReplaceIamInstanceProfileAssociation"))
        } else {
            let call = ec2.associate_iam_instance_profile().instance_id(id);
            let done = call.iam_instance_profile(wanted).send().await.map(drop);
            done.map_err(refused("ec2:AssociateIamInstanceProfile"))
        };
        match done {
            Err(error) if launch::is_not_visible_yet(&error) => {
                Ok(Poll::Pending(error.message().to_owned()))
            }
            done => done.map(Poll::Ready),
        }
    })
    .await
}
