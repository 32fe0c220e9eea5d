//! Makes an instance, once: what an earlier run made is found by its tags, what an earlier request
//! made by its client token.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::types::{
    Filter, HttpTokensState, InstanceMetadataOptionsRequest, InstanceNetworkInterfaceSpecification,
    InstanceType, ResourceType, RunInstancesMonitoringEnabled,
};

use super::ami::Image;
use super::user_data::{HostKey, encoded};
use super::{Instance, Live, listing, power};
use crate::aws::batch::Batch;
use crate::aws::ec2::{filter, of_address, of_stack, specification};
use crate::aws::tags::written_address;
use crate::aws::{Poll, Wait, client_token, is_code, refused, tags};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::machine;
use crate::resources::named::with_name;
use crate::resources::place::place;

/// Dead instances of one address that one run steps over.
const GENERATIONS: usize = 20;

/// The live instance of this address, or a new one.
pub(super) async fn found_or_launched(
    spec: &Instance,
    cx: &Context,
    target: Target<'_>,
) -> Result<Live> {
    let found = ours_now(cx, target).await?;
    let first = found.iter().filter(|live| !live.is_alive()).count();
    if let Some(live) = oldest_alive(found) {
        return Ok(live);
    }
    let image = spec.ami.look_up(cx, target, &spec.instance_type).await?;
    let key = HostKey::random()?;
    let subnet = subnet(spec, cx, target).await?;
    let request = request(spec, cx, target, &image, &key)?;
    let interface = interface(subnet, machine::group_ids(&spec.security_groups, target)?);
    let request = request.network_interfaces(interface);
    for generation in first..first + GENERATIONS {
        let address = target.address.to_string();
        let token = client_token(&cx.account, &cx.stack, &address, generation);
        if let Some(live) = launch(cx, target, request.clone(), &token).await? {
            return Ok(live);
        }
    }
    Err(Error::failed(format!(
        "{GENERATIONS} instances of this address were terminated lately"
    ))
    .hint("AWS forgets terminated instances within an hour or so: try again then"))
}

/// One launch by its token; `None` when that token's instance is dead.
async fn launch(
    cx: &Context,
    target: Target<'_>,
    request: RunInstancesFluentBuilder,
    token: &str,
) -> Result<Option<Live>> {
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wait = Wait::new("what the instance needs", Duration::from_secs(90), &news);
    let ran = wait.until(async || {
        let call = request.clone().client_token(token).send().await;
        match call.map_err(refused("ec2:RunInstances")) {
            Ok(ran) => Ok(Poll::Ready(ran.instances.unwrap_or_default())),
            // Made a moment ago, and not visible everywhere yet.
            Err(error) if is_not_visible_yet(&error) => {
                Ok(Poll::Pending(error.message().to_owned()))
            }
            Err(error) => Err(error),
        }
    });
    let id = match ran.await {
        Ok(instances) => instances
            .into_iter()
            .find_map(|instance| instance.instance_id),
        // An earlier run launched it, with another host key in its user data.
        Err(error) if is_code(&error, "IdempotentParameterMismatch") => None,
        Err(error) => return Err(error),
    };
    let Some(id) = id else {
        return launched_before(cx, target, token).await;
    };
    let wait = Wait::new("the instance to start", Duration::from_mins(10), &news);
    wait.until(async || {
        Ok(match power::look(cx, &id).await? {
            Some(live) if live.state == "pending" => Poll::Pending(live.state),
            Some(live) => Poll::Ready(live.is_alive().then_some(live)),
            None => Poll::Pending("not visible yet".to_owned()),
        })
    })
    .await
}

/// What an earlier request with this token made; `None` when it is dead or long forgotten.
async fn launched_before(cx: &Context, target: Target<'_>, token: &str) -> Result<Option<Live>> {
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wait = Wait::new(
        "an earlier launch to be visible",
        Duration::from_mins(1),
        &news,
    );
    let found = wait.until(async || {
        let found = listing::instances(cx, ours(cx, target)).await?;
        let dead = found
            .iter()
            .any(|live| live.client_token == token && !live.is_alive());
        Ok(match oldest_alive(found) {
            Some(live) => Poll::Ready(Some(live)),
            None if dead => Poll::Ready(None),
            None => Poll::Pending("not there yet".to_owned()),
        })
    });
    match found.await {
        Err(error) if is_code(&error, "Timeout") => Ok(None),
        found => found,
    }
}

