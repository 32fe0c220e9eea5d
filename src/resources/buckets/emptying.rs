//! Deleting a bucket with all that is in it, once it is proven to be ours.

use super::{Live, listing};
use crate::aws::versions::{self, NO_BUCKET};
use crate::aws::{Tags, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::Context;

/// Something may be written while it is being emptied: so often it is emptied again.
const ROUNDS: usize = 5;

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let name = &live.name;
    let Some(tags) = listing::tags(cx, name).await? else {
        return Ok(());
    };
    // Its address is another by now when a new one takes its place.
    let stack = |tags: &Tags| Some(tags.owner()?.stack);
    let owner = live.tags.owner();
    let Some(owner) = owner.filter(|_| stack(&tags) == stack(&live.tags)) else {
        let text = format!("bucket `{name}` no longer has tags that say it is this stack's");
        return Err(Error::failed(text)
            .note("it is neither emptied nor deleted".to_owned())
            .hint("delete it by hand, if it may go"));
    };
    let mut emptied = Emptied {
        cx,
        name,
        address: &owner.address,
        objects: 0,
    };
    for round in 1..=ROUNDS {
        emptied.versions().await?;
        emptied.uploads().await?;
        let call = cx.aws.s3.delete_bucket().bucket(name).send().await;
        match call.map_err(refused("s3:DeleteBucket")) {
            Err(error) if is_code(&error, NO_BUCKET) => return Ok(()),
            Err(error) if is_code(&error, "BucketNotEmpty") && round < ROUNDS => {}
            Err(error) if is_code(&error, "BucketNotEmpty") => {
                return Err(error.hint("something still writes to it: stop that first"));
            }
            Err(error) => return Err(error),
            Ok(_) => return Ok(()),
        }
    }
    Ok(())
}

struct Emptied<'a> {
    cx: &'a Context,
    name: &'a str,
    address: &'a Address,
    objects: usize,
}

impl Emptied<'_> {
    fn say(&self) {
        let what = match self.objects {
            1 => "deleted 1 object".to_owned(),
            objects => format!("deleted {objects} objects"),
        };
        self.cx.progress.doing(self.address, &what);
    }

    /// Deletes every version and every delete marker.
    async fn versions(&mut self) -> Result<()> {
        let (s3, name) = (&self.cx.aws.s3, self.name);
        let gone = |count| {
            self.objects += count;
            self.say();
        };
        versions::delete_all(s3, name, "", gone).await
    }

    /// Drops uploads in parts that were not finished: they hold a bucket too.
    async fn uploads(&self) -> Result<()> {
        let (mut key, mut id) = (None, None);
        loop {
            let call = self.cx.aws.s3.list_multipart_uploads().bucket(self.name);
            let call = call.set_key_marker(key).set_upload_id_marker(id);
            let told = call.send().await;
            let told = match told.map_err(refused("s3:ListBucketMultipartUploads")) {
                Ok(told) => told,
                Err(error) if is_code(&error, NO_BUCKET) => return Ok(()),
                Err(error) => return Err(error),
            };
            for upload in told.uploads.unwrap_or_default() {
                let call = self.cx.aws.s3.abort_multipart_upload().bucket(self.name);
                let call = call.set_key(upload.key).set_upload_id(upload.upload_id);
                let done = call.send().await;
                match done.map_err(refused("s3:AbortMultipartUpload")) {
                    Err(error) if !is_code(&error, "NoSuchUpload") => return Err(error),
                    _ => {}
                }
            }
            (key, id) = (told.next_key_marker, told.next_upload_id_marker);
            if told.is_truncated != Some(true) || key.is_none() {
                return Ok(());
            }
        }
    }
}
