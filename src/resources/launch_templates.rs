//! EC2 launch templates: what fleets start their instances from, in numbered versions.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::instances::ami::{Ami, Release};
use super::instances::root_volume::RootVolume;
use super::instances::user_data;
use super::machine;
use super::named::{self, with_name};
use super::presence::present;
use super::quotas;
use super::reference::{InstanceProfileName, KeyPairName, SecurityGroupName};
use crate::aws::ec2::{filter, of_stack};
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Address, Diff, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted};

mod delete;
mod listing;
mod versions;

/// Tag key: the image as the playbook names it; a newer one of the same release is no difference.
const AMI: &str = "tidewalk:ami";
/// How many of the latest versions are kept.
const KEPT: usize = 10;

/// What instances of a fleet are made from. A change makes a new version, which becomes the default
/// one; the ten latest are kept
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaunchTemplate {
    /// Name in AWS; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Image: an id (`ami-…`), a release such as `{ ubuntu: "22.04" }`, of which the newest image is
    /// taken when a version is made, or one of `amis`, `{ image: NAME }`, whose every new bake makes
    /// a new version
    pub ami: Ami,
    /// Instance type, such as `t3a.small`
    pub instance_type: String,
    /// Key pair for the first login
    pub key_pair: Option<KeyPairName>,
    /// Security groups; the VPC's default one, if none is given
    #[serde(default)]
    pub security_groups: Vec<SecurityGroupName>,
    /// Name of an instance profile, whose role the instances have
    pub instance_profile: Option<InstanceProfileName>,
    /// The disk that they start from
    #[serde(default)]
    #[schemars(transform = versioned)]
    pub root_volume: RootVolume,
    /// What runs at the first boot: a script or cloud-config
    pub user_data: Option<String>,
    /// Detailed monitoring, every minute; AWS charges for it
    #[serde(default)]
    pub monitoring: bool,
}

/// Nothing of a template is made anew: it gets another version.
fn versioned(schema: &mut Schema) {
    let fields = schema.get_mut("properties");
    let fields = fields.and_then(serde_json::Value::as_object_mut);
    for field in fields.into_iter().flat_map(serde_json::Map::values_mut) {
        if let Some(field) = field.as_object_mut() {
            field.remove("x-fixed");
        }
    }
}

/// A launch template in AWS, with its default version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    id: String,
    name: String,
    /// Number of the default version.
    version: i64,
    /// Number of the latest version.
    latest: i64,
    image_id: String,
    instance_type: String,
    /// Name in AWS.
    key_pair: Option<String>,
    /// Ids, sorted.
    security_groups: Vec<String>,
    instance_profile: Option<String>,
    root: Root,
    /// Hash of the user data.
    user_data: Option<String>,
    monitoring: bool,
    /// The metadata service answers without a session token (`IMDSv1`).
    tokens_optional: bool,
    /// What its instances and volumes are tagged with.
    launch_tags: Tags,
    tags: Tags,
}

/// The root volume of a version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Root {
    size_gib: Option<i32>,
    #[serde(rename = "type")]
    volume_type: String,
    encrypted: bool,
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
            .with("version", self.version)
            .with("image_id", self.image_id.as_str())
    }
}

