//! S3 buckets: private and encrypted unless told otherwise.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;

use super::kms_key::KmsKey;
use super::policy_document::{PolicyDocument, Use};
use super::presence::present;
use super::quotas;
use crate::aws::arn::partition;
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Address, Cost, Diff, Error, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted};

mod change;
mod creation;
mod emptying;
mod lifecycle;
mod listing;
mod name;

pub use lifecycle::Rule;

const ARN: &str = "s3:";
/// Bytes: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>.
const LARGEST_POLICY: usize = 20 << 10;

/// An S3 bucket: private, encrypted, and with no access lists of single objects
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Name, which no other bucket in all of AWS has; without it, `STACK-NAME-ACCOUNT`, with the
    /// name in the playbook and the account's number. With another name, the bucket is made anew,
    /// and what was in the old one is deleted
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Keep the earlier versions of objects that are overwritten or deleted. Once on, it can only
    /// be suspended: earlier versions stay
    #[serde(default)]
    pub versioning: bool,
    /// KMS key that encrypts new objects: the name of a key of this playbook, or the id or ARN of
    /// one in the account. Without it, S3's own key
    pub key: Option<KmsKey>,
    /// Nobody can make it, or anything in it, public
    #[serde(default = "yes")]
    pub block_public_access: bool,
    /// What S3 deletes by itself, at most 1,000 rules
    #[serde(default)]
    pub lifecycle: Vec<Rule>,
    /// Policy document, or the list of its statements: who else may do what with the bucket; at
    /// most 20 KB
    pub policy: Option<PolicyDocument>,
}

fn yes() -> bool {
    true
}

/// A bucket in AWS.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    name: String,
    region: String,
    versioning: bool,
    /// Id or ARN of a KMS key.
    key: Option<String>,
    block_public_access: bool,
    /// As AWS words it: `BucketOwnerEnforced`.
    object_ownership: String,
    lifecycle: Vec<Rule>,
    /// Ids of rules that do what cannot be declared here.
    other_rules: Vec<String>,
    policy: Option<PolicyDocument>,
    tags: Tags,
}

impl Default for Live {
    /// A bucket as S3 makes it.
    fn default() -> Self {
        Self {
            name: String::new(),
            region: String::new(),
            versioning: false,
            key: None,
            block_public_access: true,
            object_ownership: change::ENFORCED.to_owned(),
            lifecycle: Vec::new(),
            other_rules: Vec::new(),
            policy: None,
            tags: Tags::default(),
        }
    }
}

fn arn(region: &str, name: &str) -> String {
    format!("arn:{}:s3:::{name}", partition(region))
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.name
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        let domain = format!("{}.s3.{}.amazonaws.com", self.name, self.region);
        Outputs::default()
            .with("id", self.name.as_str())
            .with("name", self.name.as_str())
            .with("arn", arn(&self.region, &self.name))
            .with("domain_name", domain)
    }
}

impl Resource for Bucket {
    const KIND: &'static str = "buckets";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "s3:ListAllMyBuckets",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketOwnershipControls",
            "s3:GetLifecycleConfiguration",
            "s3:GetBucketPolicy",
        ],
        apply: &[
            "s3:CreateBucket",
            // S3 asks for it of whoever makes a bucket with tags.
            "s3:TagResource",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketOwnershipControls",
            "s3:GetLifecycleConfiguration",
            "s3:GetBucketPolicy",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketOwnershipControls",
            "s3:PutLifecycleConfiguration",
            "s3:PutBucketPolicy",
            "s3:DeleteBucketPolicy",
        ],
        delete: &[
            "s3:GetBucketTagging",
            "s3:ListBucketVersions",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:ListBucketMultipartUploads",
            "s3:AbortMultipartUpload",
            "s3:DeleteBucket",
            "s3:ListAllMyBuckets",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Name of the bucket"),
        ("name", "Name of the bucket"),
        ("arn", "Amazon resource name"),
        ("domain_name", "Domain that answers for it"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 136;
    const QUOTA: Option<Quota> = Some(quotas::BUCKETS);
    const CREATE_FIRST: bool = true;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = Vec::new();
        if let Some(text) = self.name.as_deref().and_then(name::problem) {
            problems.push((at("name"), text));
        }
        problems.extend(lifecycle::problems(&self.lifecycle));
        if let Some(policy) = &self.policy {
            let its = policy.problems(Use::Resource).into_iter();
            problems.extend(its.map(|text| (at("policy"), text)));
            if policy.text().len() > LARGEST_POLICY {
                let text = format!("a bucket's policy has at most {LARGEST_POLICY} bytes");
                problems.push((at("policy"), text));
            }
        }
        problems
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let there = listing::names(cx).await?;
        let declared = wanted
            .declared
            .iter()
            .filter_map(|(address, node)| name::of_node(cx, address, node));
        let tagged = wanted.tagged.named(&cx.aws, &cx.stack, ARN).await?;
        let tagged = tagged.into_iter().map(|(name, _)| name.to_owned());
        let ours: BTreeSet<String> = declared.chain(tagged).collect();
        let found = try_join_all(there.iter().map(|name| async {
            if ours.contains(name) {
                return listing::whole(cx, wanted, name).await;
            }
            let named = wanted.external.contains(name);
            Ok::<_, Error>(named.then(|| listing::bare(cx, name)))
        }));
        Ok(found.await?.into_iter().flatten().collect())
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let yes_no = |is: bool| Shown::of(if is { "yes" } else { "no" });
        let (old_key, new_key) =
            KmsKey::shown(self.key.as_ref(), live.key.as_deref(), target.world);
        let diff = Diff::default()
            .fixed(
                "name",
                Shown::of(&live.name),
                Shown::of(name::wanted(self.name.as_deref(), &live.name, target)),
            )
            .field(
                "versioning",
                yes_no(live.versioning),
                yes_no(self.versioning),
            )
            .field("key", old_key, new_key)
            .field(
                "block_public_access",
                yes_no(live.block_public_access),
                yes_no(self.block_public_access),
            )
            .field(
                "object_ownership",
                Shown::of(&live.object_ownership),
                Shown::of(change::ENFORCED),
            )
            .field(
                "lifecycle",
                lifecycle::shown(&live.lifecycle, &live.other_rules),
                lifecycle::shown(&self.lifecycle, &[]),
            );
        let policy = |policy: &Option<PolicyDocument>| {
            let policy = policy.as_ref();
            policy.map_or(Shown::Absent, PolicyDocument::shown)
        };
        let diff = diff.field("policy", policy(&live.policy), policy(&self.policy));
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, _region: &str) -> Cost {
        Cost::by_use("storage") + Cost::by_use("requests")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            Some(live) => live.clone(),
            None => self.created(cx, target).await?,
        };
        change::apply(self, cx, target, &mut live).await?;
        Ok(live)
    }

    async fn depose(cx: &Context, old: &Live, address: &Address) -> Result<()> {
        let mut live = old.clone();
        let mut wanted = live.tags.clone();
        let written = tags::written_address(address);
        wanted.0.insert(tags::ADDRESS.to_owned(), written);
        change::tags(cx, &mut live, &wanted).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        emptying::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let list = |_| listing::names(cx);
        present(ids, list, |name| (name, "there".to_owned())).await
    }
}
