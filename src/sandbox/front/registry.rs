//! ECR's registry: who may push and pull, into what, and what ECR then knows of it. The layers and
//! manifests themselves are a real registry's.
//!
//! What images are called begins with the region, which is in the registry's name in AWS.

use std::sync::Arc;

use aws_sdk_ecr::error::ProvideErrorMetadata as _;
use aws_sdk_ecr::types::ImageIdentifier;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING,
    WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::server::Front;

/// More than a manifest has: the registry itself takes 4 MiB.
const LARGEST_MANIFEST: usize = 4 << 20;

/// What a request is about.
#[derive(Debug, PartialEq, Eq)]
struct Path<'a> {
    region: &'a str,
    repository: &'a str,
    /// Tag or digest of a manifest.
    manifest: Option<&'a str>,
}

impl<'a> Path<'a> {
    /// Of `/v2/REGION/NAME/manifests/REFERENCE`, `/v2/REGION/NAME/blobs/…`.
    fn of(path: &'a str) -> Option<Self> {
        let (region, rest) = path.strip_prefix("/v2/")?.split_once('/')?;
        let parts = ["/manifests/", "/blobs/", "/tags/"];
        let (at, part) = parts
            .iter()
            .find_map(|part| Some((rest.rfind(part)?, part)))?;
        Some(Self {
            region,
            repository: &rest[..at],
            manifest: (*part == parts[0]).then_some(&rest[at + part.len()..]),
        })
    }

    fn image(&self) -> Option<ImageIdentifier> {
        let reference = self.manifest?;
        let id = ImageIdentifier::builder();
        Some(if reference.contains(':') {
            id.image_digest(reference).build()
        } else {
            id.image_tag(reference).build()
        })
    }
}

/// An error in the registry's own form.
fn refusal(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let errors = json!({ "errors": [{ "code": code, "message": message }] });
    let mut response = Response::new(Body::from(errors.to_string()));
    *response.status_mut() = status;
    if let Ok(value) = "application/json".parse() {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response
}

/// The user `AWS` with a token of `GetAuthorizationToken`.
fn may_enter(headers: &HeaderMap) -> bool {
    let given = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    let login = given.and_then(|it| it.strip_prefix("Basic "));
    let login = login.and_then(|it| STANDARD.decode(it).ok());
    login.is_some_and(|login| login.starts_with(b"AWS:") && login.ends_with(b"-auth-token"))
}

/// Answers a client of the registry.
pub(super) async fn answer(Shared(front): Shared<Arc<Front>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if !may_enter(&parts.headers) {
        let message = "Your Authorization Token is missing or has expired.";
        let mut refused = refusal(StatusCode::UNAUTHORIZED, "DENIED", message);
        if let Ok(value) = "Basic realm=\"sandbox\",service=\"ecr.amazonaws.com\"".parse() {
            refused.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
        return refused;
    }
    let path = parts.uri.path();
    let about = Path::of(path);
    if let Some(about) = &about
        && let Some(refused) = missing(&front, about, &parts.method).await
    {
        return refused;
    }
    let endpoint = match front.registry.endpoint().await {
        Ok(endpoint) => endpoint,
        Err(error) => {
            front.problems.add(&error);
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return refusal(status, "UNAVAILABLE", error.message());
        }
    };
    let is_image =
        parts.method == Method::PUT && about.as_ref().is_some_and(|it| it.manifest.is_some());
    let mut manifest = Bytes::new();
    let body = if is_image {
        match to_bytes(body, LARGEST_MANIFEST).await {
            Ok(whole) => manifest = whole,
            Err(cause) => {
                let status = StatusCode::BAD_REQUEST;
                return refusal(status, "MANIFEST_INVALID", &cause.to_string());
            }
        }
        reqwest::Body::from(manifest.clone())
    } else if [Method::GET, Method::HEAD].contains(&parts.method) {
        reqwest::Body::default()
    } else {
        reqwest::Body::wrap_stream(body.into_data_stream())
    };
    let target = parts.uri.path_and_query().map_or(path, |it| it.as_str());
    let mut call = front
        .registry_client
        .request(parts.method.clone(), format!("{endpoint}{target}"))
        .body(body);
    for (name, value) in &parts.headers {
        let ours = [HOST, CONNECTION, AUTHORIZATION, TRANSFER_ENCODING];
        let is_length = is_image && *name == CONTENT_LENGTH;
        if !is_length && !ours.contains(name) {
            call = call.header(name, value);
        }
    }
    let answer = match call.send().await {
        Ok(answer) => answer,
        Err(cause) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return refusal(status, "UNAVAILABLE", &cause.to_string());
        }
    };
    if is_image
        && answer.status() == StatusCode::CREATED
        && let Some(about) = &about
        && let Err(message) = put(&front, about, &manifest, &parts.headers).await
    {
        return refusal(StatusCode::BAD_REQUEST, "TAG_INVALID", &message);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    for (name, value) in answer.headers() {
        if ![CONNECTION, TRANSFER_ENCODING].contains(name) {
            response.headers_mut().append(name, value.clone());
        }
    }
    *response.body_mut() = Body::from_stream(answer.bytes_stream());
    response
}

/// A repository or image that ECR does not have, whatever the registry still holds of it.
async fn missing(front: &Front, about: &Path<'_>, method: &Method) -> Option<Response<Body>> {
    let ecr = front.cloud.ecr(about.region);
    let name = about.repository;
    let told = ecr.describe_repositories().repository_names(name);
    if told.send().await.is_err() {
        let message = format!("The repository with name '{name}' does not exist in the registry");
        return Some(refusal(StatusCode::NOT_FOUND, "NAME_UNKNOWN", &message));
    }
    let image = about.image().filter(|_| method != Method::PUT)?;
    let told = ecr.batch_get_image().repository_name(name).image_ids(image);
    let images = told.send().await.ok().and_then(|told| told.images);
    if images.is_some_and(|images| !images.is_empty()) {
        return None;
    }
    let message = "Requested image not found";
    let status = StatusCode::NOT_FOUND;
    Some(refusal(status, "MANIFEST_UNKNOWN", message))
}

/// Tells ECR of an image; what it is refused by, if it is.
async fn put(
    front: &Front,
    about: &Path<'_>,
    manifest: &[u8],
    headers: &HeaderMap,
) -> Result<(), String> {
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let tag = about.manifest.filter(|it| !it.contains(':'));
    let ecr = front.cloud.ecr(about.region);
    let call = ecr.put_image().repository_name(about.repository);
    let call = call
        .image_manifest(String::from_utf8_lossy(manifest))
        .set_image_manifest_media_type(kind.map(str::to_owned))
        .set_image_tag(tag.map(str::to_owned));
    match call.send().await {
        Ok(_) => Ok(()),
        Err(cause) if cause.code() == Some("ImageAlreadyExistsException") => Ok(()),
        Err(cause) => Err(cause.message().unwrap_or("refused by ECR").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_region_repository_and_manifest() {
        let of = |path| Path::of(path).map(|it| (it.region, it.repository, it.manifest));
        assert_eq!(
            of("/v2/eu-west-1/team/api/manifests/sha256:12"),
            Some(("eu-west-1", "team/api", Some("sha256:12")))
        );
        assert_eq!(
            of("/v2/eu-west-1/api/blobs/uploads/"),
            Some(("eu-west-1", "api", None))
        );
        assert_eq!(of("/v2/"), None);
    }
}
