//! Images are built by `BuildKit`, and pushed.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bollard::auth::DockerCredentials;
use bollard::models::{BuildInfo, BuildInfoAux};
use bollard::query_parameters::{
    BuildImageOptionsBuilder, BuilderVersion, PushImageOptionsBuilder, RemoveImageOptionsBuilder,
};
use futures::StreamExt as _;

use super::{Engine, sealed};
use crate::base::{Error, Result, ResultExt, Secret, hex};

/// Lines of a build's output that an error has.
const SHOWN_LINES: usize = 20;

/// Parts of a layer after which it is told how far it is.
const TENTHS: i64 = 10;

/// An image to be made.
#[derive(Clone, Debug)]
pub struct Build<'a> {
    /// What it is called then, with its tag.
    pub name: &'a str,
    /// The Dockerfile's path in the context.
    pub dockerfile: &'a str,
    /// Build arguments.
    pub args: &'a BTreeMap<String, String>,
    /// The stage to build; without it, the last one.
    pub target: Option<&'a str>,
    /// `linux/amd64`.
    pub platform: &'a str,
    /// Secrets that the Dockerfile reads, by id.
    pub secrets: Vec<(String, Secret)>,
}

/// Who pushes to a registry.
#[derive(Clone, Debug)]
pub struct Login {
    /// Name and port of the registry.
    pub registry: String,
    /// User's name.
    pub user: String,
    /// Password or token.
    pub password: Secret,
}

impl Login {
    pub(super) fn credentials(&self) -> DockerCredentials {
        DockerCredentials {
            username: Some(self.user.clone()),
            password: Some(self.password.expose().to_owned()),
            serveraddress: Some(self.registry.clone()),
            ..DockerCredentials::default()
        }
    }
}

impl Engine {
    /// Builds an image from a context, which is a tar; `said` hears each step as it begins. The
    /// login is for base images in the same registry.
    ///
    /// # Errors
    /// The step that failed, with the end of what it printed.
    pub async fn build(
        &self,
        build: &Build<'_>,
        context: Vec<u8>,
        login: &Login,
        said: &(dyn Fn(&str) + Sync),
    ) -> Result<()> {
        if !build.secrets.is_empty() {
            if self.is_podman {
                let text = "builds that read secrets take BuildKit, and this is Podman";
                return Err(Error::failed(text).hint("set DOCKER_HOST to a Docker Engine"));
            }
            said("building, without news: it reads secrets");
            return sealed::build(&self.docker, build, context, login).await;
        }
        let mut session = [0_u8; 16];
        getrandom::fill(&mut session).context("random numbers")?;
        let args: HashMap<_, _> = build.args.clone().into_iter().collect();
        let mut options = BuildImageOptionsBuilder::new()
            .dockerfile(build.dockerfile)
            .t(build.name)
            .buildargs(&args)
            .platform(build.platform)
            .rm(true);
        options = if self.is_podman {
            options.version(BuilderVersion::BuilderV1)
        } else {
            let options = options.version(BuilderVersion::BuilderBuildKit);
            options.session(&hex(&session))
        };
        if let Some(target) = build.target {
            options = options.target(target);
        }
        let logins = HashMap::from([(login.registry.clone(), login.credentials())]);
        let context = bollard::body_full(context.into());
        let mut stream = self
            .docker
            .build_image(options.build(), Some(logins), Some(context));
        let mut lines = Lines::default();
        while let Some(news) = stream.next().await {
            match news {
                Ok(news) => lines.hear(news, said),
                Err(cause) => return Err(lines.failed(Some(&cause))),
            }
        }
        match lines.error {
            Some(_) => Err(lines.failed(None)),
            None => Ok(()),
        }
    }

    /// Pushes an image, the layers that the registry lacks; `said` hears how far it is.
    ///
    /// # Errors
    /// What the engine or the registry said.
    pub async fn push(
        &self,
        repository: &str,
        tag: &str,
        login: &Login,
        said: &(dyn Fn(&str) + Sync),
    ) -> Result<()> {
        let options = PushImageOptionsBuilder::new().tag(tag).build();
        let credentials = Some(login.credentials());
        let mut stream = self
            .docker
            .push_image(repository, Some(options), credentials);
        let mut layers = Layers::default();
        while let Some(news) = stream.next().await {
            let news = news.context(format!("pushing `{repository}:{tag}`"))?;
            let detail = news.progress_detail.unwrap_or_default();
            if let (Some(current), Some(total)) = (detail.current, detail.total)
                && let Some(news) = layers.hear(current, total)
            {
                said(&news);
            }
        }
        Ok(())
    }

