//! Making a service, and changing one.

use std::time::Duration;

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, DeploymentCircuitBreaker,
    DeploymentConfiguration, NetworkConfiguration,
};

use super::{
    Live, SCALING, Service, difference, listing, load_balancer, preflight, rollout, scaling,
};
use crate::aws::ecs::sdk_tags;
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Address, Error, FieldChange, Result};
use crate::contract::{Context, Target};
use crate::resources::apart::remembered;
use crate::resources::named;

/// A rollout that came to nothing, as AWS words it.
const FAILED: &str = "FAILED";

/// The service of that name that is there already, if it is this one. One that is on its way out is
/// waited for.
pub(super) async fn ours(spec: &Service, cx: &Context, target: Target<'_>) -> Result<Option<Live>> {
    let (cluster, name) = (cluster(spec, target)?, spec.aws_name(target));
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("the old service `{name}` to be gone");
    let wait = Wait::new(what, Duration::from_mins(10), &news);
    wait.until(async || {
        let Some(told) = listing::one(cx, cluster, &name).await? else {
            return Ok(Poll::Ready(None));
        };
        let live = Live::from(told);
        match live.status.as_str() {
            "INACTIVE" => Ok(Poll::Ready(None)),
            "DRAINING" => Ok(Poll::Pending(format!("{} still run", live.running_count))),
            _ => {
                named::must_be_ours("service", &name, &live.tags, target)?;
                Ok(Poll::Ready(Some(live)))
            }
        }
    })
    .await
}

pub(super) async fn created(spec: &Service, cx: &Context, target: Target<'_>) -> Result<Live> {
    let name = spec.aws_name(target);
    let task = task_definition(spec, target)?;
    Box::pin(preflight::check(cx, target.address, &name, (spec, task))).await?;
    let call = cx.aws.ecs.create_service().service_name(&name);
    let call = call.cluster(cluster(spec, target)?);
    let call = call.task_definition(task);
    let call = call.desired_count(scaling::wanted_count(spec, None));
    let call = call.set_launch_type(spec.launch_type.map(super::words::LaunchType::sdk));
    let call = call.set_capacity_provider_strategy(capacity(spec)?);
    let call = call.set_network_configuration(network(spec, cx, target).await?);
    let balancers = load_balancer::sdk(spec.load_balancer.as_ref(), target)?;
    let grace = spec.load_balancer.as_ref();
    let grace = grace.map(|_| spec.health_check_grace_seconds);
    let call = call.set_health_check_grace_period_seconds(grace);
    let call = call.set_load_balancers(Some(balancers));
    let call = call.deployment_configuration(deployment(spec));
    let call = call.enable_execute_command(spec.execute_command);
    let call = call.propagate_tags(spec.propagate_tags.sdk());
    let tags = remembered(target, &[SCALING]);
    let call = call.set_tags(Some(sdk_tags(&tags.0)));
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("service `{name}` to be made");
    let wait = Wait::new(what, Duration::from_mins(10), &news);
    let made = wait.until(async || {
        match call
            .clone()
            .send()
            .await
            .map_err(refused("ecs:CreateService"))
        {
            Ok(made) => Ok(Poll::Ready(made.service)),
            // An answer was lost, or somebody made one of that name meanwhile.
            Err(error) if error.message().contains("not idempotent") => Ok(Poll::Ready(None)),
            // What was made a moment ago is not known everywhere yet.
            Err(error) if is_too_early(&error) => Ok(Poll::Pending(error.message().to_owned())),
            Err(error) => Err(error),
        }
    });
    let Some(made) = made.await? else {
        let there = ours(spec, cx, target).await?;
        let there = there.ok_or_else(|| Error::failed(format!("service `{name}` is not there")))?;
        return updated(spec, cx, target, there).await;
    };
    let mut live = rollout::finished(cx, target.address, made).await?;
    live.tags = tags;
    Ok(live)
}

/// ECS is still making its own role, does not see the cluster or the roles yet, an old service of that
/// name is on its way out, or no load balancer sends requests to the target group yet.
fn is_too_early(error: &Error) -> bool {
    let text = error.message();
    text.contains("service linked role")
        || text.contains("ECS was unable to assume the role")
        || text.contains("still Draining")
        || text.contains("does not have an associated load balancer")
        || is_code(error, "ClusterNotFoundException")
}

