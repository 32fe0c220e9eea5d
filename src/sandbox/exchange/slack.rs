//! What the Slack stand-in keeps: posts, and files on their way and shared.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

/// So many posts are kept.
const POSTS: usize = 10_000;
/// So many files are kept, and as many can be on their way.
const FILES: usize = 200;

/// What was posted.
#[derive(Debug, Default)]
pub(super) struct Slack {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    posts: VecDeque<Post>,
    files: VecDeque<File>,
    awaited: BTreeMap<String, Awaited>,
    /// Of posts and files, so that each gets its own number.
    numbered: u64,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Post {
    /// By which way it came.
    pub(super) via: Via,
    /// Where it was posted, unless the webhook decides.
    pub(super) channel: Option<String>,
    /// What it says.
    pub(super) text: String,
}

/// By which way a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Via {
    /// By the Web API.
    Api,
    /// By a webhook.
    Webhook,
}

/// A file that was shared.
#[derive(Clone, Debug)]
struct File {
    name: String,
    channel: Option<String>,
    comment: Option<String>,
    content: Bytes,
}

/// A file whose upload was announced.
#[derive(Clone, Debug)]
struct Awaited {
    name: String,
    length: usize,
    content: Option<Bytes>,
}

impl Slack {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message; its number.
    pub(super) fn post(&self, post: Post) -> u64 {
        let mut inner = self.inner();
        if inner.posts.len() == POSTS {
            inner.posts.pop_front();
        }
        inner.posts.push_back(post);
        inner.numbered += 1;
        inner.numbered
    }

    /// Expects a file; its id.
    pub(super) fn announce(&self, name: String, length: usize) -> String {
        let mut inner = self.inner();
        inner.numbered += 1;
        let id = format!("F{:010}", inner.numbered);
        let awaited = Awaited {
            name,
            length,
            content: None,
        };
        inner.awaited.insert(id.clone(), awaited);
        if inner.awaited.len() > FILES {
            inner.awaited.pop_first();
        }
        id
    }

    /// Takes the content of a file that is expected.
    ///
    /// # Errors
    /// When it is not expected, or has another length.
    pub(super) fn upload(&self, id: &str, content: Bytes) -> Result<(), &'static str> {
        let mut inner = self.inner();
        let awaited = inner.awaited.get_mut(id).ok_or("no such upload")?;
        if awaited.length != content.len() {
            return Err("not the length that was announced");
        }
        awaited.content = Some(content);
        Ok(())
    }

    /// Shares files that were uploaded, or none of them.
    ///
    /// # Errors
    /// When one of them was not.
    pub(super) fn share(
        &self,
        ids: &[String],
        channel: Option<&str>,
        comment: Option<&str>,
    ) -> Result<(), &'static str> {
        let mut inner = self.inner();
        let here = |id| {
            inner
                .awaited
                .get(id)
                .is_some_and(|file| file.content.is_some())
        };
        if !ids.iter().all(here) {
            return Err("file_not_found");
        }
        for id in ids {
            if let Some(awaited) = inner.awaited.remove(id) {
                inner.files.push_back(File {
                    name: awaited.name,
                    channel: channel.map(str::to_owned),
                    comment: comment.map(str::to_owned),
                    content: awaited.content.unwrap_or_default(),
                });
            }
        }
        while inner.files.len() > FILES {
            inner.files.pop_front();
        }
        Ok(())
    }

    /// Everything, but the contents of files.
    pub(super) fn posted(&self) -> Value {
        let inner = self.inner();
        let file = |file: &File| {
            json!({
                "name": file.name,
                "bytes": file.content.len(),
                "channel": file.channel,
                "comment": file.comment,
            })
        };
        let files: Vec<Value> = inner.files.iter().map(file).collect();
        json!({"posts": inner.posts, "files": files})
    }

    /// The content of a file, by its place among the files.
    pub(super) fn file(&self, number: usize) -> Option<Bytes> {
        Some(self.inner().files.get(number)?.content.clone())
    }

    /// Forgets everything.
    pub(super) fn forget(&self) {
        let mut inner = self.inner();
        inner.posts.clear();
        inner.files.clear();
        inner.awaited.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shared_once_it_is_here() {
        let slack = Slack::default();
        let id = slack.announce("plot.png".to_owned(), 3);
        let share = || slack.share(std::slice::from_ref(&id), Some("C1"), None);
        assert_eq!(share(), Err("file_not_found"));
        slack
            .upload(&id, Bytes::from_static(b"four"))
            .expect_err("another length");
        slack
            .upload(&id, Bytes::from_static(b"png"))
            .expect("an upload");
        assert_eq!(share(), Ok(()));
        assert_eq!(slack.posted()["files"][0]["bytes"], 3);
        assert_eq!(slack.file(0).as_deref(), Some(&b"png"[..]));
        assert_eq!(share(), Err("file_not_found"));
        slack.forget();
        assert_eq!(slack.posted(), json!({"posts": [], "files": []}));
    }
}
