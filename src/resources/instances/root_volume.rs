//! The disk that an instance starts from.

use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, LaunchTemplateBlockDeviceMappingRequest,
    LaunchTemplateEbsBlockDeviceRequest, VolumeType,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::listing::Root;
use crate::aws::refused;
use crate::base::{Diff, Result, Shown};
use crate::contract::Context;

/// The disk that an instance starts from; it goes away with the instance
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RootVolume {
    /// Size in GiB; without it, the image's (8 GiB for the releases of `ami`). The file system
    /// grows at the next boot
    #[schemars(extend("x-fixed" = "it shrinks"))]
    pub size_gib: Option<i32>,
    /// Volume type: `gp3`, `gp2` or `standard`
    #[serde(rename = "type")]
    pub volume_type: String,
    /// Encrypted, with the account's default key
    #[schemars(extend("x-fixed" = true))]
    pub encrypted: bool,
}

impl Default for RootVolume {
    fn default() -> Self {
        Self {
            size_gib: None,
            volume_type: "gp3".to_owned(),
            encrypted: true,
        }
    }
}

impl RootVolume {
    /// All that can be told to be wrong with it: the field, and what.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        const TYPES: [&str; 3] = ["gp3", "gp2", "standard"];
        let mut found = Vec::new();
        if let Some(size) = self.size_gib.filter(|size| !(1..=65536).contains(size)) {
            found.push(("size_gib", format!("a volume cannot have {size} GiB")));
        }
        if !TYPES.contains(&self.volume_type.as_str()) {
            let text = format!(
                "`{}` is not a type of root volume: there are `gp3`, `gp2` and `standard`",
                self.volume_type
            );
            found.push(("type", text));
        }
        found
    }

    /// What a launch template is told.
    pub(crate) fn template_mapping(&self, device: &str) -> LaunchTemplateBlockDeviceMappingRequest {
        let ebs = LaunchTemplateEbsBlockDeviceRequest::builder()
            .set_volume_size(self.size_gib)
            .volume_type(VolumeType::from(self.volume_type.as_str()))
            .encrypted(self.encrypted)
            .delete_on_termination(true);
        LaunchTemplateBlockDeviceMappingRequest::builder()
            .device_name(device)
            .ebs(ebs.build())
            .build()
    }

    /// What the launch is told.
    pub(super) fn mapping(&self, device: &str) -> BlockDeviceMapping {
        let ebs = EbsBlockDevice::builder()
            .set_volume_size(self.size_gib)
            .volume_type(VolumeType::from(self.volume_type.as_str()))
            .encrypted(self.encrypted)
            .delete_on_termination(true);
        BlockDeviceMapping::builder()
            .device_name(device)
            .ebs(ebs.build())
            .build()
    }

    /// Adds what differs.
    pub(super) fn diff(&self, mut diff: Diff, root: &Root) -> Diff {
        if let Some(size) = self.size_gib {
            let (old, new) = (Shown::of(root.size_gib), Shown::of(size));
            diff = if size < root.size_gib {
                diff.fixed("root_volume.size_gib", old, new)
            } else {
                diff.field("root_volume.size_gib", old, new)
            };
        }
        diff.field(
            "root_volume.type",
            Shown::of(&root.volume_type),
            Shown::of(&self.volume_type),
        )
        .fixed(
            "root_volume.encrypted",
            Shown::of(root.encrypted),
            Shown::of(self.encrypted),
        )
        .field(
            "root_volume.delete_on_termination",
            Shown::of(root.delete_on_termination),
            Shown::of(true),
        )
    }

    /// Changes in place what can be.
    pub(super) async fn apply(&self, cx: &Context, instance: &str, root: &Root) -> Result<()> {
        let grows = self.size_gib.filter(|size| *size > root.size_gib);
        if grows.is_some() || self.volume_type != root.volume_type {
            let call = cx.aws.ec2.modify_volume().volume_id(&root.id);
            let call = call.set_size(grows);
            let call = call.volume_type(VolumeType::from(self.volume_type.as_str()));
            call.send().await.map_err(|error| {
                refused("ec2:ModifyVolume")(error)
                    .hint("AWS changes a volume once in six hours: try again later")
            })?;
        }
        if !root.delete_on_termination {
            let ebs = aws_sdk_ec2::types::EbsInstanceBlockDeviceSpecification::builder()
                .volume_id(&root.id)
                .delete_on_termination(true);
            let mapping = aws_sdk_ec2::types::InstanceBlockDeviceMappingSpecification::builder()
                .device_name(&root.device)
                .ebs(ebs.build());
            let call = cx.aws.ec2.modify_instance_attribute().instance_id(instance);
            let call = call.block_device_mappings(mapping.build());
            call.send()
                .await
                .map_err(refused("ec2:ModifyInstanceAttribute"))?;
        }
        Ok(())
    }
}
