//! From listings by id to one answer per id.

use std::collections::HashMap;
use std::future::Future;

use crate::base::Result;
use crate::contract::Presence;

/// The most values that EC2 takes in one filter.
const MOST: usize = 200;

/// One answer per id: what `list` finds is present with the words that `seen` gives with its id,
/// the rest is absent; a failed listing leaves its ids unknown.
pub async fn present<T, R>(
    ids: &[String],
    list: impl Fn(Vec<String>) -> R,
    seen: impl Fn(T) -> (String, String),
) -> Vec<Presence>
where
    R: Future<Output = Result<Vec<T>>>,
{
    let mut answers = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(MOST) {
        match list(chunk.to_vec()).await {
            Ok(listed) => {
                let listed: HashMap<_, _> = listed.into_iter().map(&seen).collect();
                let answer = |id: &String| match listed.get(id) {
                    Some(state) => Presence::Present(state.clone()),
                    None => Presence::Absent,
                };
                answers.extend(chunk.iter().map(answer));
            }
            Err(error) => {
                let unknown = Presence::Unknown(error.message().to_owned());
                answers.extend(chunk.iter().map(|_| unknown.clone()));
            }
        }
    }
    answers
}

/// The answers in the order of `ids`; an id that nobody was asked about is unknown.
#[must_use]
pub fn merged(
    ids: &[String],
    answers: impl IntoIterator<Item = (String, Presence)>,
) -> Vec<Presence> {
    let answers: HashMap<_, _> = answers.into_iter().collect();
    let unknown = |id: &String| Presence::Unknown(format!("`{id}` is no id of this kind"));
    let answer = |id: &String| answers.get(id).cloned().unwrap_or_else(|| unknown(id));
    ids.iter().map(answer).collect()
}
