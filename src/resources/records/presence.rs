//! Whether records and their companions are still there.

use std::collections::{BTreeMap, HashSet};

use futures::future::join_all;

use super::listing::list;
use crate::contract::{Context, Presence};
use crate::resources::zones::listing::{plain, zones as zones_of_account};

/// One answer per id, `ZONE/NAME/TYPE`, by one listing for each zone.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let zone_of = |id: &String| id.split('/').next().unwrap_or_default().to_owned();
    let mut zones: Vec<String> = ids.iter().map(zone_of).collect();
    zones.sort();
    zones.dedup();
    // What was in a zone that is gone is gone with it.
    let zones_there = zones_of_account(cx).await.ok();
    let is_gone = |zone: &String| {
        let there = zones_there.as_ref();
        there.is_some_and(|there| there.iter().all(|it| it.id != *zone))
    };
    let told = zones.into_iter().map(|zone| async {
        if is_gone(&zone) {
            return (zone, Ok(HashSet::new()));
        }
        let sets = list(cx, &zone, None, &|_| true).await;
        let ids = sets.map(|sets| {
            let id = |name: &str, kind: &str| format!("{zone}/{}/{kind}", plain(name));
            let ids = sets.iter().map(|set| id(&set.name, set.r#type.as_str()));
            ids.collect::<HashSet<String>>()
        });
        (zone, ids.map_err(|error| error.message().to_owned()))
    });
    let told: BTreeMap<_, _> = join_all(told).await.into_iter().collect();
    let answer = |id: &String| match told.get(&zone_of(id)) {
        Some(Ok(there)) if there.contains(id) => Presence::Present("in its zone".to_owned()),
        Some(Ok(_)) => Presence::Absent,
        Some(Err(why)) => Presence::Unknown(why.clone()),
        None => Presence::Unknown("not asked".to_owned()),
    };
    ids.iter().map(answer).collect()
}
