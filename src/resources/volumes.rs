//! EBS volumes: disks that outlive the instance that they are attached to.

use aws_sdk_ec2::types::Volume as SdkVolume;
use schemars::JsonSchema;
use serde::Deserialize;

use super::named::with_name;
use super::presence::present;
use super::reference::{AttachedInstanceName, KeyName, named};
use crate::aws::ec2::{filter, of_stack, retag};
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Address, Cost, Diff, Error, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Presence, Resource, Target, Wanted};

mod attachment;
mod change;
mod creation;
mod listing;
pub mod performance;

/// What gp3 gives without being asked, operations a second.
const GP3_IOPS: i32 = 3000;
/// What gp3 gives without being asked, MiB a second.
const GP3_THROUGHPUT: i32 = 125;

/// A disk (EBS volume) that an instance can have beside the one that it starts from, and that stays
/// when the instance goes
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Size in GiB; without it, the snapshot's. It grows in place (then grow the file system); a
    /// smaller one is made anew, empty
    #[schemars(range(min = 1, max = 65536), extend("x-fixed" = "it shrinks"))]
    pub size_gib: Option<i32>,
    /// Volume type: `gp3` or `gp2` (general purpose), `io1` or `io2` (fast), `st1` or `sc1` (large
    /// and slow), `standard` (old)
    #[serde(default = "gp3")]
    pub volume_type: String,
    /// Operations a second; gp3 has 3000 if not given, io1 and io2 need it, others have none to set
    pub iops: Option<i32>,
    /// MiB a second, for gp3; 125 if not given
    pub throughput: Option<i32>,
    /// Encrypted at rest
    #[serde(default = "yes")]
    #[schemars(extend("x-fixed" = true))]
    pub encrypted: bool,
    /// KMS key that it is encrypted with; without it, the account's own for EBS
    #[schemars(extend("x-fixed" = true))]
    pub key: Option<KeyName>,
    /// Availability zone, such as `eu-west-1a`; without it, its instance's, or the region's first.
    /// A volume can be attached only to an instance of its zone
    #[schemars(extend("x-fixed" = true))]
    pub zone: Option<String>,
    /// Id of the snapshot (`snap-…`) that its first content comes from
    #[schemars(extend("x-fixed" = true))]
    pub snapshot: Option<String>,
    /// The instance that it is attached to
    pub instance: Option<AttachedInstanceName>,
    /// The device that the instance gets it as; Linux shows it as `/dev/nvme1n1` or the like
    #[serde(default = "sdf")]
    pub device: String,
}

fn gp3() -> String {
    "gp3".to_owned()
}

fn yes() -> bool {
    true
}

fn sdf() -> String {
    "/dev/sdf".to_owned()
}

/// A volume in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    id: String,
    /// As AWS words it: `available`, `in-use`.
    state: String,
    size_gib: i32,
    volume_type: String,
    iops: Option<i32>,
    throughput: Option<i32>,
    encrypted: bool,
    /// ARN of the KMS key.
    key: Option<String>,
    zone: String,
    snapshot: Option<String>,
    attached: Option<Attached>,
    tags: Tags,
}

/// Where a volume is attached.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Attached {
    instance: String,
    device: String,
    /// As AWS words it: `attached`.
    state: String,
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
        let attached = self.attached.as_ref();
        Outputs::default()
            .with("id", self.id.as_str())
            .with("size_gib", self.size_gib)
            .with("zone", self.zone.as_str())
            .with("instance_id", attached.map(|it| it.instance.as_str()))
            .with("device", attached.map(|it| it.device.as_str()))
    }
}

