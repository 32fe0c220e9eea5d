//! EC2 instances.

use schemars::JsonSchema;
use serde::Deserialize;

use super::machine;
use super::named::with_name;
use super::reference::{InstanceProfileName, KeyPairName, NetworkName, SecurityGroupName};
use crate::aws::ec2::{filter, of_stack};
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, OutputMeaning, Outputs, Result};
use crate::contract::{Beside, Context, Iam, Part, Presence, Resource, Target, Wanted};

pub mod ami;
mod change;
mod delete;
mod difference;
mod launch;
mod listing;
mod power;
mod price;
pub mod root_volume;
pub mod user_data;

pub use listing::Live;

use ami::Ami;
use root_volume::RootVolume;

/// Tag key: the image as the playbook names it; a newer one of the same release is no difference.
const AMI: &str = "tidewalk:ami";
/// Tag key: hash of the user's own user data.
const USER_DATA: &str = "tidewalk:user-data";
/// Tag key: `true` when termination protection is on.
const PROTECTION: &str = "tidewalk:termination-protection";
/// Tag key: type and size of the root volume, `gp3 8`, for what it costs where only the instance is
/// looked at.
const ROOT_VOLUME: &str = "tidewalk:root-volume";

/// A virtual machine
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Image: an id (`ami-…`), or a release such as `{ ubuntu: "22.04" }`, of which the newest
    /// image is taken when the instance is made; or one of `amis`, `{ image: NAME }`
    #[schemars(extend("x-fixed" = true))]
    pub ami: Ami,
    /// Instance type, such as `t3a.small`; a change stops and starts the instance
    #[schemars(extend("x-fixed" = "the processor is of another architecture"))]
    pub instance_type: String,
    /// Key pair for the first login
    #[schemars(extend("x-fixed" = true))]
    pub key_pair: Option<KeyPairName>,
    /// Security groups; the VPC's default one, if none is given
    #[serde(default)]
    pub security_groups: Vec<SecurityGroupName>,
    /// The network that it is in, in its first subnet: declared in the playbook, or the id or name
    /// of an existing VPC. Without it, the region's default VPC
    #[schemars(extend("x-fixed" = true))]
    pub network: Option<NetworkName>,
    /// Id of the subnet, instead of `network`
    #[schemars(extend("x-fixed" = true))]
    pub subnet: Option<String>,
    /// The role that the instance has: a name under `roles`, with `instance_profile: true` there;
    /// else the name of an existing role or instance profile, or the ARN of an instance profile
    pub instance_profile: Option<InstanceProfileName>,
    /// The disk that it starts from
    #[serde(default)]
    pub root_volume: RootVolume,
    /// What runs at the first boot: a script or cloud-config
    #[schemars(extend("x-fixed" = true))]
    pub user_data: Option<String>,
    /// `running` or `stopped`; a stopped one keeps its disks and costs only those
    #[serde(default)]
    #[schemars(extend("default" = "running"))]
    pub state: State,
    /// Refuse to terminate the instance until this is `false` again
    #[serde(default)]
    pub termination_protection: bool,
    /// Detailed monitoring, every minute; AWS charges for it
    #[serde(default)]
    pub monitoring: bool,
}

/// Whether an instance runs
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It runs.
    #[default]
    Running,
    /// It is stopped, keeps its disks, and costs only those.
    Stopped,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
        }
    }
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> Option<&str> {
        self.tags.value("Name")
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.id.as_str())
            .with("public_ip", self.public_ip.as_deref())
            .with("private_ip", self.private_ip.as_deref())
            .with("public_dns", self.public_dns.as_deref())
            .with("private_dns", self.private_dns.as_deref())
            .with("state", self.state.as_str())
            .with("availability_zone", self.availability_zone.as_str())
            .with("host_key", self.tags.value(tags::HOST_KEY))
            .with("key_pair", self.key_pair.as_deref())
            .with("image_id", self.image_id.as_str())
            .with("launch_time", self.launched.as_str())
    }

    fn parts(&self) -> Vec<Part> {
        // The root volume is ours even where somebody made it stay; other volumes that stay are not.
        let is_root = |volume: &listing::Attached| volume.device == self.root_device;
        let volumes = self.volumes.iter();
        let going = volumes.filter(|volume| volume.delete_on_termination || is_root(volume));
        let volumes = going.map(|volume| Part {
            noun: "volume",
            id: volume.id.clone(),
        });
        let interfaces = self.interfaces.iter().map(|id| Part {
            noun: "network interface",
            id: id.clone(),
        });
        volumes.chain(interfaces).collect()
    }

    fn cost(&self, region: &str) -> Option<Cost> {
        Some(price::now(self, region))
    }
}

