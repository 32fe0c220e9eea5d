//! What EC2 reports of instances and their volumes, cut to what is managed.

use aws_sdk_ec2::types::{
    Filter, HttpTokensState, Instance as SdkInstance, MonitoringState, Volume,
};
use serde::Deserialize;

use crate::aws::ec2::{filter, tags_of};
use crate::aws::{Tags, refused};
use crate::base::Result;
use crate::contract::Context;

/// States of an instance that is not going away.
pub(super) const ALIVE: [&str; 4] = ["pending", "running", "stopping", "stopped"];

/// An instance in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    pub(super) id: String,
    pub(super) state: String,
    /// Why it is in that state, when AWS says so.
    pub(super) reason: Option<String>,
    pub(super) launched: String,
    pub(super) client_token: String,
    pub(super) image_id: String,
    pub(super) instance_type: String,
    pub(super) key_pair: Option<String>,
    /// Ids, sorted.
    pub(super) security_groups: Vec<String>,
    pub(super) subnet: String,
    /// Name of the instance profile.
    pub(super) instance_profile: Option<String>,
    pub(super) public_ip: Option<String>,
    pub(super) private_ip: Option<String>,
    pub(super) public_dns: Option<String>,
    pub(super) private_dns: Option<String>,
    pub(super) availability_zone: String,
    /// Its public address is an elastic one, which a stop does not take away.
    pub(super) elastic: bool,
    pub(super) monitoring: bool,
    /// The metadata service answers without a session token (`IMDSv1`).
    pub(super) tokens_optional: bool,
    pub(super) root_device: String,
    /// The root volume, where its listing was read.
    pub(super) root: Option<Root>,
    pub(super) volumes: Vec<Attached>,
    pub(super) interfaces: Vec<String>,
    pub(super) tags: Tags,
}

/// A root volume.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Root {
    pub(super) id: String,
    pub(super) device: String,
    pub(super) size_gib: i32,
    #[serde(rename = "type")]
    pub(super) volume_type: String,
    pub(super) encrypted: bool,
    pub(super) delete_on_termination: bool,
}

/// A volume as its instance sees it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Attached {
    pub(super) id: String,
    pub(super) device: String,
    pub(super) delete_on_termination: bool,
}

impl Live {
    pub(super) fn is_alive(&self) -> bool {
        ALIVE.contains(&self.state.as_str())
    }

    /// Looks its root volume up among `volumes`.
    pub(super) fn find_root(&mut self, volumes: &[Volume]) {
        let Some(attached) = self
            .volumes
            .iter()
            .find(|volume| volume.device == self.root_device)
        else {
            return;
        };
        let its = |volume: &&Volume| volume.volume_id.as_deref() == Some(attached.id.as_str());
        self.root = volumes.iter().find(its).map(|volume| Root {
            id: attached.id.clone(),
            device: attached.device.clone(),
            size_gib: volume.size.unwrap_or_default(),
            volume_type: text(volume.volume_type.as_ref()),
            encrypted: volume.encrypted.unwrap_or_default(),
            delete_on_termination: attached.delete_on_termination,
        });
    }
}

fn text<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn filled(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

impl From<SdkInstance> for Live {
    fn from(instance: SdkInstance) -> Self {
        let state = instance
            .state
            .as_ref()
            .and_then(|state| state.name.as_ref());
        let profile = instance
            .iam_instance_profile
            .and_then(|profile| profile.arn);
        let placement = instance.placement.and_then(|place| place.availability_zone);
        let tokens = instance
            .metadata_options
            .and_then(|options| options.http_tokens);
        let monitoring = instance.monitoring.and_then(|monitoring| monitoring.state);
        let groups = instance.security_groups.into_iter().flatten();
        let mut security_groups: Vec<_> = groups.filter_map(|group| group.group_id).collect();
        security_groups.sort();
        security_groups.dedup();
        let interfaces = instance.network_interfaces.unwrap_or_default();
        let owner_of_address = |interface: &aws_sdk_ec2::types::InstanceNetworkInterface| {
            interface.association.as_ref()?.ip_owner_id.clone()
        };
        let elastic = interfaces
            .iter()
            .filter_map(owner_of_address)
            .any(|owner| owner != "amazon");
        let devices = instance.block_device_mappings.into_iter().flatten();
        let volumes = devices.filter_map(|device| {
            let ebs = device.ebs?;
            Some(Attached {
                id: ebs.volume_id?,
                device: device.device_name.unwrap_or_default(),
                delete_on_termination: ebs.delete_on_termination.unwrap_or_default(),
            })
        });
        Self {
            id: instance.instance_id.unwrap_or_default(),
            state: text(state),
            reason: instance.state_reason.and_then(|reason| reason.message),
            client_token: instance.client_token.unwrap_or_default(),
            launched: text(instance.launch_time.as_ref()),
            image_id: instance.image_id.unwrap_or_default(),
            instance_type: text(instance.instance_type.as_ref()),
            key_pair: filled(instance.key_name),
            security_groups,
            subnet: instance.subnet_id.unwrap_or_default(),
            instance_profile: profile
                .map(|arn| arn.rsplit('/').next().unwrap_or_default().to_owned()),
            public_ip: filled(instance.public_ip_address),
            private_ip: filled(instance.private_ip_address),
            public_dns: filled(instance.public_dns_name),
            private_dns: filled(instance.private_dns_name),
            availability_zone: placement.unwrap_or_default(),
            elastic,
            monitoring: matches!(
                monitoring,
                Some(MonitoringState::Enabled | MonitoringState::Pending)
            ),
            tokens_optional: tokens == Some(HttpTokensState::Optional),
            root_device: instance.root_device_name.unwrap_or_default(),
            root: None,
            volumes: volumes.collect(),
            interfaces: interfaces
                .into_iter()
                .filter_map(|interface| interface.network_interface_id)
                .collect(),
            tags: tags_of(instance.tags),
        }
    }
}

/// All instances that pass the filters, in every state that these let through.
pub(super) async fn instances(cx: &Context, filters: Vec<Filter>) -> Result<Vec<Live>> {
    let call = cx.aws.ec2.describe_instances().set_filters(Some(filters));
    let pages = call.into_paginator().page_size(1000).items().send();
    let reservations: std::result::Result<Vec<_>, _> = pages.collect().await;
    let reservations = reservations.map_err(refused("ec2:DescribeInstances"))?;
    let instances = reservations
        .into_iter()
        .flat_map(|one| one.instances.unwrap_or_default());
    Ok(instances.map(Live::from).collect())
}

/// All volumes that pass the filters.
pub(super) async fn volumes(cx: &Context, filters: Vec<Filter>) -> Result<Vec<Volume>> {
    let call = cx.aws.ec2.describe_volumes().set_filters(Some(filters));
    let pages = call.into_paginator().page_size(500).items().send();
    let volumes: std::result::Result<Vec<_>, _> = pages.collect().await;
    volumes.map_err(refused("ec2:DescribeVolumes"))
}

/// The network interfaces among `ids` that exist, with their states.
pub(super) async fn interfaces(cx: &Context, ids: Vec<String>) -> Result<Vec<(String, String)>> {
    let call = cx.aws.ec2.describe_network_interfaces();
    let call = call.filters(filter("network-interface-id", ids));
    let listed = call
        .send()
        .await
        .map_err(refused("ec2:DescribeNetworkInterfaces"))?;
    let listed = listed.network_interfaces.into_iter().flatten();
    Ok(listed
        .filter_map(|interface| {
            Some((
                interface.network_interface_id?,
                text(interface.status.as_ref()),
            ))
        })
        .collect())
}
