//! The connection to a Docker Engine.

use bollard::Docker;

use crate::base::{Error, Result};

/// A Docker Engine that answered; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) docker: Docker,
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
        Ok(Self { docker })
    }
}

fn no_engine(cause: &bollard::errors::Error) -> Error {
    Error::failed(format!("no Docker Engine answers: {cause}"))
        .hint("run `scripts/setup-docker.sh` as root, or start Docker")
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
