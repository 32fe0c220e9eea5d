//! What ECS tells of services, ten of one cluster at a time.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::{self, AssignPublicIp, ServiceField};
use futures::future::{join_all, try_join_all};

use super::{ARN, Live, rollout, scaling};
use crate::aws::ecs::tags_of;
use crate::aws::{is_code, refused};
use crate::base::{Error, Result, Value};
use crate::contract::{Context, Presence, Wanted, aws_name};
use crate::resources::capacity_share::CapacityShare;
use crate::resources::task_network::TaskPlace;

/// The most services in one call:
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>.
const AT_ONCE: usize = 10;

pub(super) async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
    let mut ids: BTreeSet<String> = BTreeSet::new();
    let tagged = wanted.tagged.named(&cx.aws, &cx.stack, ARN).await?;
    ids.extend(tagged.into_iter().map(|(id, _)| id.to_owned()));
    // A declared service names its cluster as the playbook does.
    let clusters = wanted.tagged.named(&cx.aws, &cx.stack, "ecs:cluster/");
    let clusters = clusters.await?.into_iter().filter_map(|(name, resource)| {
        let address = resource.tags.owner()?.address;
        (address.kind == "clusters").then(|| (address.name, name.to_owned()))
    });
    let clusters: BTreeMap<_, _> = clusters.collect();
    for (address, node) in &wanted.declared {
        let cluster = node.entry("cluster").and_then(|cluster| cluster.as_text());
        let name = match node.entry("name").map(|name| &name.value) {
            None | Some(Value::Null) => aws_name(address),
            Some(Value::Text(name)) => name.clone(),
            Some(_) => continue,
        };
        if let Some(cluster) = cluster {
            let cluster = clusters.get(cluster).map_or(cluster, String::as_str);
            ids.insert(format!("{cluster}/{name}"));
        }
    }
    let ids: Vec<_> = ids.into_iter().collect();
    let found = describe(cx, &ids).await?.into_iter();
    // What is on its way out is absence.
    let mut found: Vec<_> = found.filter(|live| live.status == "ACTIVE").collect();
    scaling::tell(cx, wanted, &mut found).await?;
    Ok(found)
}

/// The services of these ids (`CLUSTER/NAME`) that ECS still knows, whatever their status.
pub(super) async fn describe(cx: &Context, ids: &[String]) -> Result<Vec<Live>> {
    let mut by_cluster: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for id in ids {
        if let Some((cluster, name)) = id.split_once('/') {
            let names = by_cluster.entry(cluster).or_default();
            names.push(name.to_owned());
        }
    }
    let batches = by_cluster.iter().flat_map(|(cluster, names)| {
        let batches = names.chunks(AT_ONCE);
        batches.map(move |names| batch(cx, cluster, names))
    });
    let told = try_join_all(batches).await?.into_iter().flatten();
    Ok(told.map(Live::from).collect())
}

/// One service as ECS tells it, whatever its status.
pub(super) async fn one(cx: &Context, cluster: &str, name: &str) -> Result<Option<types::Service>> {
    let names = [name.to_owned()];
    Ok(batch(cx, cluster, &names).await?.pop())
}

async fn batch(cx: &Context, cluster: &str, names: &[String]) -> Result<Vec<types::Service>> {
    let call = cx.aws.ecs.describe_services().cluster(cluster);
    let call = call.set_services(Some(names.to_vec()));
    let told = call.include(ServiceField::Tags).send().await;
    let told = match told.map_err(refused("ecs:DescribeServices")) {
        Ok(told) => told,
        Err(error) if is_code(&error, "ClusterNotFoundException") => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    for failure in told.failures.into_iter().flatten() {
        let reason = failure.reason.unwrap_or_default();
        if reason != "MISSING" {
            let arn = failure.arn.unwrap_or_default();
            let text = format!("ecs:DescribeServices: `{arn}`: {reason}");
            return Err(Error::failed(text));
        }
    }
    Ok(told.services.unwrap_or_default())
}

impl From<types::Service> for Live {
    fn from(told: types::Service) -> Self {
        let rollout = rollout::primary(&told).and_then(|it| it.rollout_state.as_ref());
        let rollout = rollout.map(|state| state.as_str().to_owned());
        let cluster = told.cluster_arn.unwrap_or_default();
        let cluster = cluster.rsplit('/').next().unwrap_or_default().to_owned();
        let name = told.service_name.unwrap_or_default();
        let network = told.network_configuration;
        let network = network.and_then(|network| network.awsvpc_configuration);
        let place = network.map(|it| {
            let public_ip = it.assign_public_ip == Some(AssignPublicIp::Enabled);
            TaskPlace::told(
                it.subnets,
                it.security_groups.unwrap_or_default(),
                public_ip,
            )
        });
        let shares = told.capacity_provider_strategy.into_iter().flatten();
        let capacity = shares.map(|it| CapacityShare {
            provider: it.capacity_provider,
            weight: it.weight,
            base: it.base,
        });
        let load_balancers = told.load_balancers.into_iter().flatten();
        let deployment = told.deployment_configuration;
        let breaker = deployment.as_ref();
        let breaker = breaker.and_then(|it| it.deployment_circuit_breaker.as_ref());
        let breaker = breaker.is_some_and(|breaker| breaker.enable);
        let percent = |of: fn(&types::DeploymentConfiguration) -> Option<i32>, usual| {
            deployment.as_ref().and_then(of).unwrap_or(usual)
        };
        let propagate = told.propagate_tags.as_ref();
        Self {
            id: format!("{cluster}/{name}"),
            cluster,
            name,
            arn: told.service_arn.unwrap_or_default(),
            status: told.status.unwrap_or_default(),
            task_definition: told.task_definition.unwrap_or_default(),
            desired_count: told.desired_count,
            running_count: told.running_count,
            rollout,
            launch_type: told.launch_type.map(|it| it.as_str().to_owned()),
            capacity: capacity.collect(),
            place,
            load_balancer: load_balancers.map(Into::into).next(),
            scaling: None,
            health_check_grace_seconds: told.health_check_grace_period_seconds.unwrap_or(0),
            circuit_breaker: breaker,
            minimum_healthy_percent: percent(|it| it.minimum_healthy_percent, 100),
            maximum_percent: percent(|it| it.maximum_percent, 200),
            execute_command: told.enable_execute_command,
            propagate_tags: propagate.map_or("NONE", |it| it.as_str()).to_owned(),
            tags: tags_of(told.tags),
        }
    }
}

pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let mut answers: BTreeMap<&String, Presence> = BTreeMap::new();
    let asked = join_all(ids.chunks(AT_ONCE).map(|some| async move {
        let told = describe(cx, some).await;
        (some, told.map_err(|error| error.message().to_owned()))
    }));
    for (some, told) in asked.await {
        for id in some {
            let answer = match &told {
                Err(why) => Presence::Unknown(why.clone()),
                Ok(told) => match told.iter().find(|live| live.id == *id) {
                    Some(live) if live.status != "INACTIVE" => Presence::Present(format!(
                        "{}, {} tasks running",
                        live.status, live.running_count
                    )),
                    _ => Presence::Absent,
                },
            };
            answers.insert(id, answer);
        }
    }
    let answer = |id| answers.remove(id).unwrap_or(Presence::Absent);
    ids.iter().map(answer).collect()
}
