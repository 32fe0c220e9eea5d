//! Machine images that are baked from an instance.

use schemars::JsonSchema;
use serde::Deserialize;

use super::named::with_name;
use super::reference::{HostName, InstanceName};
use crate::aws::ec2::{filter, of_stack, retag};
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, Error, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Part, Presence, Resource, Target, Wanted};

mod bake;
mod clean;
mod delete;
mod listing;

/// Tag key: id of the instance that it was baked from.
const SOURCE: &str = "tidewalk:source";
/// Tag key: the generation that it was baked as.
const GENERATION: &str = "tidewalk:generation";

/// Tag key: `true` while the host's identity is off it; a run that was killed leaves it.
const BAKING: &str = "tidewalk:baking";

/// A machine image (AMI), baked from an instance: other instances start from it by
/// `ami: { image: NAME }`. It is baked again when the instance was made anew, or by another
/// `generation`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The instance that it is baked from
    pub instance: InstanceName,
    /// The entry under `hosts` that is this instance: once it is as it should be, its identity (host
    /// keys, machine id, state of cloud-init) is taken off it while it is baked, and given back. No
    /// two machines of the image then have the same. Without it, the image has the instance's
    /// machine id
    pub host: Option<HostName>,
    /// Name in AWS; without it, made of the stack, the name in the playbook and the generation
    pub name: Option<String>,
    /// Another number bakes a new image
    #[serde(default = "one")]
    pub generation: u32,
    /// AWS shuts the instance down for it and starts it again, so that all files are whole; without,
    /// it keeps running
    #[serde(default)]
    pub reboot: bool,
    /// How many of the latest images are kept, with their snapshots; instances start from the latest
    #[serde(default = "three")]
    #[schemars(range(min = 1))]
    pub keep_images: usize,
}

fn one() -> u32 {
    1
}

fn three() -> usize {
    3
}

/// The images of one address in AWS: the latest one, and the others.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    id: String,
    name: String,
    /// As AWS words it: `available`.
    state: String,
    /// Why it is in that state, when AWS says so.
    reason: Option<String>,
    /// RFC 3339.
    created: String,
    snapshots: Vec<String>,
    tags: Tags,
    /// The others, the latest first.
    older: Vec<Live>,
}

impl Live {
    fn is_usable(&self) -> bool {
        ["available", "pending"].contains(&self.state.as_str())
    }

    /// All images, each by itself.
    fn one_by_one(mut self) -> Vec<Self> {
        let older = std::mem::take(&mut self.older);
        [vec![self], older].concat()
    }

    /// Ids of this one image and its snapshots.
    fn ids(&self) -> Vec<String> {
        let all = std::iter::once(&self.id).chain(&self.snapshots);
        all.cloned().collect()
    }

    /// Those beyond the number that is kept, and those that failed.
    fn surplus(&self, keep: usize) -> impl Iterator<Item = &Live> {
        let mut usable = 1;
        self.older.iter().filter(move |image| {
            usable += usize::from(image.is_usable());
            !image.is_usable() || usable > keep
        })
    }
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.id.as_str())
            .with("name", self.name.as_str())
            .with("created", self.created.as_str())
            .with("snapshot_ids", self.snapshots.clone())
    }

    fn parts(&self) -> Vec<Part> {
        let part = |noun| {
            move |id: &String| Part {
                noun,
                id: id.clone(),
            }
        };
        let older = self.older.iter().map(|image| &image.id);
        let snapshots = std::iter::once(self).chain(&self.older);
        let snapshots = snapshots.flat_map(|image| &image.snapshots);
        let older = older.map(part("ami"));
        older.chain(snapshots.map(part("snapshot"))).collect()
    }
}