impl Resource for LaunchTemplate {
    const KIND: &'static str = "launch_templates";
    const IAM: Iam = Iam {
        discover: &[
            "ec2:DescribeLaunchTemplates",
            "ec2:DescribeLaunchTemplateVersions",
        ],
        apply: &[
            "ec2:DescribeLaunchTemplates",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:DescribeImages",
            "ec2:CreateLaunchTemplate",
            "ec2:CreateLaunchTemplateVersion",
            "ec2:ModifyLaunchTemplate",
            "ec2:DeleteLaunchTemplateVersions",
            "ec2:CreateTags",
            "ec2:DeleteTags",
        ],
        delete: &["ec2:DeleteLaunchTemplate", "ec2:DescribeLaunchTemplates"],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Id in AWS"),
        ("name", "Name in AWS"),
        ("version", "Number of its default version"),
        ("image_id", "Id of the image of that version"),
    ];
    const ARN: Option<&'static str> = Some("ec2:launch-template/");
    const DELETE_RANK: u8 = 84;
    const QUOTA: Option<Quota> = Some(quotas::LAUNCH_TEMPLATES);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |key: &str| vec![Step::Key(key.to_owned())];
        let mut found = machine::problems(&self.ami, &self.instance_type, &self.root_volume);
        // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
        let allowed = |c: char| c.is_ascii_alphanumeric() || "().-/_".contains(c);
        let fits = |name: &String| (3..=128).contains(&name.len()) && name.chars().all(allowed);
        if self.name.as_ref().is_some_and(|name| !fits(name)) {
            let text = "a name of a launch template has 3 to 128 characters: ASCII letters and \
                        digits and `().-/_`";
            found.push((at("name"), text.to_owned()));
        }
        let user_data = self.user_data.as_ref();
        if user_data.is_some_and(|text| text.len() > user_data::LONGEST) {
            let text = format!("user data has at most {} bytes", user_data::LONGEST);
            found.push((at("user_data"), text));
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let mut found = listing::templates(cx, vec![of_stack(&cx.stack)]).await?;
        let (ids, names): (Vec<_>, Vec<_>) = wanted
            .external
            .iter()
            .partition(|name| name.starts_with("lt-"));
        if !names.is_empty() {
            let filters = vec![filter("launch-template-name", names)];
            found.extend(listing::templates(cx, filters).await?);
        }
        if !ids.is_empty() {
            found.extend(listing::by_ids(cx, ids.into_iter().cloned().collect()).await?);
        }
        listing::read_defaults(cx, found).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let name = named::name_of(self.name.as_ref(), target);
        let diff = Diff::default().fixed("name", Shown::of(&live.name), Shown::of(name));
        let versioned = self.version_diff(live, target);
        let diff = if versioned.is_empty() {
            diff
        } else {
            let mut diff = diff.unsettles("version").unsettles("image_id");
            diff.changes.extend(versioned.changes);
            diff
        };
        Ok(tags::diff(diff, &live.tags, &with_name(target)))
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        versions::apply(self, cx, target, live).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let list = |ids| listing::by_ids(cx, ids);
        present(ids, list, |live| (live.id, live.name)).await
    }
}

impl LaunchTemplate {
    /// What only a new version has otherwise.
    fn version_diff(&self, live: &Live, target: Target<'_>) -> Diff {
        let mut diff = self.image_diff(Diff::default(), live, target).field(
            "instance_type",
            Shown::of(&live.instance_type),
            Shown::of(&self.instance_type),
        );
        let key = machine::key_shown(self.key_pair.as_ref(), live.key_pair.as_ref(), target);
        if let Some((old, new)) = key {
            diff = diff.field("key_pair", old, new);
        }
        let groups = &self.security_groups;
        if let Some((old, new)) = machine::groups_shown(groups, &live.security_groups, target) {
            diff = diff.field("security_groups", old, new);
        }
        let profile = self.instance_profile.as_ref();
        let (old, new) = machine::profile_shown(profile, live.instance_profile.as_ref(), target);
        let hash = self.user_data.as_deref().map(user_data::hash);
        let shown = |hash| machine::user_data_shown(hash, target);
        let root = &self.root_volume;
        let tokens = |optional| if optional { "optional" } else { "required" };
        diff = diff
            .field("instance_profile", old, new)
            .field(
                "root_volume.size_gib",
                Shown::option(live.root.size_gib),
                Shown::option(root.size_gib),
            )
            .field(
                "root_volume.type",
                Shown::of(&live.root.volume_type),
                Shown::of(&root.volume_type),
            )
            .field(
                "root_volume.encrypted",
                Shown::of(live.root.encrypted),
                Shown::of(root.encrypted),
            )
            .field(
                "user_data",
                shown(live.user_data.as_deref()),
                shown(hash.as_deref()),
            )
            .field(
                "monitoring",
                Shown::of(live.monitoring),
                Shown::of(self.monitoring),
            )
            .field(
                "metadata http_tokens",
                Shown::of(tokens(live.tokens_optional)),
                Shown::of(tokens(false)),
            );
        let words = |tags: &Tags| {
            let tags = tags.0.iter().map(|(key, value)| format!("{key}={value}"));
            Shown::list(tags)
        };
        let wanted = launch_tags(target);
        diff.field(
            "tags of instances",
            words(&live.launch_tags),
            words(&wanted),
        )
    }

    fn image_diff(&self, diff: Diff, live: &Live, target: Target<'_>) -> Diff {
        let wanted = self.ami.to_string();
        let old = live.tags.value(AMI).unwrap_or(&wanted);
        if let (Release::Image(image), true) = (&self.ami.0, old == wanted) {
            let address = Address::new("amis", &image.0);
            let id = target.world.settled(&address, "id");
            return match id.and_then(serde_json::Value::as_str) {
                Some(id) => diff.field("ami", Shown::of(&live.image_id), Shown::of(id)),
                None => diff.field("ami", Shown::of(&live.image_id), Shown::AfterApply),
            };
        }
        diff.field("ami", Shown::of(old), Shown::of(&wanted))
    }
}

/// The user's own tags: what is launched by hand is not the stack's.
fn launch_tags(target: Target<'_>) -> Tags {
    let mut tags = with_name(target);
    tags.0.retain(|key, _| !key.starts_with("tidewalk:"));
    tags
}
