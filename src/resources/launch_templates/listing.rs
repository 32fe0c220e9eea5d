//! What EC2 reports of launch templates and their versions.

use aws_sdk_ec2::types::{
    Filter, LaunchTemplate as SdkTemplate, LaunchTemplateHttpTokensState, LaunchTemplateVersion,
    ResourceType, ResponseLaunchTemplateData,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Live, Root};
use crate::aws::ec2::{is_unknown, tags_of};
use crate::aws::{Tags, refused};
use crate::base::Result;
use crate::contract::Context;
use crate::resources::instances::user_data;
use crate::resources::machine::profile_name;

/// The templates that pass the filters, without their versions.
pub(super) async fn templates(cx: &Context, filters: Vec<Filter>) -> Result<Vec<Live>> {
    let call = cx.aws.ec2.describe_launch_templates();
    let call = call.set_filters(Some(filters));
    let pages = call.into_paginator().page_size(200).items().send();
    let listed: std::result::Result<Vec<_>, _> = pages.collect().await;
    let listed = listed.map_err(refused("ec2:DescribeLaunchTemplates"))?;
    Ok(listed.into_iter().map(Live::from).collect())
}

/// Those among `ids` that exist, without their versions. AWS has no filter by id, and refuses a
/// listing with an unknown one.
pub(super) async fn by_ids(cx: &Context, ids: Vec<String>) -> Result<Vec<Live>> {
    let mut found = Vec::new();
    for id in ids {
        let call = cx.aws.ec2.describe_launch_templates();
        let call = call.launch_template_ids(&id).send().await;
        match call.map_err(refused("ec2:DescribeLaunchTemplates")) {
            Ok(listed) => {
                let listed = listed.launch_templates.into_iter().flatten();
                found.extend(listed.map(Live::from));
            }
            Err(error) if is_unknown(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Fills in the default version of each: the default versions of all templates are one listing.
pub(super) async fn read_defaults(cx: &Context, mut found: Vec<Live>) -> Result<Vec<Live>> {
    if found.is_empty() {
        return Ok(found);
    }
    let call = cx.aws.ec2.describe_launch_template_versions();
    let call = match found.as_slice() {
        [only] => call.launch_template_id(&only.id),
        _ => call,
    };
    let pages = call.versions("$Default").into_paginator();
    let listed: std::result::Result<Vec<_>, _> =
        pages.page_size(200).items().send().collect().await;
    let listed = match listed.map_err(refused("ec2:DescribeLaunchTemplateVersions")) {
        // It is gone since the listing.
        Err(error) if is_unknown(&error) => return Ok(Vec::new()),
        listed => listed?,
    };
    for version in listed {
        let its = |live: &&mut Live| version.launch_template_id.as_ref() == Some(&live.id);
        if let Some(live) = found.iter_mut().find(its) {
            live.read(version);
        }
    }
    Ok(found)
}

/// Numbers of all versions of a template, the latest first.
pub(super) async fn numbers(cx: &Context, id: &str) -> Result<Vec<i64>> {
    let call = cx.aws.ec2.describe_launch_template_versions();
    let pages = call.launch_template_id(id).into_paginator();
    let listed: std::result::Result<Vec<_>, _> =
        pages.page_size(200).items().send().collect().await;
    let listed = listed.map_err(refused("ec2:DescribeLaunchTemplateVersions"))?;
    let numbers = listed.into_iter().filter_map(|it| it.version_number);
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    Ok(numbers)
}

impl From<SdkTemplate> for Live {
    fn from(template: SdkTemplate) -> Self {
        Self {
            id: template.launch_template_id.unwrap_or_default(),
            name: template.launch_template_name.unwrap_or_default(),
            version: template.default_version_number.unwrap_or_default(),
            latest: template.latest_version_number.unwrap_or_default(),
            tags: tags_of(template.tags),
            ..Self::default()
        }
    }
}

impl Live {
    /// Takes over what a version of it has.
    pub(super) fn read(&mut self, version: LaunchTemplateVersion) {
        self.version = version.version_number.unwrap_or(self.version);
        let Some(data) = version.launch_template_data else {
            return;
        };
        self.launch_tags = launch_tags(&data);
        let profile = data.iam_instance_profile;
        let profile = profile.and_then(|profile| profile.name.or(profile.arn));
        self.instance_profile = profile.map(|text| profile_name(&text).to_owned());
        self.image_id = data.image_id.unwrap_or_default();
        let kind = data.instance_type.as_ref();
        self.instance_type = kind.map(|it| it.as_str().to_owned()).unwrap_or_default();
        self.key_pair = data.key_name;
        self.security_groups = data.security_group_ids.unwrap_or_default();
        self.security_groups.sort();
        let text = data.user_data.filter(|text| !text.is_empty());
        self.user_data = text.map(|text| {
            let bytes = STANDARD.decode(&text).unwrap_or_default();
            user_data::hash(&String::from_utf8_lossy(&bytes))
        });
        let mut devices = data.block_device_mappings.into_iter().flatten();
        let disk = devices.find_map(|device| device.ebs);
        self.root = disk.map_or_else(Root::default, |disk| Root {
            size_gib: disk.volume_size,
            volume_type: disk
                .volume_type
                .map(|it| it.as_str().to_owned())
                .unwrap_or_default(),
            encrypted: disk.encrypted.unwrap_or_default(),
        });
        self.monitoring = data.monitoring.and_then(|it| it.enabled) == Some(true);
        let tokens = data.metadata_options.and_then(|it| it.http_tokens);
        self.tokens_optional = tokens != Some(LaunchTemplateHttpTokensState::Required);
    }
}

fn launch_tags(data: &ResponseLaunchTemplateData) -> Tags {
    let mut specifications = data.tag_specifications.iter().flatten();
    let of_instances = specifications.find(|it| it.resource_type == Some(ResourceType::Instance));
    tags_of(of_instances.and_then(|it| it.tags.clone()))
}
