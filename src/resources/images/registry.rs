//! Images in ECR: which are there, who may push, and deleting some.

use aws_sdk_ecr::types::{ImageIdentifier, TagStatus};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::aws::{is_code, refused};
use crate::base::{Error, Result, ResultExt, Secret};
use crate::contract::Context;
use crate::docker::Login;

const NO_REPOSITORY: &str = "RepositoryNotFoundException";
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html>
const AT_ONCE: usize = 100;

/// The digest of the image with that tag, if it is there.
pub(super) async fn digest(cx: &Context, repository: &str, tag: &str) -> Result<Option<String>> {
    let call = cx.aws.ecr.batch_get_image().repository_name(repository);
    let call = call.image_ids(ImageIdentifier::builder().image_tag(tag).build());
    match call.send().await.map_err(refused("ecr:BatchGetImage")) {
        Ok(told) => {
            let mut images = told.images.into_iter().flatten();
            let id = images.next().and_then(|image| image.image_id);
            Ok(id.and_then(|id| id.image_digest))
        }
        Err(error) if is_code(&error, NO_REPOSITORY) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The tags that begin so.
pub(super) async fn tags(cx: &Context, repository: &str, begin: &str) -> Result<Vec<String>> {
    let filter = aws_sdk_ecr::types::ListImagesFilter::builder();
    let filter = filter.tag_status(TagStatus::Tagged).build();
    let call = cx.aws.ecr.list_images().repository_name(repository);
    let mut pages = call.filter(filter).into_paginator().items().send();
    let mut tags = Vec::new();
    while let Some(id) = pages.next().await {
        match id.map_err(refused("ecr:ListImages")) {
            Ok(id) => tags.extend(id.image_tag.filter(|tag| tag.starts_with(begin))),
            Err(error) if is_code(&error, NO_REPOSITORY) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(tags)
}

/// Deletes images by their tags.
pub(super) async fn delete(cx: &Context, repository: &str, tags: &[String]) -> Result<()> {
    for tags in tags.chunks(AT_ONCE) {
        let ids = tags
            .iter()
            .map(|tag| ImageIdentifier::builder().image_tag(tag).build());
        let call = cx.aws.ecr.batch_delete_image().repository_name(repository);
        let call = call.set_image_ids(Some(ids.collect()));
        let failures = match call.send().await.map_err(refused("ecr:BatchDeleteImage")) {
            Ok(done) => done.failures.unwrap_or_default(),
            Err(error) if is_code(&error, NO_REPOSITORY) => return Ok(()),
            Err(error) => return Err(error),
        };
        let is_there = |code: Option<&aws_sdk_ecr::types::ImageFailureCode>| {
            code.is_none_or(|code| code.as_str() != "ImageNotFound")
        };
        let mut failures = failures.into_iter();
        if let Some(failed) = failures.find(|it| is_there(it.failure_code.as_ref())) {
            let tag = failed.image_id.and_then(|id| id.image_tag);
            let why = failed.failure_reason.unwrap_or_default();
            let tag = tag.unwrap_or_default();
            return Err(Error::failed(format!("`{repository}:{tag}`: {why}")));
        }
    }
    Ok(())
}

/// A login for the account's registry, valid for 12 hours; nobody else sees it.
pub(super) async fn login(cx: &Context, registry: &str) -> Result<Login> {
    let told = cx.aws.ecr.get_authorization_token().send().await;
    let told = told.map_err(refused("ecr:GetAuthorizationToken"))?;
    let mut data = told.authorization_data.into_iter().flatten();
    let token = data.next().and_then(|it| it.authorization_token);
    let token = STANDARD.decode(token.unwrap_or_default());
    let token = String::from_utf8(token.context("the login of ECR")?);
    let token = token.context("the login of ECR")?;
    let (user, password) = token
        .split_once(':')
        .ok_or_else(|| Error::failed("the login of ECR has no password"))?;
    Ok(Login {
        registry: registry.to_owned(),
        user: user.to_owned(),
        password: Secret::from(password.to_owned()),
    })
}
