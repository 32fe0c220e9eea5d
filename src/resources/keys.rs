//! KMS keys, each with an alias.

use schemars::JsonSchema;
use serde::Deserialize;

use super::policy_document::{PolicyDocument, Use};
use super::prices::monthly;
use super::quotas;
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Address, Cost, Diff, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Part, Presence, Quota, Resource, Target, Wanted, aws_name};

mod change;
mod create;
mod delete;
mod listing;

const ARN: &str = "kms:key/";
const NOT_FOUND: &str = "NotFoundException";
/// What every alias begins with.
const ALIAS: &str = "alias/";
/// Tag key: days between the deletion and its being final.
const DELETION_DAYS: &str = "tidewalk:deletion-days";
/// The `key_spec` that most keys have, the only one that AWS rotates.
const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";

/// A KMS key. Destroy schedules its deletion, which AWS carries out some days later; a key that
/// waits for that counts as gone: a new one is made when it is wanted again
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Alias, without `alias/`; without it, the names of the stack and of the key, as `STACK-NAME`
    pub alias: Option<String>,
    /// What it is for
    #[serde(default)]
    pub description: String,
    /// What it is made of: `SYMMETRIC_DEFAULT`, `RSA_2048`, `ECC_NIST_P256`, `HMAC_256` and others
    #[serde(default = "symmetric")]
    #[schemars(extend("x-fixed" = true))]
    pub key_spec: String,
    /// What it does: `ENCRYPT_DECRYPT`, `SIGN_VERIFY`, `GENERATE_VERIFY_MAC` or `KEY_AGREEMENT`
    #[serde(default = "encrypt")]
    #[schemars(extend("x-fixed" = true))]
    pub key_usage: String,
    /// It can be copied to other regions
    #[serde(default)]
    #[schemars(extend("x-fixed" = true))]
    pub multi_region: bool,
    /// AWS makes new key material at intervals; on if not given, where the `key_spec` allows it
    pub rotation: Option<bool>,
    /// Days between two rotations, 90 to 2560
    #[serde(default = "year")]
    #[schemars(range(min = 90, max = 2560))]
    pub rotation_days: i32,
    /// Who may do what with the key, as a policy document or its statements; without it, whatever
    /// IAM allows them in the key's account
    pub policy: Option<PolicyDocument>,
    /// Days that a deleted key can still be brought back, 7 to 30
    #[serde(default = "week")]
    #[schemars(range(min = 7, max = 30))]
    pub deletion_days: i32,
}

fn symmetric() -> String {
    SYMMETRIC.to_owned()
}

fn encrypt() -> String {
    "ENCRYPT_DECRYPT".to_owned()
}

fn year() -> i32 {
    365
}

fn week() -> i32 {
    7
}

/// A key in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    id: String,
    arn: String,
    /// Without `alias/`.
    alias: Option<String>,
    /// As the playbook names it, where it does not declare it.
    known_as: Option<String>,
    description: String,
    key_spec: String,
    key_usage: String,
    multi_region: bool,
    /// Days between rotations; `None` where it is not rotated.
    rotation_days: Option<i32>,
    policy: PolicyDocument,
    tags: Tags,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> Option<&str> {
        self.known_as.as_deref().or(self.alias.as_deref())
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn cost(&self, region: &str) -> Option<Cost> {
        Some(monthly("kms/key", region, 1.0) + Cost::by_use("requests"))
    }

    fn outputs(&self) -> Outputs {
        let alias = self.alias.as_ref().map(|alias| format!("{ALIAS}{alias}"));
        Outputs::default()
            .with("id", self.id.as_str())
            .with("arn", self.arn.as_str())
            .with("alias", alias)
    }

    fn parts(&self) -> Vec<Part> {
        let alias = self.alias.iter();
        let part = |alias: &String| Part {
            noun: "key alias",
            id: format!("{ALIAS}{alias}"),
        };
        alias.map(part).collect()
    }
}

