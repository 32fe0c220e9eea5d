//! Container images: built from a folder, pushed to a repository, known by what they were built from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest::{Context as Digest, SHA256};
use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use self::context::{Folder, Packed};
use self::place::{Place, begin, found, from_id};
use super::local_path::expand;
use super::reference::RepositoryName;
use super::value_from::ValueFrom;
use crate::base::deserialize::from_node;
use crate::base::{
    Cost, Diff, Error, ErrorKind, Errors, Node, OutputMeaning, Outputs, Result, Secret, Shown, hex,
};
use crate::contract::{
    Beside, Context, Found, Iam, Kind, Patience, Presence, Stage, Target, Wanted,
};
use crate::docker::{Build, Engine};

mod context;
mod ignored;
mod place;
mod registry;

/// Hexadecimal digits of the hash of what an image is built from.
const CONTENT: usize = 32;
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageIdentifier.html>
const LONGEST_TAG: usize = 128;

/// A container image, built from a folder by Docker (or Podman) and pushed to a repository
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The folder that it is built from, from the playbook's folder on. What `.dockerignore` leaves
    /// out is not sent
    context: String,
    /// The repository that it is pushed to
    repository: RepositoryName,
    /// The Dockerfile's path in the context
    #[serde(default = "dockerfile")]
    dockerfile: String,
    /// Build arguments. Whoever has the image can read them: no secrets
    #[serde(default)]
    args: BTreeMap<String, String>,
    /// Secrets by the `id` by which the Dockerfile reads them (`RUN --mount=type=secret,id=ID`): in no
    /// layer of the image, and in no file of this machine. A changed one does not build it anew
    #[serde(default)]
    secrets: BTreeMap<String, ValueFrom>,
    /// The stage of the Dockerfile to build; without it, the last one
    target: Option<String>,
    /// The system that it is for, such as `linux/arm64`
    #[serde(default = "platform")]
    platform: String,
}

fn dockerfile() -> String {
    "Dockerfile".to_owned()
}

fn platform() -> String {
    "linux/amd64".to_owned()
}

/// The section `images`.
pub(super) struct Images;

/// An image that is wanted, with what it is built from.
struct Made {
    packed: Packed,
    tag: String,
}

/// What the stack has in a repository that stays.
struct Left {
    repository: String,
    begin: String,
}

impl Made {
    fn of(cx: &Context, spec: &Image, target: Target<'_>) -> Result<Self> {
        let at = target.node.entry("context").map_or(target.at, |it| &it.at);
        let packed = spec.folder(&cx.folder).and_then(|folder| folder.pack());
        let packed = packed.map_err(|error| error.as_kind(ErrorKind::Playbook).at(at))?;
        let mut content = Digest::new(&SHA256);
        let mut add = |text: &str| {
            content.update(&(text.len() as u64).to_le_bytes());
            content.update(text.as_bytes());
        };
        add(&spec.dockerfile);
        add(spec.target.as_deref().unwrap_or_default());
        add(&spec.platform);
        for (name, value) in &spec.args {
            add(name);
            add(value);
        }
        content.update(&packed.tar);
        let content = hex(content.finish().as_ref());
        Ok(Self {
            packed,
            tag: begin(&cx.stack, target.address) + &content[..CONTENT],
        })
    }
}

impl Image {
    fn secrets(&self, target: Target<'_>) -> Result<Vec<(String, Secret)>> {
        let written = target.node.entry("secrets").unwrap_or(target.node);
        let read = self.secrets.iter().map(|(id, source)| {
            let node = written.entry(id).unwrap_or(written);
            Ok((id.clone(), source.read_at(target, node)?))
        });
        read.collect()
    }

    fn folder(&self, folder: &Path) -> Result<Folder> {
        let context: PathBuf = folder.join(expand(&self.context));
        Folder::open(context, &self.dockerfile)
    }
}

fn spec(node: &Node) -> Result<Option<Image>> {
    if node.has_unknown() {
        return Ok(None);
    }
    from_node(node).map(Some)
}

