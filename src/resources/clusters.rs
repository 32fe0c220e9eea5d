//! ECS clusters: where services and tasks run, and on whose capacity.

use std::fmt;
use std::time::Duration;

use aws_sdk_ecs::types::{ClusterSetting, ClusterSettingName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{named, quotas};
use crate::aws::ecs::{retag, sdk_tags};
use crate::aws::{Poll, Tags, Wait, refused, tags};
use crate::base::node::Step;
use crate::base::{Address, Cost, Diff, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted};

mod capacity;
mod delete;
mod listing;

const ARN: &str = "ecs:cluster/";
const NOT_FOUND: &str = "ClusterNotFoundException";

/// An ECS cluster
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Name in AWS, up to 255 letters, digits, `-` and `_`; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Capacity providers that tasks may run on: `FARGATE`, `FARGATE_SPOT` (cheaper, may be taken
    /// away with two minutes' notice), or names of one's own. Services that name none run on the
    /// first
    #[serde(default = "fargate")]
    #[schemars(length(max = 20))]
    pub capacity: Vec<String>,
    /// What `CloudWatch` Container Insights measures, at a price for each metric
    #[serde(default)]
    pub container_insights: Insights,
}

fn fargate() -> Vec<String> {
    vec!["FARGATE".to_owned()]
}

/// How much `CloudWatch` Container Insights measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Insights {
    /// Nothing
    #[default]
    Disabled,
    /// Cluster and services
    Enabled,
    /// Down to tasks and containers
    Enhanced,
}

impl fmt::Display for Insights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Enhanced => "enhanced",
        })
    }
}

/// A cluster in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    name: String,
    arn: String,
    /// As AWS words it: `ACTIVE`.
    status: String,
    /// The default first; what else the default strategy says stands as an entry of its own.
    capacity: Vec<String>,
    container_insights: String,
    tags: Tags,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.name
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.name.as_str())
            .with("name", self.name.as_str())
            .with("arn", self.arn.as_str())
    }
}

impl Resource for Cluster {
    const KIND: &'static str = "clusters";
    const IAM: Iam = Iam {
        discover: &["tag:GetResources", "ecs:DescribeClusters"],
        apply: &[
            "ecs:DescribeClusters",
            "ecs:CreateCluster",
            "ecs:UpdateCluster",
            "ecs:PutClusterCapacityProviders",
            "ecs:TagResource",
            "ecs:UntagResource",
        ],
        delete: &[
            "ecs:DeleteCluster",
            "ecs:DescribeClusters",
            "ecs:ListServices",
            "ecs:ListTasks",
            "ecs:DescribeTasks",
            "ecs:StopTask",
            "ecs:ListContainerInstances",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Name in AWS"),
        ("name", "Name in AWS"),
        ("arn", "Amazon resource name"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 52;
    const DELETE_SEES_IT_GONE: bool = true;
    const QUOTA: Option<Quota> = Some(quotas::CLUSTERS);
    // Services leave the old one by being made anew in the new one.
    const CREATE_FIRST: bool = true;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = Vec::new();
        if self.name.as_ref().is_some_and(|name| !is_name(name)) {
            let text = "a cluster's name is 1 to 255 letters, digits, `-` and `_`";
            problems.push((at("name"), text.to_owned()));
        }
        // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
        if self.capacity.len() > 20 {
            let text = "a cluster takes at most 20 capacity providers";
            problems.push((at("capacity"), text.to_owned()));
        }
        for (index, name) in self.capacity.iter().enumerate() {
            if self.capacity[..index].contains(name) {
                let mut path = at("capacity");
                path.push(Step::Index(index));
                problems.push((path, format!("`{name}` is there already")));
            }
        }
        problems
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let names = named::names(cx, wanted, ARN).await?;
        listing::active(cx, &names).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let name = named::name_of(self.name.as_ref(), target);
        let diff = Diff::default()
            .fixed("name", Shown::of(&live.name), Shown::of(name))
            .field(
                "capacity",
                Shown::list(&live.capacity),
                Shown::list(capacity::default_first(&self.capacity)),
            )
            .field(
                "container_insights",
                Shown::of(&live.container_insights),
                Shown::of(self.container_insights),
            );
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, _region: &str) -> Cost {
        match self.container_insights {
            Insights::Disabled => Cost::default(),
            Insights::Enabled | Insights::Enhanced => Cost::by_use("metrics of Container Insights"),
        }
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            Some(live) => live.clone(),
            None => self.created(cx, target).await?,
        };
        capacity::bring(cx, target, &mut live, &self.capacity).await?;
        let insights = self.container_insights.to_string();
        if live.container_insights != insights {
            let call = cx.aws.ecs.update_cluster().cluster(&live.name);
            let done = call.settings(self.setting()).send().await;
            done.map_err(refused("ecs:UpdateCluster"))?;
            live.container_insights = insights;
        }
        retag(&cx.aws, &live.arn, &live.tags, target.tags).await?;
        live.tags.apply(target.tags);
        Ok(live)
    }

    async fn depose(cx: &Context, old: &Live, address: &Address) -> Result<()> {
        let mut tags = old.tags.clone();
        let address = tags::written_address(address);
        tags.0.insert(tags::ADDRESS.to_owned(), address);
        retag(&cx.aws, &old.arn, &old.tags, &tags).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        listing::presence(cx, ids).await
    }
}

impl Cluster {
    fn setting(&self) -> ClusterSetting {
        ClusterSetting::builder()
            .name(ClusterSettingName::ContainerInsights)
            .value(self.container_insights.to_string())
            .build()
    }

    /// `CreateCluster` answers with the cluster that is there already, whoever has it.
    async fn created(&self, cx: &Context, target: Target<'_>) -> Result<Live> {
        let name = named::name_of(self.name.as_ref(), target);
        let names = std::slice::from_ref(&name);
        let news = |text: &str| cx.progress.doing(target.address, text);
        let wait = Wait::new(
            format!("cluster `{name}` to be made"),
            Duration::from_mins(5),
            &news,
        );
        wait.until(async || {
            let call = cx.aws.ecs.create_cluster().cluster_name(&name);
            let call = call.settings(self.setting());
            let call = call.set_capacity_providers(Some(self.capacity.clone()));
            let call = call.set_default_capacity_provider_strategy(Some(capacity::strategy(
                self.capacity.first(),
            )?));
            let made = call.set_tags(Some(sdk_tags(&target.tags.0))).send().await;
            match made.map_err(refused("ecs:CreateCluster")) {
                Ok(_) => Ok(Poll::Ready(())),
                // The account's first cluster: ECS is still making its own role.
                Err(error) if error.message().contains("service linked role") => {
                    Ok(Poll::Pending("the role of ECS is being made".to_owned()))
                }
                Err(error) => Err(error),
            }
        })
        .await?;
        let wait = Wait::new(
            format!("cluster `{name}` to be active"),
            Duration::from_mins(5),
            &news,
        );
        let live = wait.until(async || {
            Ok(match listing::active(cx, names).await?.pop() {
                Some(live) if live.status == "ACTIVE" => Poll::Ready(live),
                Some(live) => Poll::Pending(live.status),
                None => Poll::Pending("not visible yet".to_owned()),
            })
        });
        // ECS answers with the existing one of that name, whoever owns it.
        let live = live.await?;
        named::must_be_ours("cluster", &name, &live.tags, target)?;
        Ok(live)
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=255).contains(&name.len()) && name.chars().all(fits)
}
