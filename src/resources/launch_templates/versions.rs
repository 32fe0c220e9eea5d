//! Makes a launch template and its versions.

use std::time::Duration;

use aws_sdk_ec2::types::{
    InstanceType, LaunchTemplateHttpTokensState,
    LaunchTemplateIamInstanceProfileSpecificationRequest,
    LaunchTemplateInstanceMetadataOptionsRequest, LaunchTemplateTagSpecificationRequest,
    LaunchTemplatesMonitoringRequest, RequestLaunchTemplateData, ResourceType,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{AMI, KEPT, LaunchTemplate, Live, launch_tags, listing};
use crate::aws::ec2::{filter, once_visible, retag, sdk_tags, specification};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::machine;
use crate::resources::named::{must_be_ours, name_of, with_name};

pub(super) async fn apply(
    spec: &LaunchTemplate,
    cx: &Context,
    target: Target<'_>,
    live: Option<&Live>,
) -> Result<Live> {
    let mut tags = with_name(target);
    tags.0.insert(AMI.to_owned(), spec.ami.to_string());
    let live = match live {
        Some(live) => live.clone(),
        None => found_or_made(spec, cx, target).await?,
    };
    let mut live = if spec.version_diff(&live, target).is_empty() {
        live
    } else {
        next(spec, cx, target, live).await?
    };
    forget(cx, &live).await?;
    let ids = [live.id.clone()];
    retag(&cx.aws, &ids, &live.tags, &tags).await?;
    live.tags.apply(&tags);
    Ok(live)
}

async fn found_or_made(spec: &LaunchTemplate, cx: &Context, target: Target<'_>) -> Result<Live> {
    let name = name_of(spec.name.as_ref(), target);
    let mut tags = with_name(target);
    tags.0.insert(AMI.to_owned(), spec.ami.to_string());
    let call = cx.aws.ec2.create_launch_template();
    let call = call
        .launch_template_name(&name)
        .launch_template_data(data(spec, cx, target).await?)
        .tag_specifications(specification(ResourceType::LaunchTemplate, &tags));
    let made = call.send().await;
    match made.map_err(refused("ec2:CreateLaunchTemplate")) {
        Ok(_) => {}
        // An earlier try, whose answer was lost, or somebody else's: its tags tell.
        Err(error) if is_code(&error, "InvalidLaunchTemplateName.AlreadyExistsException") => {}
        Err(error) => return Err(error),
    }
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = "the launch template to be visible";
    let wait = Wait::new(what, Duration::from_mins(2), &news);
    let live = wait.until(async || {
        let filters = vec![filter("launch-template-name", [&name])];
        let found = listing::templates(cx, filters).await?;
        let found = listing::read_defaults(cx, found).await?;
        Ok(match found.into_iter().next() {
            Some(live) if !live.instance_type.is_empty() => Poll::Ready(live),
            _ => Poll::Pending("not there yet".to_owned()),
        })
    });
    let live = live.await?;
    must_be_ours("launch template", &name, &live.tags, target)?;
    Ok(live)
}

/// Makes the next version the default one. A version that an earlier run made and did not make the
/// default one is passed over.
async fn next(
    spec: &LaunchTemplate,
    cx: &Context,
    target: Target<'_>,
    mut live: Live,
) -> Result<Live> {
    let data = data(spec, cx, target).await?;
    let news = |text: &str| cx.progress.doing(target.address, text);
    let made = once_visible(news, async || {
        let call = cx.aws.ec2.create_launch_template_version();
        let call = call.launch_template_id(&live.id);
        let call = call.launch_template_data(data.clone()).send().await;
        call.map_err(refused("ec2:CreateLaunchTemplateVersion"))
    });
    let missing = || Error::failed("ec2:CreateLaunchTemplateVersion: no version in the answer");
    let version = made.await?.launch_template_version.ok_or_else(missing)?;
    let number = version.version_number.unwrap_or_default();
    once_visible(news, async || {
        let call = cx.aws.ec2.modify_launch_template();
        let call = call.launch_template_id(&live.id);
        let call = call.default_version(number.to_string()).send().await;
        call.map_err(refused("ec2:ModifyLaunchTemplate"))
    })
    .await?;
    live.latest = number;
    live.read(version);
    Ok(live)
}

/// Deletes all but the latest versions; never the default one.
async fn forget(cx: &Context, live: &Live) -> Result<()> {
    // There cannot be more.
    if usize::try_from(live.latest).unwrap_or_default() <= KEPT {
        return Ok(());
    }
    let numbers = listing::numbers(cx, &live.id).await?.into_iter();
    let old = numbers.skip(KEPT).filter(|number| *number != live.version);
    let old: Vec<_> = old.map(|number| number.to_string()).collect();
    if old.is_empty() {
        return Ok(());
    }
    let call = cx.aws.ec2.delete_launch_template_versions();
    let call = call.launch_template_id(&live.id).set_versions(Some(old));
    // One that is gone already is told of in the answer, which is no error.
    let done = call.send().await.map(drop);
    done.map_err(refused("ec2:DeleteLaunchTemplateVersions"))
}

async fn data(
    spec: &LaunchTemplate,
    cx: &Context,
    target: Target<'_>,
) -> Result<RequestLaunchTemplateData> {
    let image = spec.ami.look_up(cx, target, &spec.instance_type).await?;
    let profile = machine::wanted_profile(spec.instance_profile.as_ref(), target)?;
    let profile = profile.map(|name| {
        let profile = LaunchTemplateIamInstanceProfileSpecificationRequest::builder();
        profile.name(name).build()
    });
    let metadata = LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .http_tokens(LaunchTemplateHttpTokensState::Required)
        .http_put_response_hop_limit(2);
    let monitoring = LaunchTemplatesMonitoringRequest::builder().enabled(spec.monitoring);
    let tags = sdk_tags(&launch_tags(target).0);
    let tagged = |of| {
        let specification = LaunchTemplateTagSpecificationRequest::builder();
        let specification = specification.resource_type(of);
        specification.set_tags(Some(tags.clone())).build()
    };
    Ok(RequestLaunchTemplateData::builder()
        .image_id(&image.id)
        .instance_type(InstanceType::from(spec.instance_type.as_str()))
        .set_key_name(machine::key_name(spec.key_pair.as_ref(), target)?)
        .set_security_group_ids(machine::group_ids(&spec.security_groups, target)?)
        .set_iam_instance_profile(profile)
        .block_device_mappings(spec.root_volume.template_mapping(&image.root_device))
        .metadata_options(metadata.build())
        .monitoring(monitoring.build())
        .set_user_data(spec.user_data.as_ref().map(|text| STANDARD.encode(text)))
        .tag_specifications(tagged(ResourceType::Instance))
        .tag_specifications(tagged(ResourceType::Volume))
        .build())
}
