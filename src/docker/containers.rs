//! Containers: made, started, stopped, removed, listed; files put in, commands run.

use std::collections::HashMap;

use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig,
    HostConfigCgroupnsModeEnum, NetworkingConfig, RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
    StartContainerOptions, StopContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures::StreamExt;

use super::Engine;
use super::engine::is_absent;
use crate::base::{Error, Result, ResultExt};

/// A container that runs systemd as its first process, to be made.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// The image it starts from.
    pub image: String,
    /// Its host name.
    pub hostname: String,
    /// The network it is in.
    pub network: String,
    /// Its fixed address there.
    pub address: String,
    /// Labels, to find it again.
    pub labels: HashMap<String, String>,
}

/// A container that exists.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// It runs.
    pub running: bool,
}

/// What a command in a container gave.
#[derive(Clone, Debug)]
pub struct Exec {
    /// Exit status.
    pub status: i64,
    /// Standard output and error, as they came.
    pub output: String,
    /// Standard output alone.
    pub stdout: String,
    /// Standard error alone.
    pub stderr: String,
}

impl Engine {
    /// Makes a container, without starting it.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn create_container(&self, container: &Container) -> Result<()> {
        let options = CreateContainerOptionsBuilder::default()
            .name(&container.name)
            .build();
        let tmpfs = ["/run", "/run/lock"].map(|path| (path.to_owned(), String::new()));
        let endpoint = EndpointSettings {
            ipam_config: Some(EndpointIpamConfig {
                ipv4_address: Some(container.address.clone()),
                ..EndpointIpamConfig::default()
            }),
            ..EndpointSettings::default()
        };
        let body = ContainerCreateBody {
            image: Some(container.image.clone()),
            hostname: Some(container.hostname.clone()),
            labels: Some(container.labels.clone()),
            // systemd's own order to halt; SIGTERM would only make it re-execute.
            stop_signal: Some("SIGRTMIN+3".to_owned()),
            host_config: Some(HostConfig {
                network_mode: Some(container.network.clone()),
                // Not `privileged`: machines without CAP_SYS_RESOURCE refuse that.
                cap_add: Some(vec!["ALL".to_owned()]),
                cap_drop: Some(vec!["SYS_RESOURCE".to_owned()]),
                security_opt: Some(vec!["seccomp=unconfined".to_owned()]),
                cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
                tmpfs: Some(HashMap::from(tmpfs)),
                // `reboot` inside ends the container; this starts it again.
                restart_policy: Some(RestartPolicy {
                    name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
                    maximum_retry_count: None,
                }),
                ..HostConfig::default()
            }),
            networking_config: Some(NetworkingConfig {
                endpoints_config: Some(HashMap::from([(container.network.clone(), endpoint)])),
            }),
            ..ContainerCreateBody::default()
        };
        self.docker
            .create_container(Some(options), body)
            .await
            .context(format!("creating container `{}`", container.name))?;
        Ok(())
    }

    /// Starts a container; a running one is fine.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn start_container(&self, name: &str) -> Result<()> {
        self.docker
            .start_container(name, None::<StartContainerOptions>)
            .await
            .context(format!("starting container `{name}`"))
    }

    /// Stops a container, by force after `seconds`; a stopped one is fine.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn stop_container(&self, name: &str, seconds: i32) -> Result<()> {
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        self.docker
            .stop_container(name, Some(options))
            .await
            .context(format!("stopping container `{name}`"))
    }

    /// Removes a container, running or not; an absent one is fine.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn remove_container(&self, name: &str) -> Result<()> {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        match self.docker.remove_container(name, Some(options)).await {
            Err(cause) if !is_absent(&cause) => {
                Err(cause).context(format!("removing container `{name}`"))
            }
            _ => Ok(()),
        }
    }

    /// The containers that carry the label `label=value`, stopped ones too.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn containers_with(&self, label: &str, value: &str) -> Result<Vec<Listed>> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{label}={value}")])]);
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filters)
            .build();
        let containers = self
            .docker
            .list_containers(Some(options))
            .await
            .context("listing containers")?;
        Ok(containers
            .into_iter()
            .filter_map(|container| {
                let name = container.names?.into_iter().next()?;
                Some(Listed {
                    name: name.trim_start_matches('/').to_owned(),
                    running: container
                        .state
                        .is_some_and(|state| state.to_string().eq_ignore_ascii_case("running")),
                })
            })
            .collect())
    }

    /// Unpacks a tar archive at the root of a container, running or not.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn put_archive(&self, name: &str, tar: Vec<u8>) -> Result<()> {
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        self.docker
            .upload_to_container(name, Some(options), bollard::body_full(tar.into()))
            .await
            .context(format!("copying files into container `{name}`"))
    }

    /// Runs a command in a running container and waits for it.
    ///
    /// # Errors
    /// What the engine said; a command that fails is no error here.
    pub async fn exec(&self, name: &str, argv: &[&str]) -> Result<Exec> {
        let what = || format!("running `{}` in container `{name}`", argv.join(" "));
        let options = CreateExecOptions {
            cmd: Some(argv.to_vec()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..CreateExecOptions::default()
        };
        let exec = self
            .docker
            .create_exec(name, options)
            .await
            .context(what())?;
        let started = self
            .docker
            .start_exec(&exec.id, None)
            .await
            .context(what())?;
        let StartExecResults::Attached {
            output: mut lines, ..
        } = started
        else {
            return Err(Error::failed(format!("{}: no output came", what())));
        };
        let (mut output, mut out, mut err) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(line) = lines.next().await {
            let line = line.context(what())?;
            let is_error = matches!(line, LogOutput::StdErr { .. });
            let one = if is_error { &mut err } else { &mut out };
            let bytes = line.into_bytes();
            one.extend_from_slice(&bytes);
            output.extend_from_slice(&bytes);
        }
        let ended = self.docker.inspect_exec(&exec.id).await.context(what())?;
        Ok(Exec {
            status: ended.exit_code.unwrap_or_default(),
            output: text(&output),
            stdout: text(&out),
            stderr: text(&err),
        })
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