/// Brings a service that is there to what is wanted; what does not change is not sent, since some
/// of it would start the tasks anew.
pub(super) async fn updated(
    spec: &Service,
    cx: &Context,
    target: Target<'_>,
    live: Live,
) -> Result<Live> {
    let diff = difference::between(spec, &live, target);
    // Autoscaling is none of ECS's.
    let of_ecs = |it: &FieldChange| !it.field.starts_with("autoscaling.");
    if !diff.changes.iter().any(of_ecs) {
        return Ok(live);
    }
    let changes = |field: &str| {
        let mut roots = diff.changes.iter().map(|it| it.field.split('.').next());
        roots.any(|root| root == Some(field))
    };
    let task = task_definition(spec, target)?;
    let failed = live.rollout.as_deref() == Some(FAILED);
    if changes("task_definition") || failed {
        Box::pin(preflight::check(
            cx,
            target.address,
            &live.name,
            (spec, task),
        ))
        .await?;
    }
    let call = cx.aws.ecs.update_service().service(&live.name);
    let call = call.cluster(&live.cluster);
    let call = call.task_definition(task);
    let mut call = call
        .desired_count(scaling::wanted_count(spec, Some(live.desired_count)))
        .deployment_configuration(deployment(spec))
        .enable_execute_command(spec.execute_command)
        .propagate_tags(spec.propagate_tags.sdk());
    if failed {
        // Nothing else would have it begin again.
        call = call.force_new_deployment(true);
    }
    if changes("capacity") {
        // Tasks move to other capacity only by being started anew.
        call = call.set_capacity_provider_strategy(capacity(spec)?);
        call = call.force_new_deployment(true);
    }
    if ["network", "subnets", "security_groups", "public_ip"]
        .into_iter()
        .any(changes)
    {
        let mut network = network(spec, cx, target).await?;
        if spec.network.is_none() && spec.subnets.is_empty() {
            // What names neither stays where it is.
            let there = live.place.as_ref().map(|place| place.subnets.clone());
            let configuration = network
                .as_mut()
                .and_then(|it| it.awsvpc_configuration.as_mut());
            if let (Some(configuration), Some(there)) = (configuration, there) {
                configuration.subnets = there;
            }
        }
        call = call.set_network_configuration(network);
    }
    if changes("load_balancer") {
        let balancers = load_balancer::sdk(spec.load_balancer.as_ref(), target)?;
        call = call.set_load_balancers(Some(balancers));
    }
    if changes("health_check_grace_seconds") {
        call = call.health_check_grace_period_seconds(spec.health_check_grace_seconds);
    }
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("service `{}` to be changed", live.name);
    let wait = Wait::new(what, Duration::from_mins(10), &news);
    let told = wait.until(async || {
        let done = call.clone().send().await;
        match done.map_err(refused("ecs:UpdateService")) {
            Ok(told) => Ok(Poll::Ready(told.service)),
            // A balancer or role that was made a moment ago.
            Err(error) if is_too_early(&error) => Ok(Poll::Pending(error.message().to_owned())),
            Err(error) => Err(error),
        }
    });
    let told = told.await?;
    let told = told.ok_or_else(|| Error::failed("ecs:UpdateService: an empty answer"))?;
    let mut now = rollout::finished(cx, target.address, told).await?;
    now.tags = live.tags;
    now.scaling = live.scaling;
    Ok(now)
}

fn cluster<'a>(spec: &Service, target: Target<'a>) -> Result<&'a str> {
    let name = &spec.cluster.0;
    target
        .world
        .id("clusters", name)
        .ok_or_else(|| Error::playbook(format!("cluster `{name}` does not exist"), target.at))
}

fn task_definition<'a>(spec: &Service, target: Target<'a>) -> Result<&'a str> {
    let name = &spec.task_definition.0;
    difference::arn_of_task(name, target.world).ok_or_else(|| {
        let text = format!("task definition `{name}` does not exist");
        Error::playbook(text, target.at)
    })
}

fn capacity(spec: &Service) -> Result<Option<Vec<CapacityProviderStrategyItem>>> {
    if spec.capacity.is_empty() {
        return Ok(None);
    }
    let items = spec.capacity.iter().map(|share| {
        CapacityProviderStrategyItem::builder()
            .capacity_provider(&share.provider)
            .weight(share.weight)
            .base(share.base)
            .build()
            .map_err(incomplete)
    });
    items.collect::<Result<_>>().map(Some)
}

/// Only tasks with a network interface of their own take one.
async fn network(
    spec: &Service,
    cx: &Context,
    target: Target<'_>,
) -> Result<Option<NetworkConfiguration>> {
    let address = Address::new("task_definitions", &spec.task_definition.0);
    let mode = target.world.output(&address, "network_mode");
    if mode.is_some_and(|mode| mode != "awsvpc") {
        return Ok(None);
    }
    let place = spec.tasks_network().place(cx, target).await?;
    let public = if place.public_ip {
        AssignPublicIp::Enabled
    } else {
        AssignPublicIp::Disabled
    };
    let configuration = AwsVpcConfiguration::builder()
        .set_subnets(Some(place.subnets))
        .set_security_groups(Some(place.security_groups))
        .assign_public_ip(public)
        .build()
        .map_err(incomplete)?;
    let network = NetworkConfiguration::builder().awsvpc_configuration(configuration);
    Ok(Some(network.build()))
}

fn deployment(spec: &Service) -> DeploymentConfiguration {
    let breaker = DeploymentCircuitBreaker::builder()
        .enable(spec.circuit_breaker)
        .rollback(spec.circuit_breaker);
    DeploymentConfiguration::builder()
        .deployment_circuit_breaker(breaker.build())
        .minimum_healthy_percent(spec.minimum_healthy_percent)
        .maximum_percent(spec.maximum_percent)
        .build()
}

fn incomplete(error: impl std::fmt::Display) -> Error {
    Error::failed(error.to_string())
}
