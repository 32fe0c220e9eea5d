//! Where in the network tasks run: subnets, security groups, and whether they have public
//! addresses. What services and schedules have in common.

use super::place::place;
use super::reference::{NetworkName, SecurityGroupName, named};
use crate::base::node::Step;
use crate::base::{Address, Diff, Error, Result, Shown, World};
use crate::contract::{Context, Target};

/// The fields of a spec that say where its tasks run.
#[derive(Clone, Copy, Debug)]
pub struct TaskNetwork<'a> {
    /// A network: all its subnets.
    pub network: Option<&'a NetworkName>,
    /// Ids of subnets, instead of a network.
    pub subnets: &'a [String],
    /// Security groups; without any, the network's default one.
    pub security_groups: &'a [SecurityGroupName],
    /// Every task has a public address.
    pub public_ip: bool,
}

/// Where tasks run, by ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaskPlace {
    /// Ids of subnets, sorted.
    pub subnets: Vec<String>,
    /// Ids of security groups, sorted.
    pub security_groups: Vec<String>,
    /// Every task has a public address.
    pub public_ip: bool,
}

impl TaskPlace {
    /// What AWS reports, in the form of the comparison.
    #[must_use]
    pub fn told(
        mut subnets: Vec<String>,
        mut security_groups: Vec<String>,
        public_ip: bool,
    ) -> Self {
        subnets.sort();
        security_groups.sort();
        Self {
            subnets,
            security_groups,
            public_ip,
        }
    }
}

impl TaskNetwork<'_> {
    /// What is wrong with it offline.
    #[must_use]
    pub fn check(&self) -> Vec<(Vec<Step>, String)> {
        let mut problems = Vec::new();
        let mut problem = |field: &str, text: &str| {
            problems.push((vec![Step::Key(field.to_owned())], text.to_owned()));
        };
        if self.network.is_some() && !self.subnets.is_empty() {
            problem("subnets", "give `network` or `subnets`, not both");
        }
        // https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html
        if self.subnets.len() > 16 {
            problem("subnets", "at most 16 subnets");
        }
        if self.security_groups.len() > 5 {
            problem("security_groups", "at most 5 security groups");
        }
        problems
    }

    /// What differs from `live`. What names neither network nor subnets stays where it is.
    #[must_use]
    pub fn diff(&self, mut diff: Diff, live: &TaskPlace, world: &World) -> Diff {
        if let Some(NetworkName(name)) = self.network {
            let ids = subnets_of(name, world);
            let wanted = ids.map_or(Shown::AfterApply, Shown::list);
            diff = diff.field("network", Shown::list(&live.subnets), wanted);
        } else if !self.subnets.is_empty() {
            let mut wanted = self.subnets.to_vec();
            wanted.sort();
            let there = Shown::list(&live.subnets);
            diff = diff.field("subnets", there, Shown::list(wanted));
        }
        let there = live.security_groups.iter();
        let mut there: Vec<_> = there
            .map(|id| named(world, "security_groups", id))
            .collect();
        there.sort_unstable();
        let wanted = self.security_groups.iter();
        let exist = |SecurityGroupName(name): &SecurityGroupName| {
            world.id("security_groups", name).is_some()
        };
        let wanted = if wanted.clone().all(exist) {
            let mut names: Vec<_> = wanted.map(|SecurityGroupName(name)| name).collect();
            names.sort();
            Shown::list(names)
        } else {
            Shown::AfterApply
        };
        diff.field("security_groups", Shown::list(there), wanted)
            .field(
                "public_ip",
                Shown::of(live.public_ip),
                Shown::of(self.public_ip),
            )
    }

    /// The ids; those of the default VPC's subnets where neither network nor subnets are given.
    ///
    /// # Errors
    /// A playbook error when something named does not exist.
    pub async fn place(&self, cx: &Context, target: Target<'_>) -> Result<TaskPlace> {
        let subnets = match self.subnets {
            [] => place(cx, target, self.network).await?.subnets,
            ids => ids.to_vec(),
        };
        let groups = self.security_groups.iter().map(|SecurityGroupName(name)| {
            let id = target.world.id("security_groups", name);
            id.map(str::to_owned).ok_or_else(|| {
                let text = format!("security group `{name}` does not exist");
                Error::playbook(text, target.at)
            })
        });
        let groups = groups.collect::<Result<Vec<_>>>()?;
        Ok(TaskPlace::told(subnets, groups, self.public_ip))
    }
}

fn subnets_of(network: &str, world: &World) -> Option<Vec<String>> {
    let ids = world.output(&Address::new("networks", network), "subnet_ids")?;
    let ids = ids.as_array()?.iter();
    let mut ids: Vec<_> = ids
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect();
    ids.sort();
    Some(ids)
}
