//! Deleting a cluster once nothing runs in it, or saying what does.

use std::time::Duration;

use super::{Cluster, Live, NOT_FOUND, listing};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::{Context, Resource};

/// The most holders that an error names.
const NAMED: i32 = 10;
/// The most tasks in one `DescribeTasks`:
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>.
const AT_ONCE: usize = 100;
/// What the tasks of a schedule say that they were started by, before its name.
const SCHEDULED: &str = "chronos-schedule/";
/// The status of a cluster that is no more.
const GONE: &str = "INACTIVE";

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let address = match live.tags.owner() {
        Some(owner) => owner.address,
        None => Address::new(Cluster::KIND, &live.name),
    };
    let news = |text: &str| cx.progress.doing(&address, text);
    let what = format!("cluster `{}` to let go", live.name);
    let wait = Wait::new(what, Duration::from_mins(10), &news);
    let deleted = wait.until(async || {
        let call = cx.aws.ecs.delete_cluster().cluster(&live.name);
        match call.send().await.map_err(refused("ecs:DeleteCluster")) {
            Ok(told) => Ok(Poll::Ready(told.cluster.and_then(|it| it.status))),
            Err(error) if is_code(&error, NOT_FOUND) => Ok(Poll::Ready(Some(GONE.to_owned()))),
            Err(error) => held(cx, live, error).await,
        }
    });
    if deleted.await?.as_deref() == Some(GONE) {
        return Ok(());
    }
    let what = format!("cluster `{}` to be gone", live.name);
    let wait = Wait::new(what, Duration::from_mins(5), &news);
    wait.until(async || {
        let left = listing::active(cx, std::slice::from_ref(&live.name)).await?;
        Ok(match left.into_iter().next() {
            None => Poll::Ready(()),
            Some(left) => Poll::Pending(left.status),
        })
    })
    .await
}

/// Tasks that stop and changes on their way are waited for; services and machines that somebody
/// else has there are not.
async fn held<T>(cx: &Context, live: &Live, error: Error) -> Result<Poll<T>> {
    let name = live.name.as_str();
    match error.service_code().unwrap_or_default() {
        "UpdateInProgressException" => Ok(Poll::Pending("a change is in progress".to_owned())),
        "ClusterContainsTasksException" => {
            let call = cx.aws.ecs.list_tasks().cluster(name);
            let mut pages = call.into_paginator().items().send();
            let mut tasks = Vec::new();
            while let Some(task) = pages.next().await {
                tasks.push(task.map_err(refused("ecs:ListTasks"))?);
            }
            for some in tasks.chunks(AT_ONCE) {
                stop_scheduled(cx, name, some).await?;
            }
            tasks.truncate(usize::try_from(NAMED).unwrap_or_default());
            Ok(Poll::Pending(held_by("task", Some(tasks))))
        }
        "ClusterContainsServicesException" => {
            let call = cx.aws.ecs.list_services().cluster(name);
            let told = call.max_results(NAMED).send().await;
            let services = told.map_err(refused("ecs:ListServices"))?.service_arns;
            match services.as_deref() {
                // Those that are on their way out are not listed.
                None | Some([]) => Ok(Poll::Pending("its services are going".to_owned())),
                Some(_) => Err(error
                    .note(held_by("service", services))
                    .hint("delete these services, or keep the cluster")),
            }
        }
        "ClusterContainsContainerInstancesException" => {
            let call = cx.aws.ecs.list_container_instances().cluster(name);
            let told = call.max_results(NAMED).send().await;
            let told = told.map_err(refused("ecs:ListContainerInstances"))?;
            Err(error
                .note(held_by("container instance", told.container_instance_arns))
                .hint("deregister these container instances"))
        }
        _ => Err(error),
    }
}

/// Stops tasks that a schedule started: it is gone, and who runs a cluster's own tasks by hand waits for
/// them, but nobody for these.
async fn stop_scheduled(cx: &Context, cluster: &str, tasks: &[String]) -> Result<()> {
    let call = cx.aws.ecs.describe_tasks().cluster(cluster);
    let told = call.set_tasks(Some(tasks.to_vec())).send().await;
    let told = told.map_err(refused("ecs:DescribeTasks"))?.tasks;
    for task in told.into_iter().flatten() {
        let by = task.started_by.as_deref().unwrap_or_default();
        let stops = task.desired_status.as_deref() == Some("STOPPED");
        if !by.starts_with(SCHEDULED) || stops {
            continue;
        }
        let call = cx.aws.ecs.stop_task().cluster(cluster);
        let call = call
            .set_task(task.task_arn)
            .reason("its cluster is deleted");
        call.send().await.map_err(refused("ecs:StopTask"))?;
    }
    Ok(())
}

fn held_by(noun: &str, arns: Option<Vec<String>>) -> String {
    let short = |arn: String| arn.rsplit('/').next().unwrap_or_default().to_owned();
    let names: Vec<_> = arns.into_iter().flatten().map(short).collect();
    format!("held by: {noun} {}", names.join(", "))
}
