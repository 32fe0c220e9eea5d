//! EC2 key pairs: imported from a public key, or made here, with the private key never sent.

use std::path::PathBuf;

use aws_sdk_ec2::types::KeyPairInfo;
use schemars::JsonSchema;
use serde::Deserialize;
use ssh_key::{HashAlg, PublicKey};

use super::local_path;
use super::presence::present_by_tags;
use super::quotas;
use crate::aws::ec2::{filter, of_stack, retag, tags_of};
use crate::aws::{Tags, is_code, refused, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, Error, Node, OutputMeaning, Outputs, Result, Shown, Value};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted};

mod create;
mod import;
pub mod ppk;
pub mod private_key;

pub use create::{Create, Ppk};

/// Tag key: fingerprint of the public key, where the listing does not give the key itself.
const FINGERPRINT: &str = "tidewalk:public-key";
/// Tag key: where the private key was written, as the playbook has it.
const PRIVATE_KEY: &str = "tidewalk:private-key";

/// A key pair for logging in to instances: either `public_key` or `create`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyPair {
    /// Name in AWS; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// A public key to import: the path of its file, or the key itself (`ssh-ed25519 AAAA…`)
    #[schemars(extend("x-fixed" = true))]
    pub public_key: Option<String>,
    /// Make a new ed25519 key on this machine and import its public half
    #[schemars(extend("x-fixed" = true))]
    pub create: Option<Create>,
}

/// A key pair in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    id: String,
    name: String,
    /// As AWS computes it.
    fingerprint: String,
    public_key: Option<String>,
    tags: Tags,
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
            .with("fingerprint", self.fingerprint.as_str())
            .with("private_key", self.tags.value(PRIVATE_KEY))
    }

    fn cost(&self, _region: &str) -> Option<Cost> {
        Some(Cost::default())
    }
}

impl Resource for KeyPair {
    const KIND: &'static str = "key_pairs";
    const IAM: Iam = Iam {
        discover: &["ec2:DescribeKeyPairs"],
        apply: &[
            "ec2:DescribeKeyPairs",
            "ec2:ImportKeyPair",
            "ec2:CreateTags",
            "ec2:DeleteTags",
        ],
        delete: &[
            "ec2:DescribeTags",
            "ec2:DeleteKeyPair",
            "ec2:DescribeKeyPairs",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Id in AWS"),
        ("name", "Name in AWS"),
        ("fingerprint", "Fingerprint, as AWS shows it"),
        (
            "private_key",
            "Path of the private key, where `create` made it",
        ),
    ];
    const ARN: Option<&'static str> = Some("ec2:key-pair/");
    const DELETE_RANK: u8 = 120;
    const QUOTA: Option<Quota> = Some(quotas::KEY_PAIRS);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        match (&self.public_key, &self.create) {
            (None, None) => vec![(
                Vec::new(),
                "a key pair needs `public_key` (an existing key) or `create: {}` (a new one)"
                    .to_owned(),
            )],
            (Some(_), Some(_)) => vec![(
                vec![Step::Key("create".to_owned())],
                "a key pair has either `public_key` or `create`".to_owned(),
            )],
            _ => Vec::new(),
        }
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let mut found = list(cx, vec![of_stack(&cx.stack)]).await?;
        if !wanted.external.is_empty() {
            found.extend(list(cx, vec![filter("key-name", wanted.external.iter())]).await?);
        }
        Ok(found)
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let name = self.aws_name(target);
        let mut diff = Diff::default().fixed("name", Shown::of(&live.name), Shown::of(name));
        if self.public_key.is_some() {
            let wanted = fingerprint(&self.read_public_key(target)?);
            let old = live.key_fingerprint();
            let old = Shown::of(old.as_deref().unwrap_or(&wanted));
            diff = diff.fixed("public_key", old, Shown::of(&wanted));
        }
        if let Some(create) = &self.create {
            let path = create.private_key_text(target);
            let old = live.tags.value(PRIVATE_KEY);
            diff = diff.fixed("create.private_key", Shown::option(old), Shown::of(path));
            if let Some(key) = create.existing(target) {
                let wanted = fingerprint(key.public_key());
                let old = live.key_fingerprint();
                let old = Shown::of(old.as_deref().unwrap_or(&wanted));
                diff = diff.fixed("create", old, Shown::of(&wanted));
            }
        }
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        if let Some(live) = live {
            return self.update(cx, target, live).await;
        }
        import::import(self, cx, target).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        // By id: the name may be another's by now.
        let call = cx.aws.ec2.delete_key_pair().key_pair_id(&live.id);
        match call.send().await.map_err(refused("ec2:DeleteKeyPair")) {
            Err(error) if !is_code(&error, "InvalidKeyPair.NotFound") => Err(error),
            _ => Ok(()),
        }
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let by_id = |ids| list(cx, vec![filter::<String>("key-pair-id", ids)]);
        let seen = |live: Live| (live.id, "exists".to_owned());
        present_by_tags(cx, ids, by_id, seen).await
    }
}

