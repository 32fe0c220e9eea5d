//! From listings by id to one answer per id.

use std::collections::HashMap;
use std::future::Future;

use crate::aws::tagging;
use crate::base::Result;
use crate::contract::{Context, Presence};

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
            Err(error) => answers.extend(vec![Presence::unknown(&error); chunk.len()]),
        }
    }
    answers
}

/// The same for EC2 resources that were tagged when they were made: EC2's one listing of tags tells
/// for all kinds at once which of them are gone, and only the others are looked at.
pub async fn present_by_tags<T, R>(
    cx: &Context,
    ids: &[String],
    list: impl Fn(Vec<String>) -> R,
    seen: impl Fn(T) -> (String, String),
) -> Vec<Presence>
where
    R: Future<Output = Result<Vec<T>>>,
{
    if ids.is_empty() {
        return Vec::new();
    }
    let tagged = match tagging::ec2_now(&cx.aws, &cx.stack).await {
        Ok(tagged) => tagged,
        Err(error) => return vec![Presence::unknown(&error); ids.len()],
    };
    let is_tagged = |id: &&String| {
        let mut arns = tagged.iter().map(|one| one.arn.rsplit('/').next());
        arns.any(|last| last == Some(id.as_str()))
    };
    let there: Vec<String> = ids.iter().filter(is_tagged).cloned().collect();
    let answers = present(&there, list, seen).await;
    let mut answers: HashMap<_, _> = there.into_iter().zip(answers).collect();
    let answer = |id| answers.remove(id).unwrap_or(Presence::Absent);
    ids.iter().map(answer).collect()
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
