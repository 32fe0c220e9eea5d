//! Autoscaling: how many tasks a service has, by what they have to do. Application Auto Scaling holds
//! it, apart from the service.

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::types::{
    MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension, ScalingPolicy,
    ServiceNamespace, TargetTrackingScalingPolicyConfiguration,
};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Live, Service};
use crate::aws::{is_code, refused};
use crate::base::node::Step;
use crate::base::{Diff, Error, Result, Shown};
use crate::contract::{Context, Wanted};
use crate::resources::apart::{Apart, has, is_asked};

/// What only Application Auto Scaling tells.
pub(super) const SCALING: Apart = ("autoscaling", |node| has(node, "autoscaling"));

const NOT_FOUND: &str = "ObjectNotFoundException";
/// Resources in one question:
/// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalableTargets.html>.
const AT_ONCE: usize = 50;

/// How many tasks a service has, by what they have to do: AWS adds some as soon as one of the figures is
/// above what it should be, and takes some away when all are below. Give at least one figure
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Autoscaling {
    /// Tasks that run at least
    #[schemars(range(min = 0, max = 5000))]
    pub min: i32,
    /// Tasks that run at most
    #[schemars(range(min = 1, max = 5000))]
    pub max: i32,
    /// CPU that the tasks use on average, in percent of what they have
    #[schemars(range(min = 1, max = 100))]
    pub cpu_percent: Option<u32>,
    /// Memory that the tasks use on average, in percent of what they have
    #[schemars(range(min = 1, max = 100))]
    pub memory_percent: Option<u32>,
    /// Requests a minute that each task gets from the load balancer on average
    #[schemars(range(min = 1))]
    pub requests_per_task: Option<u32>,
    /// Seconds after tasks were added in which no others are
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 0, max = 86400))]
    pub scale_out_cooldown_seconds: i32,
    /// Seconds after tasks were taken away in which no others are
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 0, max = 86400))]
    pub scale_in_cooldown_seconds: i32,
}

/// What AWS does for ECS if nothing is said.
fn five_minutes() -> i32 {
    300
}

/// A figure that is kept where it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Figure {
    CpuPercent,
    MemoryPercent,
    RequestsPerTask,
}

impl Figure {
    const ALL: [Self; 3] = [Self::CpuPercent, Self::MemoryPercent, Self::RequestsPerTask];

    /// The field of the playbook.
    fn field(self) -> &'static str {
        match self {
            Self::CpuPercent => "cpu_percent",
            Self::MemoryPercent => "memory_percent",
            Self::RequestsPerTask => "requests_per_task",
        }
    }

    /// Name of its policy in AWS, unique in the service.
    fn policy(self) -> &'static str {
        match self {
            Self::CpuPercent => "tidewalk-cpu",
            Self::MemoryPercent => "tidewalk-memory",
            Self::RequestsPerTask => "tidewalk-requests",
        }
    }

    fn metric(self) -> MetricType {
        match self {
            Self::CpuPercent => MetricType::EcsServiceAverageCpuUtilization,
            Self::MemoryPercent => MetricType::EcsServiceAverageMemoryUtilization,
            Self::RequestsPerTask => MetricType::AlbRequestCountPerTarget,
        }
    }
}

/// One figure in AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Kept {
    at: u32,
    scale_out_cooldown_seconds: i32,
    scale_in_cooldown_seconds: i32,
}

/// Autoscaling in AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Scaled {
    min: i32,
    pub(super) max: i32,
    figures: BTreeMap<Figure, Kept>,
}

impl Autoscaling {
    /// What is wrong with it in its place in a service.
    pub(super) fn check(&self, has_balancer: bool) -> Vec<(Vec<Step>, String)> {
        let mut problems = Vec::new();
        let mut problem = |field: Option<&str>, text: &str| {
            let steps = ["autoscaling"].into_iter().chain(field);
            let steps = steps.map(|key| Step::Key(key.to_owned()));
            problems.push((steps.collect(), text.to_owned()));
        };
        if self.min > self.max {
            problem(Some("max"), "`max` is below `min`");
        }
        if Figure::ALL.iter().all(|it| self.wanted(*it).is_none()) {
            let text =
                "by which figure? Give `cpu_percent`, `memory_percent` or `requests_per_task`";
            problem(None, text);
        }
        if self.requests_per_task.is_some() && !has_balancer {
            let text = "requests are counted by a `load_balancer`, and it has none";
            problem(Some("requests_per_task"), text);
        }
        problems
    }

    /// So many tasks as there are, within the bounds.
    fn within(&self, tasks: i32) -> i32 {
        tasks.max(self.min).min(self.max)
    }

    fn wanted(&self, figure: Figure) -> Option<u32> {
        match figure {
            Figure::CpuPercent => self.cpu_percent,
            Figure::MemoryPercent => self.memory_percent,
            Figure::RequestsPerTask => self.requests_per_task,
        }
    }

