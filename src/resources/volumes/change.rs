//! Changes size, type and speed of a volume in place, while it is in use.

use std::time::Duration;

use aws_sdk_ec2::types::VolumeType;

use super::{Live, Volume, listing};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::Result;
use crate::contract::{Context, Target};

pub(super) async fn apply(
    spec: &Volume,
    cx: &Context,
    target: Target<'_>,
    live: Live,
) -> Result<Live> {
    let size = spec.size_gib.filter(|size| *size > live.size_gib);
    let differs = |live: Option<i32>, wanted: Option<i32>| wanted.is_some() && wanted != live;
    let iops = spec.wanted_iops();
    let throughput = spec.wanted_throughput();
    let is_as_wanted = |live: &Live| {
        spec.size_gib.is_none_or(|size| size <= live.size_gib)
            && spec.volume_type == live.volume_type
            && !differs(live.iops, iops)
            && !differs(live.throughput, throughput)
    };
    if is_as_wanted(&live) {
        return Ok(live);
    }
    let call = cx.aws.ec2.modify_volume().volume_id(&live.id);
    let call = call
        .set_size(size)
        .set_iops(iops)
        .set_throughput(throughput);
    let call = call.volume_type(VolumeType::from(spec.volume_type.as_str()));
    match call.send().await.map_err(refused("ec2:ModifyVolume")) {
        Ok(_) => {}
        // An earlier try, whose answer was lost, is on its way; or the volume was changed lately.
        Err(error) if is_code(&error, "IncorrectModificationState") => {}
        Err(error) => {
            let hint = "AWS changes a volume once in six hours: try again later";
            return Err(error.hint(hint));
        }
    }
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("`{}` to change", live.id);
    let wait = Wait::new(what, Duration::from_mins(10), &news);
    wait.until(async || {
        Ok(match listing::look(cx, &live.id).await? {
            Some(live) if is_as_wanted(&live) => Poll::Ready(live),
            _ => Poll::Pending("modifying".to_owned()),
        })
    })
    .await
}
