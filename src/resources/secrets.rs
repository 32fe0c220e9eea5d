//! Secrets of the Secrets Manager.

use schemars::JsonSchema;
use serde::Deserialize;

use super::generate::Generate;
use super::named;
use super::prices::monthly;
use super::quotas;
use super::reference::{KeyName, named as named_id};
use super::value_from::{ValueFrom, hidden_change, is_of};
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted};

mod change;
mod delete;
mod listing;

const ARN: &str = "secretsmanager:secret:";
const NOT_FOUND: &str = "ResourceNotFoundException";
/// The key that secrets without one of their own are encrypted with.
const DEFAULT_KEY: &str = "alias/aws/secretsmanager";
/// Tag key: fingerprint of the value (`SALT:HASH`), or what it was made of.
const VALUE: &str = "tidewalk:value";
/// Tag key: days between the deletion and its being final.
const RECOVERY_DAYS: &str = "tidewalk:recovery-days";

/// A secret of the Secrets Manager: its value comes from outside of the playbook or is made once
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoredSecret {
    /// Name in AWS, also with levels (`app/db`); without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Where the value comes from. Plans never show it; AWS gets the value, and the tag
    /// `tidewalk:value` a salted hash of it, by which a change is noticed
    pub value_from: Option<ValueFrom>,
    /// Make a random value when the secret is made; a change of this makes another one. A value
    /// that somebody writes later stays
    pub generate: Option<Generate>,
    /// What it is for, at most 2,048 characters
    #[serde(default)]
    pub description: String,
    /// KMS key that encrypts it: declared under `keys`, or the id or alias of an existing one;
    /// without it, `alias/aws/secretsmanager`
    pub key: Option<KeyName>,
    /// Days that a deleted secret can still be brought back, 7 to 30; 0 deletes it at once. One
    /// that waits is brought back when it is wanted again
    #[serde(default = "week")]
    #[schemars(range(min = 0, max = 30))]
    pub recovery_days: i64,
}

fn week() -> i64 {
    7
}

/// A secret in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    arn: String,
    name: String,
    /// As the playbook names it, where it does not declare it.
    known_as: Option<String>,
    description: String,
    key: Option<String>,
    /// Id of the version in use.
    version: Option<String>,
    tags: Tags,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.arn
    }

    fn name(&self) -> Option<&str> {
        self.known_as.as_deref().or(Some(&self.name))
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn cost(&self, region: &str) -> Option<Cost> {
        Some(monthly("secretsmanager/secret", region, 1.0) + Cost::by_use("requests"))
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.arn.as_str())
            .with("arn", self.arn.as_str())
            .with("name", self.name.as_str())
    }
}

impl Resource for StoredSecret {
    const KIND: &'static str = "secrets";
    const IAM: Iam = Iam {
        discover: &[
            "secretsmanager:ListSecrets",
            "secretsmanager:DescribeSecret",
        ],
        apply: &[
            "secretsmanager:CreateSecret",
            "secretsmanager:DescribeSecret",
            "secretsmanager:RestoreSecret",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecret",
            "secretsmanager:TagResource",
            "secretsmanager:UntagResource",
        ],
        delete: &[
            "secretsmanager:DeleteSecret",
            "secretsmanager:DescribeSecret",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Amazon resource name"),
        ("arn", "Amazon resource name"),
        ("name", "Name in AWS"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 148;
    const QUOTA: Option<Quota> = Some(quotas::SECRETS);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = Vec::new();
        let fits = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        if let Some(name) = &self.name
            && (!(1..=512).contains(&name.len()) || !name.chars().all(fits))
        {
            let text = "a secret's name has 1 to 512 letters, digits and `/_+=.@-`";
            problems.push((at("name"), text.to_owned()));
        }
        match (&self.value_from, &self.generate) {
            (None, None) => {
                let text = "a secret needs `value_from` or `generate`";
                problems.push((Vec::new(), text.to_owned()));
            }
            (Some(_), Some(_)) => {
                let text = "leave out `value_from` or `generate`";
                problems.push((at("generate"), text.to_owned()));
            }
            (Some(source), None) => {
                let problem = source.problem();
                problems.extend(problem.map(|text| (at("value_from"), text.to_owned())));
            }
            (None, Some(generate)) => {
                let problem = generate.problem();
                problems.extend(problem.map(|text| (at("generate"), text)));
            }
        }
        if self.recovery_days != 0 && !(7..=30).contains(&self.recovery_days) {
            let text = "a deleted secret can be brought back for 7 to 30 days, or 0";
            problems.push((at("recovery_days"), text.to_owned()));
        }
        if self.description.chars().count() > 2048 {
            let text = "a description has at most 2048 characters";
            problems.push((at("description"), text.to_owned()));
        }
        problems
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        listing::list(cx, &wanted.external).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let name = named::name_of(self.name.as_ref(), target);
        let diff = Diff::default().fixed("name", Shown::of(&live.name), Shown::of(name));
        let diff = match self.is_current(live, target)? {
            true => diff,
            false if self.generate.is_some() => hidden_change(diff, "generate"),
            false => hidden_change(diff, "value_from"),
        };
        let old = live.key.as_deref().filter(|key| *key != DEFAULT_KEY);
        let old = old.map(|key| named_id(target.world, "keys", key));
        let new = match (&self.key, self.key_id(target)) {
            (None, _) => Shown::Absent,
            (Some(_), Some(id)) => Shown::of(named_id(target.world, "keys", id)),
            (Some(_), None) => Shown::AfterApply,
        };
        let diff = diff
            .field(
                "description",
                Shown::of(&live.description),
                Shown::of(&self.description),
            )
            .field("key", Shown::option(old), new)
            .field(
                "recovery_days",
                Shown::option(live.tags.value(RECOVERY_DAYS)),
                Shown::of(self.recovery_days),
            );
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, region: &str) -> Cost {
        monthly("secretsmanager/secret", region, 1.0) + Cost::by_use("requests")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        match live {
            Some(live) => change::updated(self, cx, target, live.clone()).await,
            None => change::created(self, cx, target).await,
        }
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        delete::presence(cx, ids).await
    }
}

impl StoredSecret {
    /// What it is to be encrypted with, where that is known.
    fn key_id<'a>(&self, target: Target<'a>) -> Option<&'a str> {
        let name = self.key.as_ref()?;
        target.world.id("keys", &name.0)
    }

    /// The value that is there is the wanted one, and nobody has written another one since.
    fn is_current(&self, live: &Live, target: Target<'_>) -> Result<bool> {
        let noted = live.tags.value(VALUE).unwrap_or_default();
        if let Some(generate) = &self.generate {
            return Ok(noted == generate.words());
        }
        let Some(source) = &self.value_from else {
            return Ok(true);
        };
        let wanted = source.read(target)?;
        let version = change::version_of(noted);
        Ok(live.version == Some(version) && is_of(noted, &wanted))
    }
}