impl Resource for Image {
    const KIND: &'static str = "amis";
    const IAM: Iam = Iam {
        discover: &["ec2:DescribeImages"],
        apply: &[
            "ec2:DescribeImages",
            "ec2:DescribeSnapshots",
            "ec2:CreateImage",
            "ec2:DeregisterImage",
            "ec2:DeleteSnapshot",
            "ec2:CreateTags",
            "ec2:DeleteTags",
        ],
        delete: &[
            "ec2:DescribeImages",
            "ec2:DescribeSnapshots",
            "ec2:DeregisterImage",
            "ec2:DeleteSnapshot",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Id of the latest image"),
        ("name", "Its name in AWS"),
        ("created", "When it was baked, RFC 3339"),
        ("snapshot_ids", "Ids of its snapshots"),
    ];
    const ARN: Option<&'static str> = Some("ec2:image/");
    const DELETE_RANK: u8 = 128;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |key: &str| vec![Step::Key(key.to_owned())];
        let mut found = Vec::new();
        // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html
        let allowed = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
        let fits = |name: &String| (3..=128).contains(&name.len()) && name.chars().all(allowed);
        if self.name.as_ref().is_some_and(|name| !fits(name)) {
            let text = "a name of an image has 3 to 128 characters: ASCII letters and digits, \
                        spaces and `()[]./-'@_`";
            found.push((at("name"), text.to_owned()));
        }
        if self.keep_images == 0 {
            found.push((at("keep_images"), "at least 1 image is kept".to_owned()));
        }
        if self.reboot && self.host.is_some() {
            let text = "a host gets its identity back while it runs: write `host` or `reboot: \
                        true`, not both";
            found.push((at("reboot"), text.to_owned()));
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let mut found = listing::images(cx, vec![of_stack(&cx.stack)]).await?;
        let (ids, names): (Vec<_>, Vec<_>) = wanted
            .external
            .iter()
            .partition(|name| name.starts_with("ami-"));
        for (key, values) in [("image-id", ids), ("name", names)] {
            if !values.is_empty() {
                found.extend(listing::images(cx, vec![filter(key, values)]).await?);
            }
        }
        Ok(found)
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let diff = self.baked_again(Diff::default(), live, target);
        let diff = if diff.is_empty() && live.is_usable() {
            diff
        } else {
            let bakes = |diff: Diff, output: &&str| diff.unsettles(output);
            ["id", "name", "created", "snapshot_ids"]
                .iter()
                .fold(diff, bakes)
        };
        let diff = if live.is_usable() {
            diff
        } else {
            diff.field("state", Shown::of(&live.state), Shown::of("available"))
        };
        let failed = live.older.iter().filter(|image| !image.is_usable());
        let failed = Shown::list(failed.map(|image| &image.id));
        let diff = diff.field("failed images", failed, Shown::Absent);
        let count = 1 + live.older.iter().filter(|image| image.is_usable()).count();
        let diff = if count > self.keep_images {
            diff.field("keep_images", Shown::of(count), Shown::of(self.keep_images))
        } else {
            diff
        };
        let diff = if live.tags.is_set(BAKING) {
            diff.field(
                "identity of the host",
                Shown::of("taken off"),
                Shown::of("given back"),
            )
        } else {
            diff
        };
        Ok(tags::diff(diff, &live.tags, &with_name(target)))
    }

    fn cost(&self, _region: &str) -> Cost {
        Cost::by_use("snapshots")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let missing = || {
            Error::playbook(
                format!("instance `{}` does not exist", self.instance.0),
                target.at,
            )
        };
        let source = target.world.id("instances", &self.instance.0);
        let source = source.ok_or_else(missing)?;
        let live = match live {
            Some(live) => Some(live.clone()),
            None => bake::found(cx, target).await?,
        };
        let is_done = |live: &Live| {
            live.is_usable() && self.baked_again(Diff::default(), live, target).is_empty()
        };
        let mut live = match live {
            Some(live) if is_done(&live) => live,
            live => bake::bake(self, cx, target, source, live).await?,
        };
        live = bake::available(cx, target.address, live).await?;
        bake::settle(self, cx, target, source, &mut live).await?;
        for image in live.surplus(self.keep_images) {
            delete::image(cx, target.address, image).await?;
        }
        let gone: Vec<_> = live
            .surplus(self.keep_images)
            .map(|it| it.id.clone())
            .collect();
        live.older.retain(|image| !gone.contains(&image.id));
        let tags = with_name(target);
        for image in std::iter::once(&live).chain(&live.older) {
            retag(&cx.aws, &image.ids(), &image.tags, &tags).await?;
        }
        live.tags.apply(&tags);
        for image in &mut live.older {
            image.tags.apply(&tags);
        }
        Ok(live)
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::all(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        delete::presence(cx, ids).await
    }
}

impl Image {
    /// Adds what only a new image has otherwise.
    fn baked_again(&self, mut diff: Diff, latest: &Live, target: Target<'_>) -> Diff {
        let source = target.world.id("instances", &self.instance.0);
        let old = latest.tags.value(SOURCE);
        if source.is_none() || old != source {
            let new = source.map_or(Shown::AfterApply, Shown::of);
            diff = diff.field("instance", Shown::option(old), new);
        }
        let generation = self.generation.to_string();
        let old = latest.tags.value(GENERATION);
        diff = diff.field("generation", Shown::option(old), Shown::of(generation));
        if let Some(name) = &self.name {
            diff = diff.field("name", Shown::of(&latest.name), Shown::of(name));
        }
        diff
    }
}
