//! Where the output of a service's containers is.

use aws_sdk_ecs::types::LogDriver;

use super::listing;
use crate::aws::refused;
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::named;

/// Where one container's output is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The container.
    pub container: String,
    /// The log group that it writes to.
    pub group: String,
    /// What the names of its log streams begin with; the task's id follows.
    pub begin: String,
}

/// Cluster and name in AWS of a declared service; `None` while its cluster does not exist.
#[must_use]
pub fn place(target: Target<'_>) -> Option<(String, String)> {
    let text = |field: &str| Some(target.node.entry(field)?.as_text()?.to_owned());
    let cluster = target.world.id("clusters", &text("cluster")?)?;
    let name = text("name");
    Some((cluster.to_owned(), named::name_of(name.as_ref(), target)))
}

/// There is none of that name.
pub(super) fn missing(name: &str) -> Error {
    let text = format!("service `{name}` does not exist yet");
    Error::failed(text).hint("make it with `tidewalk apply`")
}

/// Of the containers that a service runs now, those that write to `CloudWatch`.
///
/// # Errors
/// When none does, and what AWS says.
pub async fn sources(cx: &Context, cluster: &str, name: &str) -> Result<Vec<Source>> {
    let told = listing::one(cx, cluster, name).await?;
    let task = told.and_then(|told| told.task_definition);
    let task = task.ok_or_else(|| missing(name))?;
    let sources = sources_of(cx, &task).await?;
    if sources.is_empty() {
        let text = format!("no container of service `{name}` writes logs");
        return Err(Error::failed(text).hint("give it `logs: { group: … }`"));
    }
    Ok(sources)
}

/// Of the containers of a task definition, those that write to `CloudWatch`.
pub(super) async fn sources_of(cx: &Context, task: &str) -> Result<Vec<Source>> {
    let call = cx.aws.ecs.describe_task_definition().task_definition(task);
    let told = call.send().await;
    let told = told.map_err(refused("ecs:DescribeTaskDefinition"))?;
    let containers = told.task_definition.and_then(|it| it.container_definitions);
    let mut sources = Vec::new();
    for container in containers.into_iter().flatten() {
        let container_name = container.name.unwrap_or_default();
        let Some(logs) = container.log_configuration else {
            continue;
        };
        let option = |key: &str| logs.options.as_ref()?.get(key).cloned();
        if logs.log_driver != LogDriver::Awslogs {
            continue;
        }
        if let (Some(group), Some(prefix)) =
            (option("awslogs-group"), option("awslogs-stream-prefix"))
        {
            sources.push(Source {
                begin: format!("{prefix}/{container_name}/"),
                container: container_name,
                group,
            });
        }
    }
    Ok(sources)
}
