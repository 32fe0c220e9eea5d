//! The connection to a Docker Engine.

use bollard::Docker;

use crate::base::{Error, Result};

/// A Docker Engine that answered; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) docker: Docker,
    /// It is Podman's socket, which is compatible, and has no `BuildKit`.
    pub(super) is_podman: bool,
}

impl Engine {
    /// Connects where `DOCKER_HOST` or the default socket says, with the API version of the engine.
    ///
    /// # Errors
    /// When no engine answers, with how to get one.
    pub async fn connect() -> Result<Self> {
        let docker = Docker::connect_with_defaults().map_err(|cause| no_engine(&cause))?;
        let docker = docker
            .negotiate_version()
            .await
            .map_err(|cause| no_engine(&cause))?;
        let told = docker.version().await.map_err(|cause| no_engine(&cause))?;
        let mut components = told.components.into_iter().flatten();
        let is_podman = components.any(|it| it.name.starts_with("Podman"));
        Ok(Self { docker, is_podman })
    }
}

fn no_engine(cause: &bollard::errors::Error) -> Error {
    Error::failed(format!("no Docker Engine answers: {cause}"))
        .hint("run `scripts/setup-docker.sh` as root, start Docker, or set DOCKER_HOST to Podman's socket")
}

/// The engine says that there is no such thing.
pub(super) fn is_absent(error: &bollard::errors::Error) -> bool {
    matches!(
        error,
        bollard::errors::Error::DockerResponseServerError {
            status_code: 404,
            ..
        }
    )
}
