//! What ECS tells of clusters, a hundred at a time.

use std::collections::HashMap;

use aws_sdk_ecs::types::{self, ClusterField, ClusterSettingName};

use super::{Live, capacity};
use crate::aws::ecs::tags_of;
use crate::aws::refused;
use crate::base::{Error, Result};
use crate::contract::{Context, Presence};

/// The most clusters in one call:
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html>.
const AT_ONCE: usize = 100;

impl From<types::Cluster> for Live {
    fn from(told: types::Cluster) -> Self {
        let insights = told.settings.into_iter().flatten();
        let mut insights =
            insights.filter(|it| it.name == Some(ClusterSettingName::ContainerInsights));
        let insights = insights.next().and_then(|setting| setting.value);
        let strategy = told.default_capacity_provider_strategy.unwrap_or_default();
        Self {
            name: told.cluster_name.unwrap_or_default(),
            arn: told.cluster_arn.unwrap_or_default(),
            status: told.status.unwrap_or_default(),
            capacity: capacity::told(told.capacity_providers.unwrap_or_default(), &strategy),
            container_insights: insights.unwrap_or_else(|| "disabled".to_owned()),
            tags: tags_of(told.tags),
        }
    }
}

/// The clusters of these names that are there: one that was deleted stays listed as `INACTIVE` for
/// a while.
pub(super) async fn active(cx: &Context, names: &[String]) -> Result<Vec<Live>> {
    let mut found = Vec::new();
    for some in names.chunks(AT_ONCE) {
        let call = cx.aws.ecs.describe_clusters();
        let call = call.set_clusters(Some(some.to_vec()));
        let call = call.include(ClusterField::Tags);
        let told = call.include(ClusterField::Settings).send().await;
        let told = told.map_err(refused("ecs:DescribeClusters"))?;
        for failure in told.failures.into_iter().flatten() {
            let reason = failure.reason.unwrap_or_default();
            if reason != "MISSING" {
                let arn = failure.arn.unwrap_or_default();
                let text = format!("ecs:DescribeClusters: `{arn}`: {reason}");
                return Err(Error::failed(text));
            }
        }
        let clusters = told.clusters.into_iter().flatten().map(Live::from);
        found.extend(clusters.filter(|live| live.status != "INACTIVE"));
    }
    Ok(found)
}

pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    match active(cx, ids).await {
        Ok(found) => {
            let found = found.into_iter().map(|live| (live.name, live.status));
            let found: HashMap<_, _> = found.collect();
            let answer = |id: &String| match found.get(id) {
                Some(status) => Presence::Present(status.clone()),
                None => Presence::Absent,
            };
            ids.iter().map(answer).collect()
        }
        Err(error) => vec![Presence::unknown(&error); ids.len()],
    }
}
