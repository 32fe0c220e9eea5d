//! ECR repositories of container images, with what expires in them and who may use them.

use std::time::Duration;

use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability, Tag,
};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;

use self::document::Document;
use super::apart::{Apart, has, is_asked, remembered};
use super::{named, quotas};
use crate::aws::tags::STACK;
use crate::aws::{Poll, Tags, Wait, is_code, refused, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, Error, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted};

mod change;
mod document;
mod lifecycle;
mod listing;

const ARN: &str = "ecr:repository/";
const NOT_FOUND: &str = "RepositoryNotFoundException";

/// An ECR repository of container images
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Name in AWS, 2 to 256 lower-case letters, digits and `. _ - /`; without it, the name in the
    /// playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Look for known vulnerabilities in every image that is pushed
    #[serde(default)]
    pub scan_on_push: bool,
    /// A tag that was pushed once stays with its image
    #[serde(default)]
    pub immutable_tags: bool,
    /// Images that are kept: when there are more, ECR deletes the oldest within a day. Without it
    /// and `lifecycle_policy`, none is deleted; what somebody else set is not looked at
    #[schemars(range(min = 1))]
    pub keep_images: Option<u32>,
    /// Lifecycle policy of one's own instead of `keep_images`, as AWS documents it: a mapping, or
    /// its JSON text
    pub lifecycle_policy: Option<Document>,
    /// Who else may pull and push: the repository's policy document, a mapping or its JSON text.
    /// Without it, what somebody else set is not looked at
    pub policy: Option<Document>,
    /// KMS key that encrypts the images: id, ARN or `alias/NAME`. Without it, ECR encrypts with a
    /// key of its own, at no charge
    #[schemars(extend("x-fixed" = true))]
    pub encryption_key: Option<String>,
}

/// A repository in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    name: String,
    arn: String,
    uri: String,
    scan_on_push: bool,
    /// As AWS words it: `MUTABLE`.
    mutability: String,
    lifecycle_policy: Option<Document>,
    policy: Option<Document>,
    /// The key's ARN, `None` for ECR's own.
    encryption_key: Option<String>,
    /// The key's aliases.
    aliases: Vec<String>,
    tags: Tags,
}

const LIFECYCLE: Apart = ("lifecycle", |node| {
    has(node, "keep_images") || has(node, "lifecycle_policy")
});
const POLICY: Apart = ("policy", |node| has(node, "policy"));

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.name
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.name.as_str())
            .with("name", self.name.as_str())
            .with("arn", self.arn.as_str())
            .with("uri", self.uri.as_str())
    }
}

impl Resource for Repository {
    const KIND: &'static str = "repositories";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "ecr:DescribeRepositories",
            "ecr:ListTagsForResource",
            "ecr:GetLifecyclePolicy",
            "ecr:GetRepositoryPolicy",
            "kms:ListAliases",
        ],
        apply: &[
            "ecr:DescribeRepositories",
            "ecr:ListTagsForResource",
            "ecr:GetLifecyclePolicy",
            "ecr:GetRepositoryPolicy",
            "kms:ListAliases",
            "ecr:CreateRepository",
            "ecr:PutImageScanningConfiguration",
            "ecr:PutImageTagMutability",
            "ecr:PutLifecyclePolicy",
            "ecr:DeleteLifecyclePolicy",
            "ecr:SetRepositoryPolicy",
            "ecr:DeleteRepositoryPolicy",
            "ecr:TagResource",
            "ecr:UntagResource",
        ],
        delete: &["ecr:DeleteRepository", "ecr:DescribeRepositories"],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Name in AWS"),
        ("name", "Name in AWS"),
        ("arn", "Amazon resource name"),
        ("uri", "What images in it are called, without their tag"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 132;
    const QUOTA: Option<Quota> = Some(quotas::REPOSITORIES);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = Vec::new();
        if self.name.as_ref().is_some_and(|name| !is_name(name)) {
            let text = "a repository's name is 2 to 256 lower-case letters and digits, with \
                        single `.`, `_`, `-` or `/` between them";
            problems.push((at("name"), text.to_owned()));
        }
        if self.keep_images == Some(0) {
            problems.push((at("keep_images"), "at least 1 image is kept".to_owned()));
        }
        if self.keep_images.is_some() && self.lifecycle_policy.is_some() {
            let text = "a repository takes `keep_images` or `lifecycle_policy`, not both";
            problems.push((at("lifecycle_policy"), text.to_owned()));
        }
        problems
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let names = named::names(cx, wanted, ARN).await?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        // Asked by names, ECR refuses all when one is missing: so all are listed.
        let all = listing::all(cx).await?.into_iter();
        let found = all.filter(|live| names.contains(&live.name));
        try_join_all(found.map(|mut live| async {
            let arn = live.arn.clone();
            let ask = || listing::tags_of(cx, &arn);
            live.tags = named::tags(cx, wanted, &live.arn, ask).await?;
            if live.tags.value(STACK) == Some(&cx.stack) {
                let lifecycle = is_asked(wanted, &live.tags, LIFECYCLE);
                let policy = is_asked(wanted, &live.tags, POLICY);
                listing::settings(cx, &mut live, lifecycle, policy).await?;
            }
            Ok(live)
        }))
        .await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let name = named::name_of(self.name.as_ref(), target);
        let (kept, other) = lifecycle::sorted(live.lifecycle_policy.as_ref());
        let wanted = self.wanted_lifecycle();
        let (keep, own) = lifecycle::sorted(wanted.as_ref());
        let diff = Diff::default()
            .fixed("name", Shown::of(&live.name), Shown::of(name))
            .field(
                "scan_on_push",
                Shown::of(live.scan_on_push),
                Shown::of(self.scan_on_push),
            )
            .field(
                "immutable_tags",
                Shown::of(live.immutable_tags()),
                Shown::of(self.immutable_tags),
            )
            .field("keep_images", Shown::option(kept), Shown::option(keep))
            .field("lifecycle_policy", Shown::option(other), Shown::option(own))
            .field(
                "policy",
                Shown::option(live.policy.as_ref()),
                Shown::option(self.policy.as_ref()),
            )
            .fixed(
                "encryption_key",
                Shown::option(live.key_like(self.encryption_key.as_deref())),
                Shown::option(self.encryption_key.as_deref()),
            );
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, _region: &str) -> Cost {
        Cost::by_use("storage of images")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            Some(live) => live.clone(),
            None => self.created(cx, target).await?,
        };
        change::scanning(cx, &mut live, self.scan_on_push).await?;
        change::mutability(cx, &mut live, self.immutable_tags).await?;
        change::lifecycle(cx, &mut live, self.wanted_lifecycle()).await?;
        change::policy(cx, &mut live, self.policy.as_ref()).await?;
        let tags = remembered(target, &[LIFECYCLE, POLICY]);
        change::tags(cx, &mut live, &tags).await?;
        Ok(live)
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        let call = cx.aws.ecr.delete_repository().repository_name(&live.name);
        let gone = call.force(true).send().await;
        match gone.map_err(refused("ecr:DeleteRepository")) {
            Err(error) if !is_code(&error, NOT_FOUND) => Err(error),
            _ => Ok(()),
        }
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let all = match listing::all(cx).await {
            Ok(all) => all,
            Err(error) => {
                let unknown = Presence::unknown(&error);
                return vec![unknown; ids.len()];
            }
        };
        let answer = |id: &String| match all.iter().find(|live| live.name == *id) {
            Some(live) => Presence::Present(live.uri.clone()),
            None => Presence::Absent,
        };
        ids.iter().map(answer).collect()
    }
}

