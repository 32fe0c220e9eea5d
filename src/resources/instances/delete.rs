//! Terminates an instance, and proves it and its parts gone.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::{Instance, Live, listing, power};
use crate::aws::arn::Arn;
use crate::aws::batch::Batch;
use crate::aws::ec2::filter;
use crate::aws::tagging::TaggedResource;
use crate::aws::{is_code, refused};
use crate::base::{Address, Error, ErrorKind, Result};
use crate::contract::{Context, Presence, Resource as _};
use crate::resources::presence::{merged, present, present_by_tags};

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let address = match live.tags.owner() {
        Some(owner) => owner.address,
        None => Address::new(Instance::KIND, &live.id),
    };
    cx.progress.doing(&address, "terminating");
    match terminate(cx, &live.id).await {
        Err(error) if is_code(&error, "InvalidInstanceID.NotFound") => return Ok(()),
        Err(error) if is_code(&error, "OperationNotPermitted") => {
            let text = format!("instance `{}` has termination protection", live.id);
            return Err(Error::new(ErrorKind::Kept, text)
                .code("OperationNotPermitted")
                .hint("write `termination_protection: false`, apply, and destroy again"));
        }
        Err(error) => return Err(error),
        Ok(state) if state == "terminated" => return Ok(()),
        Ok(_) => {}
    }
    power::terminated(cx, &address, &live.id).await
}

/// Together with others that are to go at the same moment; the state it is in then. One that AWS
/// refuses to terminate may have held up the others: then each is asked for alone.
async fn terminate(cx: &Context, id: &str) -> Result<String> {
    let ask = |ids: Vec<String>| async move {
        let call = cx.aws.ec2.terminate_instances();
        let told = call.set_instance_ids(Some(ids)).send().await;
        let told = told.map_err(refused("ec2:TerminateInstances"))?;
        let told = told.terminating_instances.into_iter().flatten();
        let states = told.filter_map(|change| {
            let state = change.current_state?.name?;
            Some((change.instance_id?, Going(state.as_str().to_owned())))
        });
        Ok(states.collect::<HashMap<_, _>>())
    };
    let together = cx.aws.shared::<Batch<Going>>();
    let state = match together.ask(id, ask).await {
        Ok(state) => state,
        Err(_) => ask(vec![id.to_owned()]).await?.remove(id),
    };
    Ok(state.map(|Going(state)| state).unwrap_or_default())
}

/// The state of an instance that is to be terminated.
#[derive(Clone)]
struct Going(String);

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
        present_parts(
            cx,
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
        present_parts(
            cx,
            &interfaces,
            |ids| listing::interfaces(cx, ids),
            |found| found
        ),
    );
    let asked = instances.into_iter().chain(volumes).chain(interfaces);
    merged(ids, asked.zip(a.into_iter().chain(b).chain(c)))
}

/// Volumes or interfaces: those that were seen with the stack's tag are gone when EC2 lists no tag of
/// them any more; the others (somebody attached them) are looked at.
async fn present_parts<T, R>(
    cx: &Context,
    ids: &[String],
    list: impl Fn(Vec<String>) -> R,
    seen: impl Fn(T) -> (String, String),
) -> Vec<Presence>
where
    R: Future<Output = Result<Vec<T>>>,
{
    let known = cx.aws.shared::<Seen>();
    let (tagged, others): (Vec<_>, Vec<_>) = ids.iter().cloned().partition(|id| known.contains(id));
    let (by_tags, by_id) = futures::join!(
        present_by_tags(cx, &tagged, &list, &seen),
        present(&others, &list, &seen)
    );
    let asked = tagged.into_iter().chain(others);
    merged(ids, asked.zip(by_tags.into_iter().chain(by_id)))
}

/// Ids of volumes and interfaces that carried the stack's tag in this run.
#[derive(Default)]
pub(super) struct Seen(Mutex<HashSet<String>>);

impl Seen {
    /// Remembers those of what the Tagging API lists of the stack.
    pub(super) fn note(&self, tagged: &[TaggedResource]) {
        let arns = tagged.iter().filter_map(|one| Arn::read(&one.arn));
        let ids = arns.filter_map(|arn| arn.resource.split_once('/'));
        let ids = ids.filter(|(kind, _)| ["volume", "network-interface"].contains(kind));
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(ids.map(|(_, id)| id.to_owned()));
    }

    fn contains(&self, id: &str) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.contains(id)
    }
}