    fn as_scaled(&self) -> Scaled {
        let figures = Figure::ALL.into_iter().filter_map(|figure| {
            let kept = Kept {
                at: self.wanted(figure)?,
                scale_out_cooldown_seconds: self.scale_out_cooldown_seconds,
                scale_in_cooldown_seconds: self.scale_in_cooldown_seconds,
            };
            Some((figure, kept))
        });
        Scaled {
            min: self.min,
            max: self.max,
            figures: figures.collect(),
        }
    }
}

/// Tasks that there should be, where so many are.
pub(super) fn wanted_count(spec: &Service, live: Option<i32>) -> i32 {
    match &spec.autoscaling {
        Some(scaling) => scaling.within(live.unwrap_or(spec.desired_count)),
        None => spec.desired_count,
    }
}

/// What differs.
pub(super) fn diff(mut diff: Diff, spec: &Service, live: &Live) -> Diff {
    let (old, new) = (live.scaling.as_ref(), spec.autoscaling.as_ref());
    let new = new.map(Autoscaling::as_scaled);
    let mut field = |name: &str, of: &dyn Fn(&Scaled) -> Option<i64>| {
        let (old, new) = (old.and_then(of), new.as_ref().and_then(of));
        let name = format!("autoscaling.{name}");
        diff = std::mem::take(&mut diff).field(&name, Shown::option(old), Shown::option(new));
    };
    field("min", &|it| Some(it.min.into()));
    field("max", &|it| Some(it.max.into()));
    for figure in Figure::ALL {
        field(figure.field(), &|it| {
            it.figures.get(&figure).map(|kept| kept.at.into())
        });
    }
    let first = |it: &Scaled| it.figures.values().next().copied();
    field("scale_out_cooldown_seconds", &|it| {
        Some(first(it)?.scale_out_cooldown_seconds.into())
    });
    field("scale_in_cooldown_seconds", &|it| {
        Some(first(it)?.scale_in_cooldown_seconds.into())
    });
    diff
}

fn resource(live: &Live) -> String {
    format!("service/{}", live.id)
}

/// Asks for those services that have or had it.
pub(super) async fn tell(cx: &Context, wanted: &Wanted, services: &mut [Live]) -> Result<()> {
    let asked = services.iter_mut();
    let mut asked: Vec<_> = asked
        .filter(|live| is_asked(wanted, &live.tags, SCALING))
        .collect();
    for some in asked.chunks_mut(AT_ONCE) {
        let found = targets(cx, some.iter().map(|live| resource(live)).collect()).await?;
        let with_figures = some.iter_mut().map(async |live| {
            let resource = resource(live);
            if let Some((min, max)) = found.get(&resource) {
                live.scaling = Some(Scaled {
                    min: *min,
                    max: *max,
                    figures: figures(cx, &resource).await?,
                });
            }
            Ok::<_, Error>(())
        });
        try_join_all(with_figures).await?;
    }
    Ok(())
}

/// The bounds of those that have some.
async fn targets(cx: &Context, resources: Vec<String>) -> Result<BTreeMap<String, (i32, i32)>> {
    let call = cx.aws.scaling.describe_scalable_targets();
    let call = call.service_namespace(ServiceNamespace::Ecs);
    let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    let call = call.set_resource_ids(Some(resources));
    let mut pages = call.into_paginator().items().send();
    let mut found = BTreeMap::new();
    while let Some(told) = pages.next().await {
        let told = told.map_err(refused("application-autoscaling:DescribeScalableTargets"))?;
        found.insert(told.resource_id, (told.min_capacity, told.max_capacity));
    }
    Ok(found)
}

/// The figures of our own policies; those of others are theirs.
async fn figures(cx: &Context, resource: &str) -> Result<BTreeMap<Figure, Kept>> {
    let call = cx.aws.scaling.describe_scaling_policies();
    let call = call.service_namespace(ServiceNamespace::Ecs);
    let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    let mut pages = call.resource_id(resource).into_paginator().items().send();
    let mut found = BTreeMap::new();
    while let Some(told) = pages.next().await {
        let told = told.map_err(refused("application-autoscaling:DescribeScalingPolicies"))?;
        found.extend(figure(&told));
    }
    Ok(found)
}

fn figure(told: &ScalingPolicy) -> Option<(Figure, Kept)> {
    let mut all = Figure::ALL.into_iter();
    let figure = all.find(|figure| figure.policy() == told.policy_name)?;
    let tracking = told.target_tracking_scaling_policy_configuration.as_ref()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number was written there"
    )]
    let at = tracking.target_value.round() as u32;
    let kept = Kept {
        at,
        scale_out_cooldown_seconds: tracking.scale_out_cooldown.unwrap_or(five_minutes()),
        scale_in_cooldown_seconds: tracking.scale_in_cooldown.unwrap_or(five_minutes()),
    };
    Some((figure, kept))
}