/// All instances of an address, dead ones too: one listing for all that are launched together.
async fn ours_now(cx: &Context, target: Target<'_>) -> Result<Vec<Live>> {
    let address = written_address(target.address);
    let list = |addresses: Vec<String>| async move {
        let address = filter(&format!("tag:{}", tags::ADDRESS), addresses);
        let listed = listing::instances(cx, vec![of_stack(&cx.stack), address]).await?;
        let mut by_address: HashMap<String, Vec<Live>> = HashMap::new();
        for live in listed {
            let address = live
                .tags
                .value(tags::ADDRESS)
                .unwrap_or_default()
                .to_owned();
            by_address.entry(address).or_default().push(live);
        }
        Ok(by_address)
    };
    let batch = cx.aws.shared::<Batch<Vec<Live>>>();
    Ok(batch.ask(&address, list).await?.unwrap_or_default())
}

fn ours(cx: &Context, target: Target<'_>) -> Vec<Filter> {
    vec![of_stack(&cx.stack), of_address(target.address)]
}

fn oldest_alive(mut found: Vec<Live>) -> Option<Live> {
    found.retain(Live::is_alive);
    found
        .into_iter()
        .min_by(|a, b| (&a.launched, &a.id).cmp(&(&b.launched, &b.id)))
}

/// A profile, group or key made a moment ago; a bad profile comes as `InvalidParameterValue`.
pub(super) fn is_not_visible_yet(error: &Error) -> bool {
    match error.service_code() {
        Some("InvalidGroup.NotFound" | "InvalidKeyPair.NotFound") => true,
        Some("InvalidParameterValue") => error.message().contains("IAM Instance Profile"),
        _ => false,
    }
}

fn request(
    spec: &Instance,
    cx: &Context,
    target: Target<'_>,
    image: &Image,
    key: &HostKey,
) -> Result<RunInstancesFluentBuilder> {
    let mut tags = spec.instance_tags(target);
    tags.0
        .insert(tags::HOST_KEY.to_owned(), format!("planted {}", key.public));
    let with_it = with_name(target);
    let metadata = InstanceMetadataOptionsRequest::builder()
        .http_tokens(HttpTokensState::Required)
        .http_put_response_hop_limit(2)
        .build();
    let monitoring = RunInstancesMonitoringEnabled::builder()
        .enabled(spec.monitoring)
        .build();
    let profile = machine::profile(spec.instance_profile.as_ref(), target)?;
    let call = cx
        .aws
        .ec2
        .run_instances()
        .min_count(1)
        .max_count(1)
        .image_id(&image.id)
        .instance_type(InstanceType::from(spec.instance_type.as_str()))
        .set_key_name(machine::key_name(spec.key_pair.as_ref(), target)?)
        .set_iam_instance_profile(profile)
        .block_device_mappings(spec.root_volume.mapping(&image.root_device))
        .metadata_options(metadata)
        .monitoring(monitoring)
        .disable_api_termination(spec.termination_protection)
        .user_data(encoded(key, spec.user_data.as_deref()).as_str())
        .tag_specifications(specification(ResourceType::Instance, &tags))
        .tag_specifications(specification(ResourceType::Volume, &with_it))
        .tag_specifications(specification(ResourceType::NetworkInterface, &with_it));
    Ok(call)
}

async fn subnet(spec: &Instance, cx: &Context, target: Target<'_>) -> Result<Option<String>> {
    if spec.network.is_none() {
        return Ok(spec.subnet.clone());
    }
    let place = place(cx, target, spec.network.as_ref()).await?;
    Ok(place.subnets.into_iter().next())
}

/// Said by name, so that the interface is known to go with the instance.
fn interface(
    subnet: Option<String>,
    groups: Option<Vec<String>>,
) -> InstanceNetworkInterfaceSpecification {
    InstanceNetworkInterfaceSpecification::builder()
        .device_index(0)
        .delete_on_termination(true)
        .set_groups(groups)
        .set_subnet_id(subnet)
        .build()
}
