//! Every version of the objects in a bucket, and every delete marker: what a bucket with versioning keeps
//! when an object is deleted by its key alone.

use std::collections::{BTreeSet, HashSet};

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::refusal::{is_code, refused};
use crate::base::{Error, Result};

/// What S3 calls a bucket that is not there.
pub const NO_BUCKET: &str = "NoSuchBucket";
/// So many failures are named.
const NAMED: usize = 5;
/// So often something that was deleted may be there again.
const AGAIN: usize = 4;

/// A page of them, at most 1,000, of keys that begin with `prefix`; none when there is no such bucket.
///
/// # Errors
/// What S3 refuses.
pub async fn page(
    s3: &aws_sdk_s3::Client,
    bucket: &str,
    prefix: &str,
) -> Result<Vec<ObjectIdentifier>> {
    let call = s3.list_object_versions().bucket(bucket).prefix(prefix);
    let page = match call.send().await.map_err(refused("s3:ListBucketVersions")) {
        Ok(page) => page,
        Err(error) if is_code(&error, NO_BUCKET) => return Ok(Vec::new()),
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
    versions.chain(markers).map(object).collect()
}

/// Deletes all of them, a page of at most 1,000 at a time; `gone` is told how many went, each time.
///
/// # Errors
/// What S3 refuses, with the first keys that it refused to delete; and when what was deleted keeps
/// being listed.
pub async fn delete_all(
    s3: &aws_sdk_s3::Client,
    bucket: &str,
    prefix: &str,
    mut gone: impl FnMut(usize),
) -> Result<()> {
    let mut before = HashSet::new();
    let mut again = 0;
    loop {
        // From the beginning again: what was listed is gone.
        let page = page(s3, bucket, prefix).await?;
        if page.is_empty() {
            return Ok(());
        }
        let named = |it: &ObjectIdentifier| (it.key.clone(), it.version_id.clone());
        let listed: HashSet<_> = page.iter().map(named).collect();
        if !listed.is_disjoint(&before) {
            again += 1;
        }
        if again > AGAIN {
            return Err(still_there(bucket, &page));
        }
        gone(delete(s3, bucket, page).await?);
        before = listed;
    }
}

/// S3 lists what is there at once after a deletion (it is "strongly consistent"): it is somebody who
/// writes it anew, or it was not deleted.
fn still_there(bucket: &str, page: &[ObjectIdentifier]) -> Error {
    let text = format!("objects in `{bucket}` come back as often as they are deleted");
    let keys: BTreeSet<&str> = page.iter().map(|it| it.key.as_str()).collect();
    let keys = keys.into_iter().take(NAMED);
    keys.fold(Error::failed(text), Error::note)
        .hint("stop what writes to it, and say it again")
}

/// Deletes a page of them; how many went.
async fn delete(
    s3: &aws_sdk_s3::Client,
    bucket: &str,
    objects: Vec<ObjectIdentifier>,
) -> Result<usize> {
    let count = objects.len();
    let delete = Delete::builder().set_objects(Some(objects)).quiet(true);
    let delete = delete.build().map_err(incomplete)?;
    let call = s3.delete_objects().bucket(bucket).delete(delete);
    let done = match call.send().await.map_err(refused("s3:DeleteObject")) {
        Ok(done) => done,
        Err(error) if is_code(&error, NO_BUCKET) => return Ok(0),
        Err(error) => return Err(error),
    };
    let errors = done.errors.unwrap_or_default();
    let Some(first) = errors.first() else {
        return Ok(count);
    };
    let code = first.code.clone().unwrap_or_default();
    let text = format!("{} objects in `{bucket}` cannot be deleted", errors.len());
    let mut error = Error::failed(text).code(code);
    for one in errors.into_iter().take(NAMED) {
        let key = one.key.unwrap_or_default();
        let why = one.message.or(one.code).unwrap_or_default();
        error = error.note(format!("{key}: {why}"));
    }
    Err(error)
}

fn incomplete(cause: impl std::fmt::Display) -> Error {
    Error::failed(format!("a request that is not complete: {cause}"))
}