/// Brings it to what is wanted.
pub(super) async fn apply(cx: &Context, spec: &Service, live: &mut Live) -> Result<()> {
    let wanted = spec.autoscaling.as_ref().map(Autoscaling::as_scaled);
    if wanted == live.scaling {
        return Ok(());
    }
    match &wanted {
        Some(wanted) => {
            register(cx, live, wanted).await?;
            for figure in Figure::ALL {
                let old = live.scaling.as_ref().and_then(|it| it.figures.get(&figure));
                match wanted.figures.get(&figure) {
                    Some(new) if old != Some(new) => put(cx, live, figure, *new).await?,
                    None if old.is_some() => remove(cx, live, figure).await?,
                    _ => {}
                }
            }
        }
        None => end(cx, live).await?,
    }
    live.scaling = wanted;
    Ok(())
}

async fn register(cx: &Context, live: &Live, wanted: &Scaled) -> Result<()> {
    let call = cx.aws.scaling.register_scalable_target();
    let call = call.service_namespace(ServiceNamespace::Ecs);
    let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    let call = call.resource_id(resource(live));
    let call = call.min_capacity(wanted.min).max_capacity(wanted.max);
    let done = call.send().await;
    done.map_err(refused("application-autoscaling:RegisterScalableTarget"))?;
    Ok(())
}

async fn put(cx: &Context, live: &Live, figure: Figure, kept: Kept) -> Result<()> {
    let metric = PredefinedMetricSpecification::builder().predefined_metric_type(figure.metric());
    let metric = match figure {
        Figure::RequestsPerTask => metric.resource_label(label(cx, live).await?),
        _ => metric,
    };
    let tracking = TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(f64::from(kept.at))
        .predefined_metric_specification(metric.build().map_err(incomplete)?)
        .scale_out_cooldown(kept.scale_out_cooldown_seconds)
        .scale_in_cooldown(kept.scale_in_cooldown_seconds);
    let call = cx.aws.scaling.put_scaling_policy();
    let call = call.service_namespace(ServiceNamespace::Ecs);
    let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    let call = call
        .resource_id(resource(live))
        .policy_name(figure.policy());
    let call = call.policy_type(PolicyType::TargetTrackingScaling);
    let tracking = tracking.build().map_err(incomplete)?;
    let call = call.target_tracking_scaling_policy_configuration(tracking);
    let done = call.send().await;
    done.map_err(refused("application-autoscaling:PutScalingPolicy"))?;
    Ok(())
}

async fn remove(cx: &Context, live: &Live, figure: Figure) -> Result<()> {
    let call = cx.aws.scaling.delete_scaling_policy();
    let call = call.service_namespace(ServiceNamespace::Ecs);
    let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    let call = call
        .resource_id(resource(live))
        .policy_name(figure.policy());
    let done = call.send().await;
    match done.map_err(refused("application-autoscaling:DeleteScalingPolicy")) {
        Err(error) if !is_code(&error, NOT_FOUND) => Err(error),
        _ => Ok(()),
    }
}

/// Ends it, with all its policies and their alarms; a service that is deleted would leave them.
pub(super) async fn end(cx: &Context, live: &Live) -> Result<()> {
    let call = cx.aws.scaling.deregister_scalable_target();
    let call = call.service_namespace(ServiceNamespace::Ecs);
    let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    let done = call.resource_id(resource(live)).send().await;
    let action = "application-autoscaling:DeregisterScalableTarget";
    match done.map_err(refused(action)) {
        Err(error) if !is_code(&error, NOT_FOUND) => Err(error),
        _ => Ok(()),
    }
}

/// The load balancer and the target group whose requests are counted:
/// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html>.
async fn label(cx: &Context, live: &Live) -> Result<String> {
    let attached = live.load_balancer.as_ref();
    let attached = attached.ok_or_else(|| incomplete("the service has no load balancer"))?;
    let group = attached.target_group();
    let call = cx.aws.elb.describe_target_groups().target_group_arns(group);
    let told = call.send().await;
    let told = told.map_err(refused("elasticloadbalancing:DescribeTargetGroups"))?;
    let mut balancers = told.target_groups.into_iter().flatten();
    let balancers = balancers.next().and_then(|it| it.load_balancer_arns);
    let balancer = balancers.and_then(|arns| arns.into_iter().next());
    let balancer = balancer
        .as_deref()
        .and_then(|arn| arn.split_once(":loadbalancer/"));
    let (Some((_, balancer)), Some((_, group))) = (balancer, group.split_once(":targetgroup/"))
    else {
        let text = "no load balancer sends requests to the target group of the service";
        return Err(incomplete(text));
    };
    Ok(format!("{balancer}/targetgroup/{group}"))
}

fn incomplete(error: impl std::fmt::Display) -> Error {
    Error::failed(error.to_string())
}
