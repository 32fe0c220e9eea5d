//! Making a bucket, and never taking one that is there for it.

use std::time::Duration;

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use super::{Bucket, Live, change, listing, name};
use crate::aws::{Poll, Wait, is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::named::must_be_ours;

impl Bucket {
    pub(super) async fn created(&self, cx: &Context, target: Target<'_>) -> Result<Live> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => name::default(cx, target.address),
        };
        if let Some(text) = name::problem(&name) {
            return Err(Error::playbook(text, target.at).hint("write another `name:`"));
        }
        // In us-east-1, S3 answers as if it had made a bucket that the account has already.
        if let Some(live) = adopted(cx, target, &name).await? {
            return Ok(live);
        }
        let region = cx.aws.region();
        let constraint = (region != "us-east-1").then(|| BucketLocationConstraint::from(region));
        let configuration = CreateBucketConfiguration::builder()
            .set_location_constraint(constraint)
            .set_tags(Some(change::sdk_tags(&target.tags.0)?))
            .build();
        let news = |text: &str| cx.progress.doing(target.address, text);
        let what = format!("the name `{name}` to be free");
        let wait = Wait::new(what, Duration::from_mins(3), &news);
        wait.until(async || {
            let call = cx.aws.s3.create_bucket().bucket(&name);
            let call = call.create_bucket_configuration(configuration.clone());
            match call.send().await.map_err(refused("s3:CreateBucket")) {
                Ok(_) => Ok(Poll::Ready(Live {
                    tags: target.tags.clone(),
                    ..listing::bare(cx, &name)
                })),
                // One of that name was deleted a moment ago.
                Err(error) if is_code(&error, "OperationAborted") => {
                    Ok(Poll::Pending("just deleted".to_owned()))
                }
                // An answer was lost.
                Err(error) if is_code(&error, "BucketAlreadyOwnedByYou") => {
                    match adopted(cx, target, &name).await? {
                        Some(live) => Ok(Poll::Ready(live)),
                        None => Err(error),
                    }
                }
                Err(error) if is_code(&error, "BucketAlreadyExists") => {
                    let text = format!("a bucket `{name}` exists in another account");
                    Err(Error::failed(text).hint("write another `name:`"))
                }
                Err(error) => Err(error),
            }
        })
        .await
    }
}

/// The bucket of this name that the account has already, when it is this resource.
async fn adopted(cx: &Context, target: Target<'_>, name: &str) -> Result<Option<Live>> {
    let tags = match listing::tags(cx, name).await {
        // It is somebody else's: S3 tells so when it is to be made.
        Err(error) if is_code(&error, "AccessDenied") => return Ok(None),
        tags => tags?,
    };
    let Some(tags) = tags else {
        return Ok(None);
    };
    must_be_ours("bucket", name, &tags, target)?;
    let live = Box::pin(listing::settings(cx, name)).await?;
    Ok(Some(Live { tags, ..live }))
}

/// Nothing that the builders require is ever missing.
pub(super) fn incomplete(error: impl std::fmt::Display) -> Error {
    Error::failed(format!("the bucket is incomplete: {error}"))
}