impl Repository {
    fn wanted_lifecycle(&self) -> Option<Document> {
        match self.keep_images {
            Some(count) => Some(lifecycle::keeping(count)),
            None => self.lifecycle_policy.clone(),
        }
    }

    async fn created(&self, cx: &Context, target: Target<'_>) -> Result<Live> {
        let name = named::name_of(self.name.as_ref(), target);
        let scanning = ImageScanningConfiguration::builder().scan_on_push(self.scan_on_push);
        let call = cx.aws.ecr.create_repository().repository_name(&name);
        let call = call.image_scanning_configuration(scanning.build());
        let call = call.image_tag_mutability(mutability(self.immutable_tags));
        let call = call.set_encryption_configuration(self.encryption()?);
        let tags = remembered(target, &[LIFECYCLE, POLICY]);
        let made = call.set_tags(Some(sdk_tags(&tags.0)?)).send().await;
        match made.map_err(refused("ecr:CreateRepository")) {
            Ok(made) => {
                let mut live = made.repository.map(Live::from).unwrap_or_default();
                live.tags = tags;
                Ok(live)
            }
            // An answer was lost, or somebody has a repository of that name.
            Err(error) if is_code(&error, "RepositoryAlreadyExistsException") => {
                let wait = Wait::new(
                    format!("repository `{name}` to be visible"),
                    Duration::from_mins(2),
                    &|_| {},
                );
                let there = wait.until(async || match listing::one(cx, &name).await? {
                    Some(live) => Ok(Poll::Ready(live)),
                    None => Ok(Poll::Pending("not visible yet".to_owned())),
                });
                let mut live = there.await?;
                live.tags = listing::tags_of(cx, &live.arn).await?;
                named::must_be_ours("repository", &name, &live.tags, target)?;
                listing::settings(cx, &mut live, true, true).await?;
                Ok(live)
            }
            Err(error) => Err(error),
        }
    }

    fn encryption(&self) -> Result<Option<EncryptionConfiguration>> {
        let Some(key) = &self.encryption_key else {
            return Ok(None);
        };
        let encryption = EncryptionConfiguration::builder()
            .encryption_type(EncryptionType::Kms)
            .kms_key(key);
        encryption.build().map(Some).map_err(incomplete)
    }
}

impl Live {
    fn immutable_tags(&self) -> String {
        match self.mutability.as_str() {
            "MUTABLE" | "" => "false".to_owned(),
            "IMMUTABLE" => "true".to_owned(),
            other => other.to_lowercase().replace('_', " "),
        }
    }

    /// The key as `wanted` calls it, when both are the same one.
    fn key_like<'a>(&'a self, wanted: Option<&'a str>) -> Option<&'a str> {
        let key = self.encryption_key.as_deref()?;
        let same = |wanted: &&str| {
            key.ends_with(&format!(":key/{wanted}")) || self.aliases.iter().any(|it| it == wanted)
        };
        Some(wanted.filter(same).unwrap_or(key))
    }
}

fn mutability(immutable: bool) -> ImageTagMutability {
    if immutable {
        ImageTagMutability::Immutable
    } else {
        ImageTagMutability::Mutable
    }
}

fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Result<Vec<Tag>> {
    let tags = tags.into_iter();
    tags.map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(incomplete)
}

fn incomplete(error: impl std::fmt::Display) -> Error {
    Error::failed(error.to_string())
}

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html>
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| !part.is_empty() && part.chars().all(plain);
    (2..=256).contains(&name.len()) && name.split(['.', '_', '-', '/']).all(part)
}
