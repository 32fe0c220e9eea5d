//! Many waits for single things, asked about together: one call for all that were asked for
//! within a moment.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::base::{Error, Result};

/// Questions are asked at the beats of one clock, so far apart: however many wait, and however
/// spread they began, that many calls come of it and no more.
const BEAT: Duration = Duration::from_millis(400);
/// The least time that others have to join a question.
const GATHER: Duration = Duration::from_millis(60);

/// The most ids in one question: EC2 takes 200 values in a filter.
pub const MOST: usize = 200;

/// Questions by id that are waiting to be asked together.
pub struct Batch<T> {
    queue: Mutex<Queue<T>>,
    begun: Instant,
}

struct Queue<T> {
    questions: Vec<Question<T>>,
    /// One of those who wait is going to ask for all of them. There is never a second one: the two
    /// would take each other's questions away for ever.
    led: bool,
}

struct Question<T> {
    id: String,
    answer: oneshot::Sender<Result<Option<T>>>,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self {
            queue: Mutex::new(Queue {
                questions: Vec::new(),
                led: false,
            }),
            begun: Instant::now(),
        }
    }
}

impl<T: Clone + Send> Batch<T> {
    /// Asks for `id`; `call` looks up all the ids that it is given. `None` when it was not found.
    ///
    /// # Errors
    /// What `call` failed with.
    pub async fn ask<F, R>(&self, id: &str, call: F) -> Result<Option<T>>
    where
        F: Fn(Vec<String>) -> R,
        R: Future<Output = Result<HashMap<String, T>>>,
    {
        loop {
            let (answer, mut reply) = oneshot::channel();
            let leads = {
                let mut queue = self.queue();
                queue.questions.push(Question {
                    id: id.to_owned(),
                    answer,
                });
                !std::mem::replace(&mut queue.led, true)
            };
            if leads {
                let lead = Lead(Some(self));
                tokio::time::sleep_until(self.next_beat()).await;
                let questions = lead.end();
                answer_all(questions, &call).await;
                if let Ok(result) = reply.try_recv() {
                    return result;
                }
            } else if let Ok(result) = reply.await {
                return result;
            }
            // The one that led was cancelled before it could ask, or before it heard.
        }
    }

    /// The next beat that leaves others time to join.
    fn next_beat(&self) -> Instant {
        let earliest = self.begun.elapsed() + GATHER;
        let beats = earliest.as_millis().div_ceil(BEAT.as_millis());
        self.begun + BEAT * u32::try_from(beats).unwrap_or(u32::MAX)
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leading a round, until its questions are taken. When cancelled before, they are dropped, and asked
/// again by the others.
struct Lead<'a, T: Clone + Send>(Option<&'a Batch<T>>);

impl<T: Clone + Send> Lead<'_, T> {
    fn end(mut self) -> Vec<Question<T>> {
        self.take()
    }

    fn take(&mut self) -> Vec<Question<T>> {
        let Some(batch) = self.0.take() else {
            return Vec::new();
        };
        let mut queue = batch.queue();
        queue.led = false;
        std::mem::take(&mut queue.questions)
    }
}

impl<T: Clone + Send> Drop for Lead<'_, T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

async fn answer_all<T: Clone, F, R>(questions: Vec<Question<T>>, call: &F)
where
    F: Fn(Vec<String>) -> R,
    R: Future<Output = Result<HashMap<String, T>>>,
{
    let mut questions = questions.into_iter().peekable();
    while questions.peek().is_some() {
        let round: Vec<_> = questions.by_ref().take(MOST).collect();
        let ids = round.iter().map(|question| question.id.clone()).collect();
        match call(ids).await {
            Ok(found) => {
                for question in round {
                    let value = found.get(&question.id).cloned();
                    let _ = question.answer.send(Ok(value));
                }
            }
            Err(error) => {
                for question in round {
                    let _ = question.answer.send(Err(again(&error)));
                }
            }
        }
    }
}

/// The same error for each of those who asked.
fn again(error: &Error) -> Error {
    let mut copy = Error::new(error.kind(), error.message());
    if let Some(code) = error.service_code() {
        copy = copy.code(code);
    }
    for note in error.notes() {
        copy = copy.note(note);
    }
    for hint in error.hints() {
        copy = copy.hint(hint);
    }
    copy
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::StreamExt as _;
    use futures::stream::FuturesUnordered;

    use super::*;

    #[tokio::test]
    async fn questions_of_one_moment_make_one_call() {
        let calls = AtomicUsize::new(0);
        let batch = Batch::<usize>::default();
        let call = |ids: Vec<String>| {
            calls.fetch_add(1, Ordering::Relaxed);
            async move { Ok(ids.into_iter().map(|id| (id.clone(), id.len())).collect()) }
        };
        let answers =
            futures::future::join_all(["a", "bb", "ccc"].map(|id| batch.ask(id, call))).await;
        let sizes: Vec<_> = answers.into_iter().map(|a| a.unwrap().unwrap()).collect();
        assert_eq!(sizes, [1, 2, 3]);
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn who_asks_while_a_call_is_on_its_way_is_answered_by_the_next() {
        let calls = AtomicUsize::new(0);
        let batch = Batch::<usize>::default();
        let call = |ids: Vec<String>| {
            calls.fetch_add(1, Ordering::Relaxed);
            async move {
                tokio::time::sleep(BEAT * 3 / 4).await;
                Ok(ids.into_iter().map(|id| (id, 1)).collect())
            }
        };
        // The first call lasts from one beat nearly to the next; the others come meanwhile.
        let asked = [("a", 0), ("b", 500), ("c", 510)];
        let (batch, call) = (&batch, &call);
        let asked = asked.map(|(id, after)| async move {
            tokio::time::sleep(Duration::from_millis(after)).await;
            batch.ask(id, call).await.unwrap()
        });
        let asked = FuturesUnordered::from_iter(asked).collect::<Vec<_>>();
        let answers = tokio::time::timeout(BEAT * 20, asked).await;
        assert_eq!(answers.unwrap(), [Some(1); 3]);
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_cancelled_leader_leaves_nobody_waiting() {
        let batch = Batch::<usize>::default();
        let call =
            |ids: Vec<String>| async move { Ok(ids.into_iter().map(|id| (id, 1)).collect()) };
        let mut leader = Box::pin(batch.ask("a", call));
        assert!(futures::poll!(leader.as_mut()).is_pending());
        let mut follower = Box::pin(batch.ask("b", call));
        assert!(futures::poll!(follower.as_mut()).is_pending());
        drop(leader);
        assert_eq!(follower.await.unwrap(), Some(1));
    }
}
