//! A cluster's capacity providers, and the default strategy that picks among them.

use std::time::Duration;

use aws_sdk_ecs::types::CapacityProviderStrategyItem;

use super::Live;
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};

/// The names with the default first and the rest in order of the alphabet: nothing else matters.
pub(super) fn default_first(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    if let Some(rest) = names.get_mut(1..) {
        rest.sort();
    }
    names
}

/// What AWS reports, in the same form; a strategy that this kind does not write is an entry.
pub(super) fn told(
    providers: Vec<String>,
    strategy: &[CapacityProviderStrategyItem],
) -> Vec<String> {
    let mut names = providers;
    names.sort();
    match strategy {
        [one] if one.base == 0 && names.contains(&one.capacity_provider) => {
            names.retain(|name| *name != one.capacity_provider);
            names.insert(0, one.capacity_provider.clone());
        }
        [] if names.is_empty() => {}
        items => {
            let item = |item: &CapacityProviderStrategyItem| {
                let CapacityProviderStrategyItem {
                    capacity_provider,
                    weight,
                    base,
                    ..
                } = item;
                format!("{capacity_provider} (weight {weight}, base {base})")
            };
            let items: Vec<_> = items.iter().map(item).collect();
            names.push(format!("by default: {}", items.join(" and ")));
        }
    }
    names
}

/// All tasks on the default provider, if there is one.
pub(super) fn strategy(default: Option<&String>) -> Result<Vec<CapacityProviderStrategyItem>> {
    let item = |name: &String| {
        let item = CapacityProviderStrategyItem::builder().capacity_provider(name);
        let item = item.weight(1).base(0).build();
        item.map_err(|error| Error::failed(error.to_string()))
    };
    default.into_iter().map(item).collect()
}

pub(super) async fn bring(
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
    wanted: &[String],
) -> Result<()> {
    let names = default_first(wanted);
    if live.capacity == names {
        return Ok(());
    }
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("cluster `{}` to take its capacity", live.name);
    let wait = Wait::new(what, Duration::from_mins(10), &news);
    wait.until(async || {
        let call = cx.aws.ecs.put_cluster_capacity_providers();
        let call = call.cluster(&live.name);
        let call = call.set_capacity_providers(Some(names.clone()));
        let strategy = strategy(names.first())?;
        let call = call.set_default_capacity_provider_strategy(Some(strategy));
        let done = call.send().await;
        match done.map_err(refused("ecs:PutClusterCapacityProviders")) {
            Ok(_) => Ok(Poll::Ready(())),
            // An earlier change is still on its way.
            Err(error) if is_code(&error, "UpdateInProgressException") => {
                Ok(Poll::Pending("another change is in progress".to_owned()))
            }
            Err(error) if is_code(&error, "ResourceInUseException") => Err(error.hint(
                "services still run on a capacity provider that the playbook drops: move them \
                 first",
            )),
            Err(error) => Err(error),
        }
    })
    .await?;
    live.capacity = names;
    Ok(())
}
