//! Machine images: an id, or a release that is looked up in the region when an instance is made.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, Visitor};
use tokio::sync::OnceCell;

use crate::aws::ec2::filter;
use crate::aws::refused;
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::reference::AmiName;

/// The image an instance starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ami(pub Release);

/// An image by id, or the newest one of a release
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// Id of an image, `ami-…`
    Id(String),
    /// Release of Ubuntu, by Canonical: `22.04`
    Ubuntu(String),
    /// Release of Debian: `12`
    Debian(String),
    /// Release of Amazon Linux: `2023`
    AmazonLinux(String),
    /// An image under `amis`: its latest one
    Image(AmiName),
}

/// An image that was found.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) root_device: String,
}

impl fmt::Display for Ami {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Release::Id(id) => f.write_str(id),
            Release::Ubuntu(release) => write!(f, "ubuntu {release}"),
            Release::Debian(release) => write!(f, "debian {release}"),
            Release::AmazonLinux(release) => write!(f, "amazon_linux {release}"),
            Release::Image(AmiName(name)) => write!(f, "image {name}"),
        }
    }
}

/// The processor that an instance type has, as images name it: Graviton families carry a `g`
/// behind the generation (`t4g`, `c7gn`), and `a1` was the first of them.
#[must_use]
pub fn architecture(instance_type: &str) -> &'static str {
    let family = instance_type.split('.').next().unwrap_or_default();
    let behind = family.trim_start_matches(|c: char| !c.is_ascii_digit());
    let options = behind.trim_start_matches(|c: char| c.is_ascii_digit());
    if family == "a1" || options.contains('g') {
        "arm64"
    } else {
        "x86_64"
    }
}

/// Images that were looked up, by release and processor.
#[derive(Default)]
struct LookedUp(Mutex<HashMap<String, Arc<OnceCell<Image>>>>);

impl LookedUp {
    fn of(&self, release: String) -> Arc<OnceCell<Image>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(release).or_default())
    }
}

impl Ami {
    /// Size of its root volume in GiB: the releases that are looked up have 8.
    pub(super) fn root_gib(&self) -> Option<i32> {
        match &self.0 {
            Release::Id(_) | Release::Image(_) => None,
            Release::Ubuntu(_) | Release::Debian(_) | Release::AmazonLinux(_) => Some(8),
        }
    }

    /// What can be told to be wrong with it.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        match &self.0 {
            Release::Id(id) if !id.starts_with("ami-") => Some(format!(
                "`{id}` is not an image: write an id (`ami-…`) or a release (`{{ ubuntu: \
                 \"22.04\" }}`)"
            )),
            Release::Ubuntu(release) => match release.split_once('.') {
                Some((year, month)) if digits(year) && digits(month) && month.len() == 2 => None,
                _ => Some(format!(
                    "`{release}` is not a release of Ubuntu: write it in quotes, such as \"22.04\""
                )),
            },
            Release::Debian(release) if !digits(release) => Some(format!(
                "`{release}` is not a release of Debian: write its number, such as \"12\""
            )),
            Release::AmazonLinux(release) if !["2", "2023"].contains(&release.as_str()) => {
                Some(format!(
                    "`{release}` is not a release of Amazon Linux: there are \"2\" and \"2023\""
                ))
            }
            _ => None,
        }
    }

    /// The owner's account and the pattern of the image's name.
    fn pattern(&self, architecture: &str) -> Option<(&'static str, String)> {
        let debian_word = if architecture == "arm64" {
            "arm64"
        } else {
            "amd64"
        };
        Some(match &self.0 {
            Release::Id(_) | Release::Image(_) => return None,
            Release::Ubuntu(release) => (
                "099720109477",
                format!("ubuntu/images/hvm-ssd*/ubuntu-*-{release}-{debian_word}-server-*"),
            ),
            Release::Debian(release) => {
                ("136693071363", format!("debian-{release}-{debian_word}-*"))
            }
            Release::AmazonLinux(release) if release == "2" => {
                ("amazon", format!("amzn2-ami-hvm-2.0.*-{architecture}-gp2"))
            }
            Release::AmazonLinux(release) => {
                ("amazon", format!("al2023-ami-{release}.*-{architecture}"))
            }
        })
    }

    /// Finds the image in the region: the newest of a release that is available. Asked for once a
    /// run for all that start from the same release.
    pub(crate) async fn look_up(
        &self,
        cx: &Context,
        target: Target<'_>,
        instance_type: &str,
    ) -> Result<Image> {
        let architecture = architecture(instance_type);
        if self.pattern(architecture).is_none() {
            return self.ask(cx, target, architecture).await;
        }
        let known = cx.aws.shared::<LookedUp>();
        let image = known.of(format!("{self} {architecture}"));
        let asked = image.get_or_try_init(|| self.ask(cx, target, architecture));
        asked.await.cloned()
    }

    async fn ask(
        &self,
        cx: &Context,
        target: Target<'_>,
        architecture: &'static str,
    ) -> Result<Image> {
        let call = cx.aws.ec2.describe_images();
        let call = match (&self.0, self.pattern(architecture)) {
            (_, Some((owner, name))) => call
                .owners(owner)
                .filters(filter("name", [name]))
                .filters(filter("architecture", [architecture]))
                .filters(filter("state", ["available"])),
            (Release::Id(id), None) => call.image_ids(id),
            (Release::Image(AmiName(name)), None) => {
                let missing =
                    || Error::playbook(format!("image `{name}` does not exist"), target.at);
                call.image_ids(target.world.id("amis", name).ok_or_else(missing)?)
            }
            (_, None) => call,
        };
        let listed = call.send().await.map_err(refused("ec2:DescribeImages"))?;
        let images = listed.images.into_iter().flatten();
        let newest = images.max_by(|a, b| a.creation_date.cmp(&b.creation_date));
        let image = newest.and_then(|image| {
            Some(Image {
                id: image.image_id?,
                root_device: image
                    .root_device_name
                    .unwrap_or_else(|| "/dev/sda1".to_owned()),
            })
        });
        image.ok_or_else(|| {
            let at = target.node.entry("ami").map_or(target.at, |node| &node.at);
            let text = format!("no image for `{self}` ({architecture}) in {}", cx.region);
            Error::playbook(text, at).hint("look at the release's number, or name an image by id")
        })
    }
}

impl JsonSchema for Ami {
    fn schema_name() -> Cow<'static, str> {
        "Ami".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let release = generator.subschema_for::<Release>();
        json_schema!({ "anyOf": [{ "type": "string", "pattern": "^ami-" }, release] })
    }
}

impl<'de> Deserialize<'de> for Ami {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdOrRelease)
    }
}

struct IdOrRelease;

impl<'de> Visitor<'de> for IdOrRelease {
    type Value = Ami;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an image id (`ami-…`) or a release (`{ ubuntu: \"22.04\" }`)")
    }

    fn visit_str<E: de::Error>(self, id: &str) -> Result<Ami, E> {
        Ok(Ami(Release::Id(id.to_owned())))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Ami, A::Error> {
        Release::deserialize(MapAccessDeserializer::new(map)).map(Ami)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_tells_the_processor() {
        for arm in [
            "t4g.small",
            "m6gd.large",
            "c7gn.xlarge",
            "a1.medium",
            "im4gn.large",
            "g5g.xlarge",
        ] {
            assert_eq!(architecture(arm), "arm64", "{arm}");
        }
        for intel in [
            "t3a.small",
            "g4dn.xlarge",
            "m5.large",
            "u-6tb1.metal",
            "p4d.24xlarge",
        ] {
            assert_eq!(architecture(intel), "x86_64", "{intel}");
        }
    }
}