#[async_trait]
impl Kind for Images {
    fn name(&self) -> &'static str {
        "images"
    }

    fn stage(&self) -> Stage {
        Stage::Upon
    }

    fn schema(&self) -> Schema {
        schemars::generate::SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator()
            .into_root_schema_for::<Image>()
    }

    fn outputs(&self) -> &'static [OutputMeaning] {
        &[
            ("id", "As `uri`"),
            (
                "uri",
                "What a container runs: the repository with the image's digest",
            ),
            ("digest", "SHA-256 of its manifest, as `sha256:…`"),
            (
                "tag",
                "Its tag: its name here, and hashes of whose it is and of what it was built from",
            ),
        ]
    }

    fn iam(&self) -> Iam {
        Iam {
            discover: &["ecr:BatchGetImage"],
            apply: &[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:CompleteLayerUpload",
                "ecr:GetAuthorizationToken",
                "ecr:GetDownloadUrlForLayer",
                "ecr:InitiateLayerUpload",
                "ecr:PutImage",
                "ecr:UploadLayerPart",
            ],
            delete: &["ecr:BatchDeleteImage", "ecr:ListImages"],
        }
    }

    fn delete_rank(&self) -> u8 {
        131
    }

    fn check(&self, node: &Node) -> Result<(), Errors> {
        let mut errors = Errors::default();
        let Some(Some(spec)) = errors.keep(spec(node)) else {
            return errors.into_result(());
        };
        if let Some(args) = node.entry("args").filter(|it| it.has_secret()) {
            let text = "a secret in `args` could be read by whoever has the image";
            errors.push(Error::playbook(text, &args.at));
        }
        for (id, source) in &spec.secrets {
            if let Some(problem) = source.problem() {
                let written = node.entry("secrets").and_then(|it| it.entry(id));
                let at = written.map_or(&node.at, |it| &it.at);
                errors.push(Error::playbook(problem, at));
            }
        }
        let mut wrong = |field: &str, text: String| {
            let at = node.entry(field).map_or(&node.at, |it| &it.at);
            errors.push(Error::playbook(text, at));
        };
        let parts = spec.platform.split('/').collect::<Vec<_>>();
        if !matches!(parts.as_slice(), [os, cpu] | [os, cpu, _] if !os.is_empty() && !cpu.is_empty())
        {
            wrong("platform", "a platform is such as `linux/amd64`".to_owned());
        }
        let up = |path: &str| path.split('/').any(|part| part == "..") || path.starts_with('/');
        if up(&spec.dockerfile) {
            wrong(
                "dockerfile",
                "the Dockerfile is in the context: a path from there on".to_owned(),
            );
        }
        errors.into_result(())
    }

    async fn discover(&self, _cx: &Context, _wanted: &Wanted) -> Result<Vec<Found>> {
        Ok(Vec::new())
    }

    async fn observe(
        &self,
        cx: &Context,
        target: Target<'_>,
        _patience: Patience,
    ) -> Result<Option<Found>> {
        let Some(spec) = spec(target.node)? else {
            return Ok(None);
        };
        let made = Made::of(cx, &spec, target)?;
        if made.tag.len() > LONGEST_TAG {
            let text = format!("`{}` is too long a name for an image", target.address);
            return Err(Error::playbook(text, target.at));
        }
        let place = Place::of(&spec, target);
        if let Some(place) = &place
            && let Some(digest) = registry::digest(cx, &place.repository, &made.tag).await?
        {
            return Ok(Some(found(place, &made.tag, &digest)));
        }
        // It will be built: better to be told now that it cannot.
        Engine::connect().await?;
        Ok(None)
    }

    fn diff(&self, target: Target<'_>, live: Option<&Found>) -> Result<Diff> {
        if live.is_some() {
            return Ok(Diff::default());
        }
        let text = |field: &str| {
            let node = target.node.entry(field)?;
            node.as_text().map(Shown::of)
        };
        let context = text("context").unwrap_or(Shown::AfterApply);
        let diff = Diff::default().field("built from", Shown::Absent, context);
        let repository = text("repository").unwrap_or(Shown::AfterApply);
        Ok(diff.field("pushed to", Shown::Absent, repository))
    }

    fn cost(&self, _node: &Node, _region: &str, _beside: &Beside<'_>) -> Cost {
        Cost::by_use("storage of images")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Found>) -> Result<Found> {
        if let Some(live) = live {
            return Ok(live.clone());
        }
        let not_yet = || {
            let text = format!("{} cannot be built yet", target.address);
            let error = Error::failed(text).note("its repository does not exist");
            error.at(target.at)
        };
        let spec = spec(target.node)?.ok_or_else(not_yet)?;
        let place = Place::of(&spec, target).ok_or_else(not_yet)?;
        let Made { packed, tag } = Made::of(cx, &spec, target)?;
        let doing = |what: &str| cx.progress.doing(target.address, what);
        let engine = Engine::connect().await?;
        let login = registry::login(cx, place.registry()).await?;
        let name = format!("{}:{tag}", place.uri);
        let build = Build {
            name: &name,
            dockerfile: &spec.dockerfile,
            args: &spec.args,
            target: spec.target.as_deref(),
            platform: &spec.platform,
            secrets: spec.secrets(target)?,
        };
        doing(&format!("building from {} files", packed.files));
        let placed = |error: Error| error.at(target.at);
        let built = engine.build(&build, packed.tar, &login, &doing).await;
        built.map_err(placed)?;
        let pushed = engine.push(&place.uri, &tag, &login, &doing).await;
        // The builder has its own cache; the name would stay on this machine for nothing.
        let untagged = engine.untag(&name).await;
        pushed.map_err(placed)?;
        untagged?;
        let Some(digest) = registry::digest(cx, &place.repository, &tag).await? else {
            let text = format!("`{name}` was pushed, but ECR does not have it");
            return Err(Error::failed(text));
        };
        Ok(found(&place, &tag, &digest))
    }

    async fn remains(&self, cx: &Context, target: Target<'_>) -> Result<Option<Found>> {
        let Some(place) = spec(target.node)?.and_then(|spec| Place::of(&spec, target)) else {
            return Ok(None);
        };
        let begin = begin(&cx.stack, target.address);
        let tags = registry::tags(cx, &place.repository, &begin).await?;
        if tags.is_empty() {
            return Ok(None);
        }
        let left = Left {
            repository: place.repository.clone(),
            begin: begin.clone(),
        };
        let found = found(&place, &begin, "");
        Ok(Some(Found {
            outputs: Outputs::default().with("remains", tags.len()),
            live: Arc::new(left),
            ..found
        }))
    }

    async fn delete(&self, cx: &Context, live: &Found) -> Result<()> {
        let Some(Left { repository, begin }) = live.live.downcast_ref::<Left>() else {
            return Ok(());
        };
        let tags = registry::tags(cx, repository, begin).await?;
        registry::delete(cx, repository, &tags).await
    }

    async fn presence(&self, cx: &Context, ids: &[String]) -> Vec<Presence> {
        let mut answers = Vec::new();
        for id in ids {
            let Some((repository, begin)) = from_id(id) else {
                answers.push(Presence::Unknown(format!("`{id}` is no image's id")));
                continue;
            };
            answers.push(match registry::tags(cx, repository, begin).await {
                Ok(tags) if tags.is_empty() => Presence::Absent,
                Ok(tags) => Presence::Present(format!("{} images", tags.len())),
                Err(error) => Presence::unknown(&error),
            });
        }
        answers
    }
}
