//! Deletes a launch template with all its versions.

use std::time::Duration;

use super::{Live, listing};
use crate::aws::ec2::is_unknown;
use crate::aws::{Poll, Wait, refused};
use crate::base::Result;
use crate::contract::Context;

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let call = cx.aws.ec2.delete_launch_template();
    let call = call.launch_template_id(&live.id).send().await;
    match call.map_err(refused("ec2:DeleteLaunchTemplate")) {
        Err(error) if !is_unknown(&error) => return Err(error),
        _ => {}
    }
    let what = format!("launch template `{}` to be gone", live.name);
    let wait = Wait::new(what, Duration::from_mins(2), &|_| {});
    wait.until(async || {
        let left = listing::by_ids(cx, vec![live.id.clone()]).await?;
        Ok(if left.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending("still there".to_owned())
        })
    })
    .await
}
