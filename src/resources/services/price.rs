//! What a service's tasks cost a month. On Fargate they are paid for by their size, and by the public address that each
//! has; on one's own instances they cost nothing beside those.

use std::collections::BTreeMap;

use super::{CapacityShare, LaunchType, Live, Service, scaling};
use crate::base::{Address, Cost, Node};
use crate::contract::{Beside, Found};
use crate::resources::prices::monthly;
use crate::resources::task_definitions::Size;

const FARGATE: &str = "FARGATE";
const SPOT: &str = "FARGATE_SPOT";
/// What cannot be priced when it is not known how large its tasks are, or whose machines they run on.
const TASKS: &str = "tasks of services";

/// By its spec and those of its task definition and its cluster.
pub(super) fn wanted(spec: &Service, region: &str, beside: &Beside<'_>) -> Cost {
    let named = |kind: &str, name: &str| (beside.spec)(&Address::new(kind, name));
    let count = scaling::wanted_count(spec, None);
    let most = spec.autoscaling.as_ref().map_or(count, |it| it.max);
    let tasks = Tasks {
        count,
        most,
        public_ip: spec.tasks_network().public_ip,
    };
    let parts = match (spec.launch_type, spec.capacity.as_slice()) {
        (Some(LaunchType::Fargate), _) => Some(tasks.all_on(FARGATE)),
        (Some(LaunchType::Ec2), _) => Some(Parts::default()),
        (None, []) => named("clusters", &spec.cluster.0).map(|it| tasks.all_on(&first_of(&it))),
        (None, shares) => Some(tasks.shared(shares)),
    };
    let task = || Size::of_spec(&named("task_definitions", &spec.task_definition.0)?);
    tasks.cost(region, parts.as_ref(), task)
}

/// As it is now, where `owned` has its task definition.
pub(super) fn now(live: &Live, region: &str, owned: &BTreeMap<Address, Found>) -> Cost {
    let tasks = Tasks {
        count: live.desired_count,
        most: live
            .scaling
            .as_ref()
            .map_or(live.desired_count, |it| it.max),
        public_ip: live.place.as_ref().is_some_and(|it| it.public_ip),
    };
    let parts = match &live.launch_type {
        Some(launch_type) => tasks.all_on(launch_type),
        None => tasks.shared(&live.capacity),
    };
    let task = || {
        let mut found = owned.values();
        found.find_map(|it| Size::of_revision(&live.task_definition, it))
    };
    tasks.cost(region, Some(&parts), task)
}

/// The capacity that a service of a cluster takes which names none.
fn first_of(cluster: &Node) -> String {
    let Some(capacity) = cluster.entry("capacity") else {
        return FARGATE.to_owned();
    };
    let first = capacity.as_list().and_then(|it| it.first());
    first.and_then(Node::as_text).unwrap_or_default().to_owned()
}

struct Tasks {
    count: i32,
    /// With autoscaling.
    most: i32,
    public_ip: bool,
}

/// How many tasks run on AWS's machines; parts of one where providers share by weight.
#[derive(Default)]
struct Parts {
    fargate: f64,
    spot: f64,
}

impl Tasks {
    fn all_on(&self, provider: &str) -> Parts {
        let count = f64::from(self.count);
        match provider {
            FARGATE => Parts {
                fargate: count,
                spot: 0.0,
            },
            SPOT => Parts {
                fargate: 0.0,
                spot: count,
            },
            _ => Parts::default(),
        }
    }

    /// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html>
    fn shared(&self, shares: &[CapacityShare]) -> Parts {
        let base = |share: &CapacityShare| share.base.min(self.count);
        let rest = f64::from(self.count - shares.iter().map(base).sum::<i32>());
        let weights = f64::from(shares.iter().map(|share| share.weight).sum::<i32>().max(1));
        let on = |provider: &str| {
            let shares = shares.iter().filter(|share| share.provider == provider);
            let tasks = shares
                .map(|share| f64::from(base(share)) + rest * f64::from(share.weight) / weights);
            tasks.sum()
        };
        Parts {
            fargate: on(FARGATE),
            spot: on(SPOT),
        }
    }

    fn cost(
        &self,
        region: &str,
        parts: Option<&Parts>,
        task: impl FnOnce() -> Option<Size>,
    ) -> Cost {
        if self.most == 0 {
            return Cost::default();
        }
        let Some(Parts { fargate, spot }) = parts else {
            return Cost::unknown(TASKS);
        };
        if self.count > 0 && fargate + spot <= 0.0 {
            return Cost::default();
        }
        let mut cost = Cost::default();
        if *fargate > 0.0 {
            cost = match task() {
                Some(size) => size.on_fargate(region).times(*fargate),
                None => Cost::unknown(TASKS),
            };
        }
        if *spot > 0.0 {
            cost = cost + Cost::unknown("tasks on FARGATE_SPOT");
        }
        if self.public_ip && fargate + spot > 0.0 {
            cost = cost + monthly("ec2/public-ipv4", region, fargate + spot);
        }
        if self.most > self.count {
            cost = cost + Cost::by_use("more tasks by autoscaling");
        }
        cost
    }
}
