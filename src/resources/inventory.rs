//! Running instances, for `for_each`: looked up before all else, never made or deleted.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, Instance, InstanceType};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::lookup::Lookup;
use crate::aws::{Tags, refused, tags};
use crate::base::{Error, OutputMeaning, Outputs, Result};
use crate::contract::Context;

/// The tag that Auto Scaling gives the instances of a group.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html>
const OF_GROUP: &str = "aws:autoscaling:groupName";

/// Running instances that fit all that is said here, whoever made them, for `for_each` and in
/// expressions: one declaration then stands for many hosts. Asked for before all else is read; nothing
/// is made or deleted
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// Tags that they carry, with these values
    #[serde(default)]
    pub tag: BTreeMap<String, String>,
    /// Name in AWS of the fleet (the Auto Scaling group) that they belong to
    pub fleet: Option<String>,
}

impl Lookup for Inventory {
    const KIND: &'static str = "inventory";
    const ACTIONS: &'static [&'static str] = &["ec2:DescribeInstances"];
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("ids", "Ids of the instances, sorted"),
        (
            "instances",
            "The instances by id: `id`, `name`, `instance_type`, `private_ip`, `public_ip`, `host_key`, `tags`",
        ),
    ];

    async fn look(&self, cx: &Context) -> Result<Outputs> {
        let mut filters = vec![filter("instance-state-name", "running")];
        let tags = self.tag.iter();
        filters.extend(tags.map(|(key, value)| filter(&format!("tag:{key}"), value)));
        if let Some(fleet) = &self.fleet {
            filters.push(filter(&format!("tag:{OF_GROUP}"), fleet));
        }
        if filters.len() == 1 {
            let text = "say which instances are meant: give `tag` or `fleet`";
            return Err(Error::failed(text).hint("such as `tag: { Class: DE3 }`"));
        }
        let call = cx.aws.ec2.describe_instances().set_filters(Some(filters));
        let mut pages = call.into_paginator().send();
        let mut found: BTreeMap<String, Json> = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(refused("ec2:DescribeInstances"))?;
            let reservations = page.reservations.unwrap_or_default().into_iter();
            for instance in reservations.flat_map(|it| it.instances.unwrap_or_default()) {
                let id = instance.instance_id.clone().unwrap_or_default();
                found.insert(id, shown(&instance));
            }
        }
        let ids: Vec<&String> = found.keys().collect();
        Ok(Outputs::default()
            .with("ids", json!(ids))
            .with("instances", found.into_iter().collect::<Map<_, _>>()))
    }
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

fn shown(instance: &Instance) -> Json {
    let tags = instance.tags().iter();
    let tags = tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
    let tags = Tags(tags.collect());
    json!({
        "id": instance.instance_id(),
        "name": tags.value("Name"),
        "instance_type": instance.instance_type().map(InstanceType::as_str),
        "private_ip": instance.private_ip_address(),
        "public_ip": instance.public_ip_address(),
        "host_key": tags.value(tags::HOST_KEY),
        "tags": tags,
    })
}
