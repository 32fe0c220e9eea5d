//! What a rollout would fail for and can be known before it: images that ECR does not have, parameters and
//! secrets that do not exist, requests that no container takes. What this run may not look at is left to the rollout.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::types::ImageIdentifier;
use aws_sdk_ecs::types::{ContainerDefinition, Secret};

use super::Service;
use crate::aws::{is_code, refused};
use crate::base::{Address, Error, Result};
use crate::contract::Context;

/// What a call says that is not allowed.
const DENIED: [&str; 2] = ["AccessDeniedException", "AccessDenied"];
/// The most parameters in one call:
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html>.
const PARAMETERS: usize = 10;
/// The most images in one call:
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html>.
const IMAGES: usize = 100;

/// Looks for all that the containers of a revision need.
pub(super) async fn check(
    cx: &Context,
    address: &Address,
    service: &str,
    (spec, task): (&Service, &str),
) -> Result<()> {
    cx.progress
        .doing(address, "looking whether its images and secrets are there");
    let call = cx.aws.ecs.describe_task_definition().task_definition(task);
    let told = call.send().await;
    let told = told.map_err(refused("ecs:DescribeTaskDefinition"))?;
    let containers = told.task_definition.and_then(|it| it.container_definitions);
    let containers = containers.unwrap_or_default();
    let secrets = containers.iter().flat_map(ContainerDefinition::secrets);
    let secrets: BTreeSet<&str> = secrets.map(Secret::value_from).collect();
    let (images, parameters, secrets) = tokio::join!(
        images(cx, &containers),
        parameters(cx, &secrets),
        in_manager(cx, &secrets)
    );
    let mut missing: Vec<_> = unfit(spec, &containers).into_iter().collect();
    for looked in [images, parameters, secrets] {
        match looked {
            Ok(found) => missing.extend(found),
            Err(error) if DENIED.iter().any(|code| is_code(&error, code)) => {}
            Err(error) => return Err(error),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!("service `{service}` is not rolled out: its tasks could not start");
    let error = missing.into_iter().fold(Error::failed(text), Error::note);
    Err(error.hint("make what is missing, and apply again; until then it runs as before"))
}

/// What sends requests to a container that is not there, or to a port that it does not have.
fn unfit(spec: &Service, containers: &[ContainerDefinition]) -> Option<String> {
    let balancer = spec.load_balancer.as_ref()?;
    let (name, port) = (balancer.container.as_ref()?, balancer.container_port?);
    let Some(container) = containers.iter().find(|it| it.name() == Some(name)) else {
        return Some(format!(
            "requests go to container `{name}`, which the task definition does not have"
        ));
    };
    let mut ports = container
        .port_mappings()
        .iter()
        .filter_map(|it| it.container_port);
    let has = ports.any(|it| it == i32::from(port));
    (!has).then(|| format!("requests go to port {port}, and container `{name}` does not have it"))
}

/// Images of this account's repositories that are not there.
async fn images(cx: &Context, containers: &[ContainerDefinition]) -> Result<Vec<String>> {
    if !containers
        .iter()
        .filter_map(|it| it.image())
        .any(is_in_registry)
    {
        return Ok(Vec::new());
    }
    let mut repositories = BTreeMap::new();
    let mut pages = cx
        .aws
        .ecr
        .describe_repositories()
        .into_paginator()
        .items()
        .send();
    while let Some(told) = pages.next().await {
        let told = told.map_err(refused("ecr:DescribeRepositories"))?;
        if let (Some(uri), Some(name)) = (told.repository_uri, told.repository_name) {
            repositories.insert(uri, name);
        }
    }
    let mut wanted: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for image in containers.iter().filter_map(|it| it.image()) {
        let (uri, which) = parted(image);
        if let Some(name) = repositories.get(uri) {
            wanted.entry(name).or_default().insert((image, which));
        }
    }
    let mut missing = Vec::new();
    for (name, images) in wanted {
        let images: Vec<_> = images.into_iter().collect();
        for some in images.chunks(IMAGES) {
            missing.extend(not_in(cx, name, some).await?);
        }
    }
    Ok(missing)
}

/// Those of these images that a repository does not have.
async fn not_in(cx: &Context, repository: &str, images: &[(&str, &str)]) -> Result<Vec<String>> {
    let ids = images.iter().map(|(_, which)| id(which)).collect();
    let call = cx.aws.ecr.batch_get_image().repository_name(repository);
    let told = call.set_image_ids(Some(ids)).send().await;
    let told = told.map_err(refused("ecr:BatchGetImage"))?;
    let failed = told.failures.unwrap_or_default();
    let failed: Vec<_> = failed.into_iter().filter_map(|it| it.image_id).collect();
    let is_missing = |which: &str| {
        let wanted = id(which);
        let same = |it: &ImageIdentifier| {
            it.image_tag == wanted.image_tag && wanted.image_tag.is_some()
                || it.image_digest == wanted.image_digest && wanted.image_digest.is_some()
        };
        failed.iter().any(same)
    };
    let missing = images.iter().filter(|(_, which)| is_missing(which));
    Ok(missing
        .map(|(image, _)| format!("image `{image}` does not exist"))
        .collect())
}

/// It names a registry, so that it is none of Docker Hub's.
fn is_in_registry(image: &str) -> bool {
    let registry = image.split_once('/').map(|(registry, _)| registry);
    registry.is_some_and(|it| it.contains(['.', ':']))
}

/// Repository, and tag or digest, which is `latest` where none is named.
fn parted(image: &str) -> (&str, &str) {
    if let Some(parts) = image.split_once('@') {
        return parts;
    }
    match image.rsplit_once(':') {
        Some((uri, tag)) if !tag.contains('/') => (uri, tag),
        _ => (image, "latest"),
    }
}

fn id(which: &str) -> ImageIdentifier {
    let id = ImageIdentifier::builder();
    let id = if which.contains(':') {
        id.image_digest(which)
    } else {
        id.image_tag(which)
    };
    id.build()
}

/// Parameters that do not exist.
async fn parameters(cx: &Context, secrets: &BTreeSet<&str>) -> Result<Vec<String>> {
    let here = format!(":ssm:{}:{}:parameter", cx.region, cx.account);
    let named = |it: &&str| -> Option<String> {
        if it.starts_with("arn:") {
            return Some(it.split_once(&here)?.1.to_owned());
        }
        Some((*it).to_owned())
    };
    let names: Vec<String> = secrets.iter().filter_map(named).collect();
    let mut missing = Vec::new();
    for some in names.chunks(PARAMETERS) {
        let call = cx.aws.ssm.get_parameters().with_decryption(false);
        let told = call.set_names(Some(some.to_vec())).send().await;
        let told = told.map_err(refused("ssm:GetParameters"))?;
        let unknown = told.invalid_parameters.unwrap_or_default();
        missing.extend(
            unknown
                .iter()
                .map(|it| format!("parameter `{it}` does not exist")),
        );
    }
    Ok(missing)
}

/// Secrets of the Secrets Manager that do not exist.
async fn in_manager(cx: &Context, secrets: &BTreeSet<&str>) -> Result<Vec<String>> {
    let here = format!(":secretsmanager:{}:{}:secret:", cx.region, cx.account);
    let mut missing = Vec::new();
    for arn in secrets.iter().filter(|it| it.contains(&here)) {
        // Seven parts name it; key, stage and version may follow.
        let id = arn.splitn(8, ':').take(7).collect::<Vec<_>>().join(":");
        let told = cx.aws.secrets.describe_secret().secret_id(&id).send().await;
        match told.map_err(refused("secretsmanager:DescribeSecret")) {
            Ok(_) => {}
            Err(error) if is_code(&error, "ResourceNotFoundException") => {
                missing.push(format!("secret `{id}` does not exist"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_a_repository_and_a_tag_or_a_digest() {
        for (image, parts) in [
            ("r.example:5000/a/b", ("r.example:5000/a/b", "latest")),
            ("r.example:5000/a/b:1", ("r.example:5000/a/b", "1")),
            ("r/a@sha256:00", ("r/a", "sha256:00")),
        ] {
            assert_eq!(parted(image), parts);
        }
        assert!(is_in_registry("r.example/a:1") && is_in_registry("localhost:5000/a"));
        assert!(!is_in_registry("nginx:1.27") && !is_in_registry("rocker/r-ver:4"));
        assert_eq!(id("sha256:00").image_digest(), Some("sha256:00"));
        assert_eq!(id("1.0").image_tag(), Some("1.0"));
    }
}
