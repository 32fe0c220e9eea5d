//! Makes, changes and deletes parameters.

use std::collections::BTreeMap;

use aws_sdk_ssm::operation::put_parameter::builders::PutParameterFluentBuilder;
use aws_sdk_ssm::types::{ParameterTier, ParameterType, ResourceTypeForTagging, Tag};

use super::{DEFAULT_KEY, Live, Parameter, Tier, Type, VALUE, difference, listing};
use crate::aws::{Tags, done, is_code, refused, tags, unless};
use crate::base::{Error, Result, Secret};
use crate::contract::{Context, Target};
use crate::resources::generate::Generate;
use crate::resources::named;
use crate::resources::value_from::fingerprint;

pub(super) async fn created(spec: &Parameter, cx: &Context, target: Target<'_>) -> Result<Live> {
    let name = spec.name(target);
    let value = spec.new_value(target)?;
    let mut wanted = target.tags.clone();
    note(spec, &mut wanted, &value, 1)?;
    let call = spec.request(cx, target, &name, &value)?;
    let made = call.set_tags(Some(sdk_tags(&wanted.0)?)).send().await;
    match made.map_err(refused("ssm:PutParameter")) {
        Ok(made) => {
            let mut live = spec.live(cx, target, name, &value);
            live.version = made.version;
            live.tags = wanted;
            Ok(live)
        }
        // An answer was lost, or somebody has a parameter of that name.
        Err(error) if is_code(&error, "ParameterAlreadyExists") => {
            let tags = listing::tags_of(cx, &name).await?;
            named::must_be_ours("parameter", &name, &tags, target)?;
            let mut live = spec.live(cx, target, name, &value);
            live.tags = tags;
            overwritten(spec, cx, target, live, &value).await
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn updated(
    spec: &Parameter,
    cx: &Context,
    target: Target<'_>,
    mut live: Live,
) -> Result<Live> {
    if difference::diff(spec, &live, target)?.is_empty() {
        retag(cx, &mut live, target.tags).await?;
        return Ok(live);
    }
    let value = spec.wanted_value(cx, target, &live).await?;
    let tags = live.tags;
    live = spec.live(cx, target, live.name, &value);
    live.tags = tags;
    overwritten(spec, cx, target, live, &value).await
}

/// Writes the value as a new version, then tells of it in the tags.
async fn overwritten(
    spec: &Parameter,
    cx: &Context,
    target: Target<'_>,
    mut live: Live,
    value: &Secret,
) -> Result<Live> {
    let call = spec.request(cx, target, &live.name, value)?;
    let made = call.overwrite(true).send().await;
    live.version = made.map_err(refused("ssm:PutParameter"))?.version;
    let mut wanted = target.tags.clone();
    note(spec, &mut wanted, value, live.version)?;
    retag(cx, &mut live, &wanted).await?;
    Ok(live)
}

fn note(spec: &Parameter, tags: &mut Tags, value: &Secret, version: i64) -> Result<()> {
    if let Some(generate) = &spec.generate {
        tags.0.insert(VALUE.to_owned(), generate.words());
    } else if spec.kind == Type::SecureString {
        let note = format!("{}:{version}", fingerprint(value)?);
        tags.0.insert(VALUE.to_owned(), note);
    }
    Ok(())
}

impl Parameter {
    /// The value of one that exists: a random one stays, unless another one is wanted.
    async fn wanted_value(&self, cx: &Context, target: Target<'_>, live: &Live) -> Result<Secret> {
        let words = self.generate.as_ref().map(Generate::words);
        if words.is_some() && live.tags.value(VALUE) == words.as_deref() {
            return read(cx, &live.name).await;
        }
        self.new_value(target)
    }

    fn new_value(&self, target: Target<'_>) -> Result<Secret> {
        if let Some(generate) = &self.generate {
            return generate.value();
        }
        if let Some(source) = &self.value_from {
            source.read(target)
        } else {
            let missing = || Error::playbook("the parameter has no value", target.at);
            self.plain_value().map(plain).ok_or_else(missing)
        }
    }

    fn request(
        &self,
        cx: &Context,
        target: Target<'_>,
        name: &str,
        value: &Secret,
    ) -> Result<PutParameterFluentBuilder> {
        let key = match (&self.key, self.kind) {
            (_, Type::String | Type::StringList) => None,
            (None, Type::SecureString) => Some(DEFAULT_KEY),
            (Some(name), Type::SecureString) => {
                let at = target.node.entry("key").map_or(target.at, |node| &node.at);
                let missing = || Error::playbook(format!("key `{}` does not exist", name.0), at);
                Some(self.key(target).ok_or_else(missing)?)
            }
        };
        let call = cx.aws.ssm.put_parameter().name(name);
        Ok(call
            .r#type(ParameterType::from(self.kind.word()))
            .value(value.expose())
            .tier(ParameterTier::from(self.tier.word()))
            .set_key_id(key.map(str::to_owned))
            .description(&self.description)
            .data_type(&self.data_type))
    }

    /// The parameter as it is once it was written; its version and tags are still to be told.
    fn live(&self, cx: &Context, target: Target<'_>, name: String, value: &Secret) -> Live {
        let secure = self.kind == Type::SecureString;
        let tier = match self.tier {
            Tier::IntelligentTiering => Tier::Standard,
            tier => tier,
        };
        Live {
            arn: listing::arn(cx, &name),
            kind: self.kind.word().to_owned(),
            value: (!secure).then(|| value.expose().to_owned()),
            version: 0,
            tier: tier.word().to_owned(),
            key: secure.then(|| self.key(target).unwrap_or(DEFAULT_KEY).to_owned()),
            description: self.description.clone(),
            data_type: self.data_type.clone(),
            tags: Tags::default(),
            name,
        }
    }
}

async fn read(cx: &Context, name: &str) -> Result<Secret> {
    let call = cx
        .aws
        .ssm
        .get_parameters()
        .with_decryption(true)
        .names(name);
    let told = call.send().await.map_err(refused("ssm:GetParameters"))?;
    let value = told
        .parameters
        .into_iter()
        .flatten()
        .find_map(|it| it.value);
    let missing = || Error::failed(format!("the parameter `{name}` cannot be read"));
    value.map(Secret::from).ok_or_else(missing)
}

/// A value that stands in the playbook goes the same way as the secret ones.
fn plain(text: String) -> Secret {
    Secret::unremembered(text)
}

async fn retag(cx: &Context, live: &mut Live, wanted: &Tags) -> Result<()> {
    let (set, unset) = tags::changes(&live.tags, wanted);
    if !set.is_empty() {
        let call = cx.aws.ssm.add_tags_to_resource();
        let call = call
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(&live.name);
        let call = call.set_tags(Some(sdk_tags(&set)?)).send().await;
        done("ssm:AddTagsToResource", call)?;
    }
    if !unset.is_empty() {
        let call = cx.aws.ssm.remove_tags_from_resource();
        let call = call
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(&live.name);
        let call = call.set_tag_keys(Some(unset)).send().await;
        done("ssm:RemoveTagsFromResource", call)?;
    }
    live.tags.apply(wanted);
    Ok(())
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>> {
    let tags = tags.iter().map(|(key, value)| {
        let tag = Tag::builder().key(key).value(value).build();
        tag.map_err(|error| Error::failed(format!("tag `{key}`: {error}")))
    });
    tags.collect()
}

pub(super) async fn delete(cx: &Context, live: &Live) -> Result<()> {
    let call = cx.aws.ssm.delete_parameter().name(&live.name).send().await;
    unless("ParameterNotFound", done("ssm:DeleteParameter", call))
}
