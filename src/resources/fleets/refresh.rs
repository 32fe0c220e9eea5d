//! Makes the instances of a fleet anew that are of another version of the template.

use std::time::Duration;

use aws_sdk_autoscaling::types::InstanceRefreshStatus as Status;

use super::Live;
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};

/// How many instances are not of this version of the template.
pub(super) fn others(live: &Live, version: &str) -> usize {
    let other = live.instances.iter().filter(|it| it.version != version);
    other.count()
}

/// Starts a refresh, unless one is on its way, and waits until it is through.
pub(super) async fn refresh(cx: &Context, target: Target<'_>, name: &str) -> Result<()> {
    let call = cx.aws.autoscaling.start_instance_refresh();
    let call = call.auto_scaling_group_name(name).send().await;
    let id = match call.map_err(refused("autoscaling:StartInstanceRefresh")) {
        Ok(started) => started.instance_refresh_id,
        // An earlier try, whose answer was lost, or somebody's: waited for.
        Err(error) if is_code(&error, "InstanceRefreshInProgress") => None,
        Err(error) => return Err(error),
    };
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("the instances of `{name}` to be made anew");
    // Each tenth takes as long as an instance takes to be well.
    let wait = Wait::new(what, Duration::from_hours(2), &news);
    wait.until(async || {
        let call = cx.aws.autoscaling.describe_instance_refreshes();
        let call = call.auto_scaling_group_name(name);
        let call = call.set_instance_refresh_ids(id.clone().map(|id| vec![id]));
        let listed = call.send().await;
        let listed = listed.map_err(refused("autoscaling:DescribeInstanceRefreshes"))?;
        // The latest first.
        let latest = listed.instance_refreshes.into_iter().flatten().next();
        let Some(latest) = latest else {
            return Ok(Poll::Pending("not visible yet".to_owned()));
        };
        let status = latest.status.unwrap_or(Status::Pending);
        match &status {
            Status::Successful => Ok(Poll::Ready(())),
            Status::Failed
            | Status::Cancelled
            | Status::RollbackFailed
            | Status::RollbackSuccessful => {
                let text = format!("the refresh of `{name}` ended as {status}");
                let error = Error::failed(text).hint("run the command again once it is put right");
                Err(match latest.status_reason {
                    Some(reason) => error.note(reason),
                    None => error,
                })
            }
            _ => {
                let percent = latest.percentage_complete.unwrap_or_default();
                Ok(Poll::Pending(format!("{status}, {percent}%")))
            }
        }
    })
    .await
}