impl Resource for Instance {
    const KIND: &'static str = "instances";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "ec2:DescribeInstances",
            "ec2:DescribeVolumes",
        ],
        apply: &[
            "ec2:DescribeInstances",
            "ec2:DescribeImages",
            "ec2:RunInstances",
            "ec2:CreateTags",
            "ec2:DeleteTags",
            "ec2:ModifyInstanceAttribute",
            "ec2:ModifyInstanceMetadataOptions",
            "ec2:ModifyVolume",
            "ec2:MonitorInstances",
            "ec2:UnmonitorInstances",
            "ec2:StartInstances",
            "ec2:StopInstances",
            "ec2:DescribeIamInstanceProfileAssociations",
            "ec2:AssociateIamInstanceProfile",
            "ec2:DisassociateIamInstanceProfile",
            "ec2:ReplaceIamInstanceProfileAssociation",
            "iam:PassRole",
        ],
        delete: &[
            "ec2:DescribeTags",
            "ec2:TerminateInstances",
            "ec2:DescribeInstances",
            "ec2:DescribeVolumes",
            "ec2:DescribeNetworkInterfaces",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Id in AWS"),
        (
            "public_ip",
            "Public address; its elastic IP where it has one",
        ),
        ("private_ip", "Address within the VPC"),
        ("public_dns", "Public DNS name"),
        ("private_dns", "DNS name within the VPC"),
        ("state", "`running`, `stopped` or a state in between"),
        (
            "availability_zone",
            "Availability zone, such as `eu-west-1a`",
        ),
        ("host_key", "Public host key that connections are pinned to"),
        ("key_pair", "Name in AWS of its key pair"),
        ("image_id", "Id of its image"),
        ("launch_time", "When it was last started, RFC 3339"),
    ];
    const ARN: Option<&'static str> = Some("ec2:instance/");
    const DELETE_RANK: u8 = 104;
    const DELETE_SEES_IT_GONE: bool = true;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |key: &str| vec![Step::Key(key.to_owned())];
        let mut found = machine::problems(&self.ami, &self.instance_type, &self.root_volume);
        if self.network.is_some() && self.subnet.is_some() {
            let text = "write `network` or `subnet`, not both";
            found.push((at("subnet"), text.to_owned()));
        }
        if self
            .user_data
            .as_ref()
            .is_some_and(|text| text.len() > user_data::LONGEST)
        {
            let text = format!("user data has at most {} bytes", user_data::LONGEST);
            found.push((at("user_data"), text));
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let alive = || filter("instance-state-name", listing::ALIVE);
        let owned = async {
            let instances = listing::instances(cx, vec![of_stack(&cx.stack), alive()]);
            if wanted.for_deletion {
                let tagged = wanted.tagged.of(&cx.aws, &cx.stack);
                let (instances, tagged) = futures::try_join!(instances, tagged)?;
                cx.aws.shared::<delete::Seen>().note(tagged);
                return Ok(instances);
            }
            let volumes = listing::volumes(cx, vec![of_stack(&cx.stack)]);
            let (mut instances, volumes) = futures::try_join!(instances, volumes)?;
            for live in &mut instances {
                live.find_root(&volumes);
            }
            Ok(instances)
        };
        let mut found = owned.await?;
        // Those of fleets carry their fleet's address.
        found.retain(|live: &Live| {
            let owner = live.tags.owner();
            owner.is_none_or(|owner| owner.address.kind == Self::KIND)
        });
        let (ids, names): (Vec<_>, Vec<_>) = wanted
            .external
            .iter()
            .partition(|name| name.starts_with("i-"));
        for (key, values) in [("instance-id", ids), ("tag:Name", names)] {
            if !values.is_empty() {
                let external = listing::instances(cx, vec![filter(key, values), alive()]);
                found.extend(external.await?);
            }
        }
        Ok(found)
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        Ok(difference::diff(self, live, target))
    }

    fn cost(&self, region: &str) -> Cost {
        price::wanted(self, region, false)
    }

    fn cost_with(&self, region: &str, beside: &Beside<'_>) -> Cost {
        let elastic = beside.attached.iter().any(|it| it.kind == "elastic_ips");
        price::wanted(self, region, elastic)
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let live = match live {
            Some(live) => live.clone(),
            None => Box::pin(launch::found_or_launched(self, cx, target)).await?,
        };
        change::apply(self, cx, target, live).await
    }

    async fn ready(&self, cx: &Context, target: Target<'_>) -> Result<()> {
        let image = self.ami.look_up(cx, target, &self.instance_type).await;
        image.map(|_| ())
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        delete::presence(cx, ids).await
    }
}

impl Instance {
    /// The tags it should carry, and what the instance alone remembers.
    fn instance_tags(&self, target: Target<'_>) -> Tags {
        let mut tags = with_name(target);
        tags.0.insert(AMI.to_owned(), self.ami.to_string());
        if let Some(text) = &self.user_data {
            tags.0.insert(USER_DATA.to_owned(), user_data::hash(text));
        }
        let protection = self.termination_protection.to_string();
        tags.0.insert(PROTECTION.to_owned(), protection);
        let size = self.root_volume.size_gib.or_else(|| self.ami.root_gib());
        if let Some(gib) = size {
            let root = format!("{} {gib}", self.root_volume.volume_type);
            tags.0.insert(ROOT_VOLUME.to_owned(), root);
        }
        tags
    }
}
