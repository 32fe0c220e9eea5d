//! What was answered before, for stale reads of services other than EC2.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::request::Parts;

use super::call::Call;
use super::forward::Forward;
use super::reply::Reply;
use super::stale::is_read;

/// Larger answers, such as objects of S3, are not kept.
const LARGEST: usize = 256 << 10;
/// When so many are kept, all are forgotten.
const MOST: usize = 10_000;

/// A question: service, region, action, method and path, body.
type Question = (String, String, String, String, Bytes);

/// The last answer to each question, and what was created when.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    answers: HashMap<Question, Reply>,
    created: HashMap<(String, String), Instant>,
    changed: Option<Instant>,
}

fn question(call: &Call, parts: &Parts, body: &Bytes) -> Question {
    (
        call.service.clone(),
        call.region.clone(),
        call.action.clone(),
        format!("{} {}", parts.method, call.path),
        body.clone(),
    )
}

/// The names in a request: fields of a form or of JSON, a bucket, a schedule or its group.
fn names(call: &Call) -> Vec<&str> {
    let path = call.path.split('?').next().unwrap_or_default();
    let place = match call.service.as_str() {
        "s3" => path.split('/').nth(1),
        "scheduler" => path.rsplit('/').next(),
        _ => None,
    };
    let fields = call.params.0.iter();
    fields
        .filter(|(key, _)| !key.contains('.') && !["Action", "Version"].contains(&key.as_str()))
        .map(|(_, value)| value.as_str())
        .chain(call.json_texts())
        .chain(place.filter(|name| !name.is_empty()))
        .collect()
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a call on and keeps what is to be known of it.
    pub(super) async fn pass(
        &self,
        forward: &Forward,
        call: &Call,
        parts: &Parts,
        body: Bytes,
    ) -> Reply {
        let reply = forward.send(call, parts, body.clone()).await;
        let is_kept = is_read(&call.action) && reply.stream.is_none();
        if is_kept && reply.body.len() + body.len() <= LARGEST {
            let mut inner = self.lock();
            if inner.answers.len() >= MOST {
                inner.answers.clear();
            }
            inner
                .answers
                .insert(question(call, parts, &body), reply.clone());
        }
        reply
    }

    /// Notes what a call changed, in whichever service.
    pub(super) fn note(&self, call: &Call, reply: &Reply) {
        if is_read(&call.action) || reply.status >= 400 {
            return;
        }
        let mut inner = self.lock();
        inner.changed = Some(Instant::now());
        if call.action.starts_with("Create") {
            for name in names(call) {
                let key = (call.service.clone(), name.to_owned());
                inner.created.insert(key, Instant::now());
            }
        }
    }

    /// Whether anything was changed less than so long ago.
    pub(super) fn changed_within(&self, age: Duration) -> bool {
        self.lock().changed.is_some_and(|then| then.elapsed() < age)
    }

    /// The last answer to the same question.
    pub(super) fn before(&self, call: &Call, parts: &Parts, body: &Bytes) -> Option<Reply> {
        let question = question(call, parts, body);
        self.lock().answers.get(&question).cloned()
    }

    /// A name in the call that was given to something less than so long ago.
    pub(super) fn young_name<'a>(&self, call: &'a Call, age: Duration) -> Option<&'a str> {
        let inner = self.lock();
        names(call).into_iter().find(|name| {
            let key = (call.service.clone(), (*name).to_owned());
            inner
                .created
                .get(&key)
                .is_some_and(|born| born.elapsed() < age)
        })
    }
}