impl KeyPair {
    fn aws_name<'a>(&'a self, target: Target<'a>) -> &'a str {
        self.name.as_deref().unwrap_or(&target.address.name)
    }

    /// The key of `public_key:`, from the text itself or from a file.
    fn read_public_key(&self, target: Target<'_>) -> Result<PublicKey> {
        let at = target.node.entry("public_key").unwrap_or(target.node);
        let text = self.public_key.as_deref().unwrap_or_default();
        let wrong = |text: String| Error::playbook(text, &at.at);
        let content = if text.starts_with("ssh-") || text.starts_with("ecdsa-") {
            text.to_owned()
        } else {
            let path = local_path::expand(text).to_string_lossy().into_owned();
            let bytes = target.render.file(&Node::new(&at.at, Value::Text(path)))?;
            String::from_utf8_lossy(&bytes).into_owned()
        };
        if content.contains("PRIVATE KEY") {
            return Err(wrong(format!("`{text}` is a private key"))
                .hint("name the public half; it usually ends in `.pub`"));
        }
        let key = PublicKey::from_openssh(content.trim())
            .map_err(|cause| wrong(format!("`{text}` is not a public key: {cause}")))?;
        if !key.algorithm().is_rsa() && !key.algorithm().is_ed25519() {
            return Err(wrong(format!("AWS does not take {} keys", key.algorithm()))
                .hint("it takes ed25519 and RSA keys"));
        }
        Ok(key)
    }

    async fn update(&self, cx: &Context, target: Target<'_>, live: &Live) -> Result<Live> {
        if let Some(create) = &self.create
            && create.existing(target).is_some()
        {
            create.ensure(cx, target)?;
        }
        let ids = [live.id.clone()];
        retag(&cx.aws, &ids, &live.tags, target.tags).await?;
        let mut live = live.clone();
        live.tags.apply(target.tags);
        Ok(live)
    }
}

impl Live {
    fn key_fingerprint(&self) -> Option<String> {
        let key = self.public_key.as_deref();
        let key = key.and_then(|key| PublicKey::from_openssh(key.trim()).ok());
        let key = key.map(|key| fingerprint(&key));
        key.or_else(|| self.tags.value(FINGERPRINT).map(str::to_owned))
    }
}

impl From<KeyPairInfo> for Live {
    fn from(info: KeyPairInfo) -> Self {
        Self {
            id: info.key_pair_id.unwrap_or_default(),
            name: info.key_name.unwrap_or_default(),
            fingerprint: info.key_fingerprint.unwrap_or_default(),
            public_key: info.public_key,
            tags: tags_of(info.tags),
        }
    }
}

async fn list(cx: &Context, filters: Vec<aws_sdk_ec2::types::Filter>) -> Result<Vec<Live>> {
    let call = cx.aws.ec2.describe_key_pairs().include_public_key(true);
    let listed = call.set_filters(Some(filters)).send().await;
    let listed = listed.map_err(refused("ec2:DescribeKeyPairs"))?;
    Ok(listed
        .key_pairs
        .into_iter()
        .flatten()
        .map(Live::from)
        .collect())
}

fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Where a local file of a key pair is, from the text in the playbook.
fn place(cx: &Context, text: &str) -> PathBuf {
    cx.folder.join(local_path::expand(text))
}