impl Resource for Volume {
    const KIND: &'static str = "volumes";
    const IAM: Iam = Iam {
        discover: &["ec2:DescribeVolumes"],
        apply: &[
            "ec2:DescribeVolumes",
            "ec2:DescribeAvailabilityZones",
            "ec2:CreateVolume",
            "ec2:ModifyVolume",
            "ec2:AttachVolume",
            "ec2:DetachVolume",
            "ec2:CreateTags",
            "ec2:DeleteTags",
            // AWS checks these when a volume is encrypted with a key of the account's own.
            "kms:CreateGrant",
            "kms:DescribeKey",
            "kms:GenerateDataKeyWithoutPlaintext",
        ],
        delete: &[
            "ec2:DescribeVolumes",
            "ec2:DetachVolume",
            "ec2:DeleteVolume",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Id in AWS"),
        ("size_gib", "Size in GiB"),
        ("zone", "Availability zone"),
        ("instance_id", "Id of the instance that it is attached to"),
        ("device", "Device that it is attached as"),
    ];
    const ARN: Option<&'static str> = Some("ec2:volume/");
    const DELETE_RANK: u8 = 108;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |key: &str| vec![Step::Key(key.to_owned())];
        let mut found: Vec<_> = performance::problems(self)
            .into_iter()
            .map(|(key, text)| (at(key), text))
            .collect();
        let snapshot = self.snapshot.as_deref();
        if snapshot.is_some_and(|id| !id.starts_with("snap-")) {
            let text = "a snapshot is named by its id, `snap-…`";
            found.push((at("snapshot"), text.to_owned()));
        }
        if self.key.is_some() && !self.encrypted {
            let text = "a volume with a key is encrypted: leave `encrypted: false` out";
            found.push((at("key"), text.to_owned()));
        }
        if !self.device.starts_with("/dev/") {
            let text = "a device begins with `/dev/`: AWS proposes `/dev/sdf` to `/dev/sdp`";
            found.push((at("device"), text.to_owned()));
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let mut found = listing::volumes(cx, vec![of_stack(&cx.stack)]).await?;
        // Root volumes carry their instance's address.
        found.retain(|live| {
            let owner = live.tags.owner();
            owner.is_none_or(|owner| owner.address.kind == Self::KIND)
        });
        let (ids, names): (Vec<_>, Vec<_>) = wanted
            .external
            .iter()
            .partition(|name| name.starts_with("vol-"));
        for (key, values) in [("volume-id", ids), ("tag:Name", names)] {
            if !values.is_empty() {
                found.extend(listing::volumes(cx, vec![filter(key, values)]).await?);
            }
        }
        Ok(found)
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let diff = self.made_anew(Diff::default(), live, target);
        let diff = performance::diff(diff, self, live);
        let attached = live.attached.as_ref();
        let old = attached.map(|it| named(target.world, "instances", &it.instance));
        let id = |name: &AttachedInstanceName| target.world.id("instances", &name.0);
        let same = |name: &AttachedInstanceName| {
            id(name).is_some_and(|id| attached.is_some_and(|it| it.instance == id))
        };
        let new = match &self.instance {
            None => Shown::Absent,
            Some(name) if id(name).is_none() => Shown::AfterApply,
            Some(name) => Shown::of(&name.0),
        };
        let moves = |diff: Diff, field: &str, old: Shown, new: Shown| match (attached, &old) {
            (Some(_), _) => diff.interrupting(field, old, new, "detaches the volume"),
            (None, _) => diff.field(field, old, new),
        };
        let diff = match &self.instance {
            Some(name) if same(name) => diff,
            _ => moves(diff, "instance", Shown::option(old), new),
        };
        let diff = match attached {
            Some(it) if self.instance.is_some() => moves(
                diff,
                "device",
                Shown::of(&it.device),
                Shown::of(&self.device),
            ),
            _ => diff,
        };
        let diff = if diff
            .changes
            .iter()
            .any(|it| ["instance", "device"].contains(&it.field.as_str()))
        {
            diff.unsettles("instance_id").unsettles("device")
        } else {
            diff
        };
        Ok(tags::diff(diff, &live.tags, &with_name(target)))
    }

    fn cost(&self, region: &str) -> Cost {
        performance::cost(self, region)
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let live = match live {
            Some(live) => live.clone(),
            None => creation::found_or_made(self, cx, target).await?,
        };
        let live = change::apply(self, cx, target, live).await?;
        let instance = match &self.instance {
            None => None,
            Some(name) => Some(target.world.id("instances", &name.0).ok_or_else(|| {
                Error::playbook(format!("instance `{}` does not exist", name.0), target.at)
            })?),
        };
        let mut live = attachment::bring(cx, target.address, live, instance, &self.device).await?;
        let tags = with_name(target);
        retag(&cx.aws, std::slice::from_ref(&live.id), &live.tags, &tags).await?;
        live.tags.apply(&tags);
        Ok(live)
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        let address = match live.tags.owner() {
            Some(owner) => owner.address,
            None => Address::new(Self::KIND, &live.id),
        };
        attachment::delete(cx, &address, &live.id).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let by_id = |ids| listing::volumes(cx, vec![filter::<String>("volume-id", ids)]);
        present(ids, by_id, |live| (live.id, live.state)).await
    }
}

impl Volume {
    /// Adds what only a new volume can have otherwise.
    fn made_anew(&self, mut diff: Diff, live: &Live, target: Target<'_>) -> Diff {
        let lost = |value: &dyn std::fmt::Display| {
            Shown::of(format!("{value} (made anew: the data on it is lost)"))
        };
        if let Some(size) = self.size_gib.filter(|size| *size < live.size_gib) {
            diff = diff.fixed("size_gib", Shown::of(live.size_gib), lost(&size));
        }
        if self.encrypted != live.encrypted {
            diff = diff.fixed(
                "encrypted",
                Shown::of(live.encrypted),
                lost(&self.encrypted),
            );
        }
        if let Some(KeyName(name)) = &self.key {
            let key = Address::new("keys", name);
            let arn = target
                .world
                .output(&key, "arn")
                .and_then(serde_json::Value::as_str);
            if arn.is_none_or(|arn| live.key.as_deref() != Some(arn)) {
                let old = Shown::option(live.key.as_ref());
                diff = diff.fixed("key", old, lost(name));
            }
        }
        let zone = self.zone.clone().or_else(|| self.zone_of_instance(target));
        if let Some(zone) = zone.filter(|zone| *zone != live.zone) {
            diff = diff.fixed("zone", Shown::of(&live.zone), lost(&zone));
        }
        if self.snapshot != live.snapshot {
            let new = self.snapshot.as_deref().unwrap_or("none");
            diff = diff.fixed(
                "snapshot",
                Shown::option(live.snapshot.as_ref()),
                lost(&new),
            );
        }
        diff
    }

    /// The zone of its instance, where that exists.
    fn zone_of_instance(&self, target: Target<'_>) -> Option<String> {
        let instance = Address::new("instances", &self.instance.as_ref()?.0);
        let zone = target.world.output(&instance, "availability_zone")?;
        zone.as_str().map(str::to_owned)
    }
}

impl From<SdkVolume> for Live {
    fn from(volume: SdkVolume) -> Self {
        listing::live(volume)
    }
}
