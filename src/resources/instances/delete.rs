//! Terminates an instance, and proves it and its parts gone.

use super::{Instance, Live, listing, power};
use crate::aws::ec2::filter;
use crate::aws::{is_code, refused};
use crate::base::{Address, Error, ErrorKind, Result};
use crate::contract::{Context, Presence, Resource as _};
use crate::resources::presence::{merged, present};

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let address = match live.tags.owner() {
        Some(owner) => owner.address,
        None => Address::new(Instance::KIND, &live.id),
    };
    match power::look(cx, &live.id).await?.map(|live| live.state) {
        None => return Ok(()),
        Some(state) if state == "terminated" => return Ok(()),
        Some(_) => cx.progress.doing(&address, "terminating"),
    }
    let call = cx.aws.ec2.terminate_instances().instance_ids(&live.id);
    match call.send().await.map_err(refused("ec2:TerminateInstances")) {
        Err(error) if is_code(&error, "InvalidInstanceID.NotFound") => return Ok(()),
        Err(error) if is_code(&error, "OperationNotPermitted") => {
            let text = format!("instance `{}` has termination protection", live.id);
            return Err(Error::new(ErrorKind::Kept, text)
                .code("OperationNotPermitted")
                .hint("write `termination_protection: false`, apply, and destroy again"));
        }
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    power::terminated(cx, &address, &live.id).await
}

/// Instances, volumes and interfaces, each asked for among its own.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let of = |prefix: &str| -> Vec<String> {
        ids.iter()
            .filter(|id| id.starts_with(prefix))
            .cloned()
            .collect()
    };
    let (instances, volumes, interfaces) = (of("i-"), of("vol-"), of("eni-"));
    let dying = async |ids| {
        let found = listing::instances(cx, vec![filter::<String>("instance-id", ids)]).await?;
        Ok(found
            .into_iter()
            .filter(|live| live.state != "terminated")
            .collect())
    };
    let (a, b, c) = futures::join!(
        present(&instances, dying, |live: Live| (live.id, live.state)),
        present(
            &volumes,
            |ids| listing::volumes(cx, vec![filter::<String>("volume-id", ids)]),
            |volume| {
                let state = volume.state.map(|state| state.to_string());
                (
                    volume.volume_id.unwrap_or_default(),
                    state.unwrap_or_default(),
                )
            }
        ),
        present(
            &interfaces,
            |ids| listing::interfaces(cx, ids),
            |found| found
        ),
    );
    let asked = instances.into_iter().chain(volumes).chain(interfaces);
    merged(ids, asked.zip(a.into_iter().chain(b).chain(c)))
}
