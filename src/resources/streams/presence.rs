//! Whether streams and their consumers are still there.

use futures::future::join_all;

use super::describe;
use crate::contract::{Context, Presence};

/// One answer per id: a stream's name, or `NAME/consumer/CONSUMER`.
pub(super) async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
    let mut streams: Vec<&str> = ids.iter().map(|id| stream_of(id)).collect();
    streams.sort_unstable();
    streams.dedup();
    let told = streams.iter().map(|name| async {
        let told = describe(cx, name).await;
        (*name, told.map_err(|error| error.message().to_owned()))
    });
    let told = join_all(told).await;
    let answer = |id: &String| {
        let (_, told) = told.iter().find(|(name, _)| *name == stream_of(id))?;
        Some(match (told, id.split_once("/consumer/")) {
            (Err(why), _) => Presence::Unknown(why.clone()),
            (Ok(None), _) => Presence::Absent,
            (Ok(Some(live)), None) => Presence::Present(live.status.clone()),
            (Ok(Some(live)), Some((_, name))) => {
                if live.consumers.iter().any(|it| it == name) {
                    Presence::Present("registered".to_owned())
                } else {
                    Presence::Absent
                }
            }
        })
    };
    let answers = ids.iter().map(answer);
    answers
        .map(|answer| answer.unwrap_or(Presence::Absent))
        .collect()
}

fn stream_of(id: &str) -> &str {
    id.split_once("/consumer/").map_or(id, |(name, _)| name)
}