    /// Takes a name away from an image, which goes if it has no other.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn untag(&self, name: &str) -> Result<()> {
        let options = RemoveImageOptionsBuilder::default().build();
        let done = self.docker.remove_image(name, Some(options), None).await;
        done.map(drop).context(format!("removing `{name}`"))
    }
}

/// How far the layers of a push are, in tenths. Several go at once; what they are called is not told, how large they
/// are is.
#[derive(Default)]
struct Layers(HashMap<i64, i64>);

impl Layers {
    /// What is to be said, of a layer of which so many bytes are pushed.
    fn hear(&mut self, bytes: i64, total: i64) -> Option<String> {
        let bytes = bytes.min(total);
        let tenth = bytes * TENTHS / total.max(1);
        let is_new = self.0.insert(total, tenth) != Some(tenth);
        let (bytes, total) = (megabytes(bytes), megabytes(total));
        is_new.then(|| format!("pushing a layer, {bytes} of {total} MB"))
    }
}

/// Rounded up.
fn megabytes(bytes: i64) -> i64 {
    (bytes + 999_999) / 1_000_000
}

/// What a build prints.
#[derive(Default)]
struct Lines {
    last: VecDeque<String>,
    /// The step that failed.
    step: Option<String>,
    error: Option<String>,
}

impl Lines {
    fn hear(&mut self, news: BuildInfo, said: &(dyn Fn(&str) + Sync)) {
        if let Some(error) = news.error_detail.and_then(|it| it.message) {
            self.error = Some(error);
        }
        if let Some(text) = news.stream {
            self.add(&text);
            if text.starts_with("Step ") || text.starts_with("STEP ") {
                said(text.trim());
            }
        }
        let Some(BuildInfoAux::BuildKit(status)) = news.aux else {
            return;
        };
        for log in status.logs {
            self.add(&String::from_utf8_lossy(&log.msg));
        }
        for step in status.vertexes {
            // Others are the builder's own.
            let ours = step.name.starts_with('[') && !step.name.starts_with("[internal]");
            if step.started.is_some() && step.completed.is_none() && ours {
                said(&step.name);
            }
            if !step.error.is_empty() {
                self.step = Some(step.name);
                self.error = Some(step.error);
            }
        }
    }

    fn add(&mut self, text: &str) {
        let lines = text.lines().map(str::trim_end);
        for line in lines.filter(|line| !line.is_empty()) {
            if self.last.len() == SHOWN_LINES {
                self.last.pop_front();
            }
            self.last.push_back(line.to_owned());
        }
    }

    /// What a step says of itself is said better than what the engine says of the build.
    fn failed(self, cause: Option<&bollard::errors::Error>) -> Error {
        let why = self.error.or_else(|| cause.map(ToString::to_string));
        let cause = why.unwrap_or_default();
        let text = match self.step {
            Some(step) => format!("building the image failed at {step}: {cause}"),
            None => format!("building the image failed: {cause}"),
        };
        self.last
            .into_iter()
            .fold(Error::failed(text), |error, line| {
                error.note(format!("the build said: {line}"))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_that_are_pushed_side_by_side_tell_of_each_tenth_once() {
        let mut layers = Layers::default();
        let hear = |step: i64| [20_000_000, 3_000_000].map(|total| (step * total / 1_000, total));
        let mut said = Vec::new();
        for (bytes, total) in (0..=1_000).flat_map(hear) {
            said.extend(layers.hear(bytes, total));
        }
        assert_eq!(said.len(), 22, "{said:?}");
        assert_eq!(said[0], "pushing a layer, 0 of 20 MB");
        assert_eq!(said[20], "pushing a layer, 20 of 20 MB");
        assert_eq!(said[21], "pushing a layer, 3 of 3 MB");
    }
}
