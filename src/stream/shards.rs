//! The shards of a stream, and which came from which.

use crate::aws::{Clients, is_code, refused};
use crate::base::{Error, Result};

/// A shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Such as `shardId-000000000000`.
    pub id: String,
    /// Those that it was split or merged from.
    pub parents: Vec<String>,
    /// No record comes to it any more.
    pub closed: bool,
}

/// All shards of a stream whose records are still there, closed ones too; oldest first.
///
/// # Errors
/// What AWS refuses; also that there is no such stream.
pub async fn list(aws: &Clients, stream: &str) -> Result<Vec<Shard>> {
    let mut shards = Vec::new();
    let mut next: Option<String> = None;
    loop {
        // A page after the first is asked for by its token alone.
        let call = aws.kinesis.list_shards();
        let call = match next.take() {
            Some(token) => call.next_token(token),
            None => call.stream_name(stream),
        };
        let page = call.send().await.map_err(refused("kinesis:ListShards"));
        let page = page.map_err(|error| not_there(error, stream))?;
        for shard in page.shards.into_iter().flatten() {
            let range = shard.sequence_number_range.as_ref();
            let parents = [shard.parent_shard_id, shard.adjacent_parent_shard_id];
            shards.push(Shard {
                closed: range.is_some_and(|range| range.ending_sequence_number.is_some()),
                id: shard.shard_id,
                parents: parents.into_iter().flatten().collect(),
            });
        }
        next = page.next_token;
        if next.is_none() {
            shards.sort_by(|one, other| one.id.cmp(&other.id));
            return Ok(shards);
        }
    }
}

/// An error that says what to do where there is no such stream.
pub(super) fn not_there(error: Error, stream: &str) -> Error {
    if !is_code(&error, "ResourceNotFoundException") {
        return error;
    }
    let text = format!("there is no stream `{stream}` in this region and account");
    Error::failed(text)
        .hint("give the right `--region` or `--profile`, or make it with `tidewalk apply`")
}
