//! Deleting a bucket with all that is in it, once it is proven to be ours.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::creation::incomplete;
use super::listing::NO_BUCKET;
use super::{Live, listing};
use crate::aws::{Tags, is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::Context;

/// Something may be written while it is being emptied: so often it is emptied again.
const ROUNDS: usize = 5;
/// So many failures are named.
const NAMED: usize = 5;

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

    /// Deletes every version and every delete marker, a page of 1,000 at a time.
    async fn versions(&mut self) -> Result<()> {
        loop {
            let call = self.cx.aws.s3.list_object_versions().bucket(self.name);
            let page = match call.send().await.map_err(refused("s3:ListBucketVersions")) {
                Ok(page) => page,
                Err(error) if is_code(&error, NO_BUCKET) => return Ok(()),
                Err(error) => return Err(error),
            };
            let versions = page.versions.into_iter().flatten();
            let versions = versions.map(|it| (it.key, it.version_id));
            let markers = page.delete_markers.into_iter().flatten();
            let markers = markers.map(|it| (it.key, it.version_id));
            let object = |(key, version): (Option<String>, Option<String>)| {
                let object = ObjectIdentifier::builder().key(key.unwrap_or_default());
                object.set_version_id(version).build().map_err(incomplete)
            };
            let objects = versions.chain(markers).map(object);
            let objects = objects.collect::<Result<Vec<_>>>()?;
            if objects.is_empty() {
                return Ok(());
            }
            // From the beginning again: what was listed is gone.
            self.objects += self.batch(objects).await?;
            self.say();
        }
    }

    async fn batch(&self, objects: Vec<ObjectIdentifier>) -> Result<usize> {
        let count = objects.len();
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true);
        let delete = delete.build().map_err(incomplete)?;
        let call = self.cx.aws.s3.delete_objects().bucket(self.name);
        let done = call.delete(delete).send().await;
        let done = match done.map_err(refused("s3:DeleteObject")) {
            Ok(done) => done,
            Err(error) if is_code(&error, NO_BUCKET) => return Ok(0),
            Err(error) => return Err(error),
        };
        let errors = done.errors.unwrap_or_default();
        let Some(first) = errors.first() else {
            return Ok(count);
        };
        let code = first.code.clone().unwrap_or_default();
        let text = format!(
            "{} objects in `{}` cannot be deleted",
            errors.len(),
            self.name
        );
        let mut error = Error::failed(text).code(code);
        for one in errors.into_iter().take(NAMED) {
            let key = one.key.unwrap_or_default();
            let why = one.message.or(one.code).unwrap_or_default();
            error = error.note(format!("{key}: {why}"));
        }
        Err(error)
    }

    /// Drops uploads in parts that were not finished: they hold a bucket too.
    async fn uploads(&self) -> Result<()> {
        loop {
            let call = self.cx.aws.s3.list_multipart_uploads().bucket(self.name);
            let told = call.send().await;
            let told = match told.map_err(refused("s3:ListBucketMultipartUploads")) {
                Ok(told) => told,
                Err(error) if is_code(&error, NO_BUCKET) => return Ok(()),
                Err(error) => return Err(error),
            };
            let uploads = told.uploads.unwrap_or_default();
            if uploads.is_empty() {
                return Ok(());
            }
            for upload in uploads {
                let call = self.cx.aws.s3.abort_multipart_upload().bucket(self.name);
                let call = call.set_key(upload.key).set_upload_id(upload.upload_id);
                let done = call.send().await;
                match done.map_err(refused("s3:AbortMultipartUpload")) {
                    Err(error) if !is_code(&error, "NoSuchUpload") => return Err(error),
                    _ => {}
                }
            }
        }
    }
}
