//! Builds that read secrets: `BuildKit` asks for them while it builds. They are kept in memory, and so is
//! the file that the client library reads them from.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use bollard::Docker;
use bollard::grpc::build::{
    ImageBuildFrontendOptions, ImageBuildLoadInput, ImageBuildPlatform, SecretSource,
};
use bollard::grpc::driver::Build as _;
use bollard::grpc::driver::moby::Moby;
use bollard::grpc::error::GrpcError;
use rustix::fs::{MemfdFlags, memfd_create};
use tokio::runtime::Handle;

use super::build::{Build, Login};
use crate::base::{Error, Result, ResultExt, Secret};

/// Builds an image with its secrets.
///
/// # Errors
/// What the builder said; it does not say what the step printed.
pub(super) async fn build(
    docker: &Docker,
    build: &Build<'_>,
    context: Vec<u8>,
    login: &Login,
) -> Result<()> {
    let files = build.secrets.iter().map(|(id, value)| {
        let file = in_memory(value).context(format!("keeping the secret `{id}`"))?;
        Ok((id, file))
    });
    let files = files.collect::<Result<Vec<_>>>()?;
    let mut options = ImageBuildFrontendOptions::builder()
        .dockerfile(Path::new(build.dockerfile))
        .platforms(&platform(build.platform));
    for (id, file) in &files {
        options = options.set_secret(id, &SecretSource::File(path(file)));
    }
    for (name, value) in build.args {
        options = options.buildarg(name, value);
    }
    if let Some(target) = build.target {
        options = options.target(target);
    }
    let context = ImageBuildLoadInput::Upload(context.into());
    let (docker, name, login) = (docker.clone(), build.name.to_owned(), login.clone());
    // The library's future stays on its thread.
    let building = tokio::task::spawn_blocking(move || {
        let logins = HashMap::from([(login.registry.as_str(), login.credentials())]);
        let build = Moby::new(&docker);
        let build = build.docker_build(&name, options.build(), context, Some(logins), None);
        Handle::current().block_on(build)
    });
    let built = building.await.context("building the image")?;
    built.map_err(|cause| failed(&cause))
}

fn in_memory(value: &Secret) -> std::io::Result<File> {
    let mut file = File::from(memfd_create("secret", MemfdFlags::CLOEXEC)?);
    file.write_all(value.expose().as_bytes())?;
    Ok(file)
}

/// Where the file can be opened as long as it is open.
fn path(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn platform(text: &str) -> ImageBuildPlatform {
    let mut parts = text.split('/').map(str::to_owned);
    ImageBuildPlatform {
        os: parts.next().unwrap_or_default(),
        architecture: parts.next().unwrap_or_default(),
        variant: parts.next(),
    }
}

fn failed(cause: &GrpcError) -> Error {
    let why = match cause {
        GrpcError::TonicStatus { err } => err.message().to_owned(),
        cause => cause.to_string(),
    };
    Error::failed(format!("building the image failed: {why}"))
        .note("what the step printed is not told of builds that read secrets")
}