impl Resource for Key {
    const KIND: &'static str = "keys";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "kms:ListAliases",
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListResourceTags",
        ],
        apply: &[
            "kms:ListKeys",
            "kms:ListAliases",
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListResourceTags",
            "kms:CreateKey",
            "kms:CreateAlias",
            "kms:UpdateAlias",
            "kms:DeleteAlias",
            "kms:UpdateKeyDescription",
            "kms:EnableKeyRotation",
            "kms:DisableKeyRotation",
            "kms:PutKeyPolicy",
            "kms:TagResource",
            "kms:UntagResource",
        ],
        delete: &[
            "kms:ListAliases",
            "kms:DeleteAlias",
            "kms:ScheduleKeyDeletion",
            "kms:DescribeKey",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Key id"),
        ("arn", "Amazon resource name"),
        ("alias", "Alias, as `alias/NAME`"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 152;
    const QUOTA: Option<Quota> = Some(quotas::KEYS);
    const CREATE_FIRST: bool = true;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = Vec::new();
        let fits = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
        if let Some(alias) = &self.alias
            && (!(1..=250).contains(&alias.len()) || !alias.chars().all(fits))
        {
            let text = "an alias has 1 to 250 letters, digits and `/_-`";
            problems.push((at("alias"), text.to_owned()));
        }
        if self.alias.as_ref().is_some_and(|it| it.starts_with("aws/")) {
            let text = "aliases that begin with `aws/` are AWS's own";
            problems.push((at("alias"), text.to_owned()));
        }
        if self.rotation == Some(true) && self.key_spec != SYMMETRIC {
            let text = format!("only keys with `key_spec: {SYMMETRIC}` are rotated");
            problems.push((at("rotation"), text));
        }
        if !(90..=2560).contains(&self.rotation_days) {
            let text = "a key is rotated every 90 to 2560 days";
            problems.push((at("rotation_days"), text.to_owned()));
        }
        if !(7..=30).contains(&self.deletion_days) {
            let text = "a deleted key can be brought back for 7 to 30 days";
            problems.push((at("deletion_days"), text.to_owned()));
        }
        if let Some(policy) = &self.policy {
            let its = policy.problems(Use::Resource).into_iter();
            problems.extend(its.map(|text| (at("policy"), text)));
        }
        problems
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        listing::list(cx, wanted).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let rotated = |days: Option<i32>| Shown::of(days.is_some());
        let days = self.rotation();
        let diff = Diff::default()
            .field(
                "alias",
                Shown::option(live.alias.as_ref()),
                Shown::of(self.alias(target)),
            )
            .field(
                "description",
                Shown::of(&live.description),
                Shown::of(&self.description),
            )
            .fixed(
                "key_spec",
                Shown::of(&live.key_spec),
                Shown::of(&self.key_spec),
            )
            .fixed(
                "key_usage",
                Shown::of(&live.key_usage),
                Shown::of(&self.key_usage),
            )
            .fixed(
                "multi_region",
                Shown::of(live.multi_region),
                Shown::of(self.multi_region),
            )
            .field("rotation", rotated(live.rotation_days), rotated(days));
        let diff = match (live.rotation_days, days) {
            (Some(old), Some(new)) => diff.field("rotation_days", Shown::of(old), Shown::of(new)),
            _ => diff,
        };
        let diff = diff
            .field(
                "policy",
                live.policy.shown(),
                self.policy_of(&live.arn).shown(),
            )
            .field(
                "deletion_days",
                Shown::option(live.tags.value(DELETION_DAYS)),
                Shown::of(self.deletion_days),
            );
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, region: &str) -> Cost {
        monthly("kms/key", region, 1.0) + Cost::by_use("requests")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let live = match live {
            Some(live) => live.clone(),
            None => create::found_or_created(self, cx, target).await?,
        };
        change::apply(self, cx, target, live).await
    }

    async fn depose(cx: &Context, old: &Live, address: &Address) -> Result<()> {
        change::depose(cx, old, address).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        delete::presence(cx, ids).await
    }
}

impl Key {
    /// Days between rotations, where there are any.
    fn rotation(&self) -> Option<i32> {
        let rotates = self.rotation.unwrap_or(self.key_spec == SYMMETRIC);
        rotates.then_some(self.rotation_days)
    }

    fn alias(&self, target: Target<'_>) -> String {
        let stack = target.tags.value(tags::STACK).unwrap_or_default();
        let alias = self.alias.clone();
        alias.unwrap_or_else(|| default_alias(stack, target.address))
    }

    /// The policy of the key with this ARN: AWS gives a key without one to its account.
    fn policy_of(&self, arn: &str) -> PolicyDocument {
        match &self.policy {
            Some(policy) => policy.clone(),
            None => default_policy(arn),
        }
    }

    fn tags(&self, target: Target<'_>) -> Tags {
        let mut tags = target.tags.clone();
        let days = self.deletion_days.to_string();
        tags.0.insert(DELETION_DAYS.to_owned(), days);
        tags
    }
}

fn default_alias(stack: &str, address: &Address) -> String {
    let fits = |c: char| {
        if c.is_ascii_alphanumeric() || "/_-".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name = format!("{stack}-{}", aws_name(address));
    name.chars().map(fits).collect()
}

/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
fn default_policy(arn: &str) -> PolicyDocument {
    let mut parts = arn.split(':');
    let (partition, account) = (
        parts.nth(1).unwrap_or("aws"),
        parts.nth(2).unwrap_or_default(),
    );
    let document = serde_json::json!({
        "Id": "key-default-1",
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:{partition}:iam::{account}:root") },
            "Action": "kms:*",
            "Resource": "*",
        }],
    });
    PolicyDocument::read(&document.to_string())
}
