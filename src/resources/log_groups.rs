//! `CloudWatch` log groups.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::LogGroupClass;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;

use super::named::{self, must_be_ours};
use super::presence::present;
use super::quotas;
use crate::aws::{Poll, Tags, Wait, is_code, refused, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, Error, OutputMeaning, Result, Shown};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted};

mod listing;

pub use listing::Live;

use listing::{describe, list, tags_of};

const ARN: &str = "logs:log-group:";
const NOT_FOUND: &str = "ResourceNotFoundException";

/// The days that `CloudWatch` Logs takes:
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>.
const DAYS: [i32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// Looks at a deleted group that must find it gone, one after the other.
const QUIET_LOOKS: u32 = 2;

/// A group of logs in `CloudWatch`, such as those of a service's containers
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogGroup {
    /// Name in AWS, often like a path (`/ecs/api`); without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Days that logs are kept: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096,
    /// 1827, 2192, 2557, 2922, 3288 or 3653; 0 keeps (and charges for) them for ever
    #[serde(default = "month")]
    #[schemars(range(min = 0, max = 3653))]
    pub retention_days: i32,
    /// ARN of the KMS key that encrypts the logs; without it, AWS's own key does
    pub encryption_key: Option<String>,
    /// `standard` (if not given), or `infrequent_access`: half the price, for queries only
    #[serde(default)]
    #[schemars(extend("x-fixed" = true, "default" = "standard"))]
    pub class: Class,
}

fn month() -> i32 {
    30
}

/// What the logs can be used for
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// All that `CloudWatch` Logs can do.
    #[default]
    Standard,
    /// Queries only, for half the price.
    InfrequentAccess,
}

impl Class {
    fn word(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::InfrequentAccess => "INFREQUENT_ACCESS",
        }
    }
}

impl Resource for LogGroup {
    const KIND: &'static str = "log_groups";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "logs:DescribeLogGroups",
            "logs:ListTagsForResource",
        ],
        apply: &[
            "logs:CreateLogGroup",
            "logs:DescribeLogGroups",
            "logs:ListTagsForResource",
            "logs:PutRetentionPolicy",
            "logs:DeleteRetentionPolicy",
            "logs:AssociateKmsKey",
            "logs:DisassociateKmsKey",
            "logs:TagResource",
            "logs:UntagResource",
        ],
        delete: &["logs:DeleteLogGroup", "logs:DescribeLogGroups"],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Name in AWS"),
        ("name", "Name in AWS"),
        ("arn", "Amazon resource name"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 160;
    const DELETED_LAST: bool = true;
    const QUOTA: Option<Quota> = Some(quotas::LOG_GROUPS);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut found = Vec::new();
        if let Some(text) = self.name.as_deref().and_then(wrong_name) {
            found.push((at("name"), text));
        }
        if self.retention_days != 0 && !DAYS.contains(&self.retention_days) {
            let days: Vec<_> = DAYS.iter().map(ToString::to_string).collect();
            let text = format!(
                "CloudWatch keeps logs 0 (for ever) or so many days: {}",
                days.join(", ")
            );
            found.push((at("retention_days"), text));
        }
        let key = self.encryption_key.as_deref();
        if key.is_some_and(|key| !key.starts_with("arn:")) {
            let text = "CloudWatch takes a key's ARN only, such as `{{ keys.NAME.arn }}`";
            found.push((at("encryption_key"), text.to_owned()));
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let names = named::names(cx, wanted, ARN).await?;
        let found = list(cx, &names).await?.into_iter().map(|mut live| async {
            let ask = || tags_of(cx, &live.arn);
            live.tags = named::tags(cx, wanted, &live.arn, ask).await?;
            Ok::<_, Error>(live)
        });
        try_join_all(found).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let name = named::name_of(self.name.as_ref(), target);
        let days = |days: i32| match days {
            0 => Shown::of("for ever"),
            days => Shown::of(days),
        };
        let diff = Diff::default()
            .fixed("name", Shown::of(&live.name), Shown::of(name))
            .field(
                "retention_days",
                days(live.retention_days),
                days(self.retention_days),
            )
            .field(
                "encryption_key",
                Shown::option(live.encryption_key.as_ref()),
                Shown::option(self.encryption_key.as_ref()),
            )
            .fixed(
                "class",
                Shown::of(live.class.to_lowercase()),
                Shown::of(self.class.word().to_lowercase()),
            );
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, _region: &str) -> Cost {
        Cost::by_use("logs")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            Some(live) => live.clone(),
            None => self.created(cx, target).await?,
        };
        self.retained(cx, &mut live).await?;
        self.encrypted(cx, &mut live).await?;
        retag(cx, &mut live, target.tags).await?;
        Ok(live)
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        let name = &live.name;
        remove(cx, name).await?;
        let quiet = AtomicU32::new(0);
        let wait = Wait::new(
            format!("log group `{name}` to be gone"),
            Duration::from_mins(2),
            &|_| {},
        );
        let wait = wait.every(Duration::from_secs(1), Duration::from_secs(2));
        // A container or function that ends now makes its group anew to write its last lines.
        wait.until(async || {
            if describe(cx, name).await?.is_some() {
                quiet.store(0, Ordering::Relaxed);
                remove(cx, name).await?;
                return Ok(Poll::Pending("there again".to_owned()));
            }
            Ok(match quiet.fetch_add(1, Ordering::Relaxed) + 1 {
                QUIET_LOOKS.. => Poll::Ready(()),
                _ => Poll::Pending("looked at again in a moment".to_owned()),
            })
        })
        .await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let seen = |live: Live| (live.name, "exists".to_owned());
        present(ids, async |ids| list(cx, &ids).await, seen).await
    }
}

impl LogGroup {
    async fn created(&self, cx: &Context, target: Target<'_>) -> Result<Live> {
        let name = named::name_of(self.name.as_ref(), target);
        if let Some(text) = wrong_name(&name) {
            return Err(Error::playbook(text, target.at).hint("write another `name:`"));
        }
        let call = cx.aws.logs.create_log_group().log_group_name(&name);
        let call = call
            .set_kms_key_id(self.encryption_key.clone())
            .log_group_class(LogGroupClass::from(self.class.word()))
            .set_tags(Some(target.tags.0.clone().into_iter().collect()));
        let made = call.send().await;
        match made.map_err(refused("logs:CreateLogGroup")) {
            Ok(_) => {}
            // An answer was lost, or somebody has a group of that name.
            Err(error) if is_code(&error, "ResourceAlreadyExistsException") => {
                let Some(mut live) = describe(cx, &name).await? else {
                    return Err(error.hint("run the command again: it goes on from here"));
                };
                live.tags = tags_of(cx, &live.arn).await?;
                must_be_ours("log group", &name, &live.tags, target)?;
                return Ok(live);
            }
            Err(error) => return Err(error),
        }
        let partition = crate::aws::arn::partition(&cx.region);
        Ok(Live {
            arn: format!(
                "arn:{partition}:logs:{}:{}:log-group:{name}",
                cx.region, cx.account
            ),
            name,
            retention_days: 0,
            encryption_key: self.encryption_key.clone(),
            class: self.class.word().to_owned(),
            tags: target.tags.clone(),
        })
    }

    async fn retained(&self, cx: &Context, live: &mut Live) -> Result<()> {
        if live.retention_days == self.retention_days {
            return Ok(());
        }
        if self.retention_days == 0 {
            let call = cx.aws.logs.delete_retention_policy();
            let done = call.log_group_name(&live.name).send().await;
            done.map_err(refused("logs:DeleteRetentionPolicy"))?;
        } else {
            let call = cx.aws.logs.put_retention_policy();
            let call = call.log_group_name(&live.name);
            let done = call.retention_in_days(self.retention_days).send().await;
            done.map_err(refused("logs:PutRetentionPolicy"))?;
        }
        live.retention_days = self.retention_days;
        Ok(())
    }

    async fn encrypted(&self, cx: &Context, live: &mut Live) -> Result<()> {
        if live.encryption_key == self.encryption_key {
            return Ok(());
        }
        if let Some(key) = &self.encryption_key {
            let call = cx.aws.logs.associate_kms_key();
            let call = call.log_group_name(&live.name).kms_key_id(key);
            let done = call.send().await;
            done.map_err(refused("logs:AssociateKmsKey"))?;
        } else {
            let call = cx.aws.logs.disassociate_kms_key();
            let done = call.log_group_name(&live.name).send().await;
            done.map_err(refused("logs:DisassociateKmsKey"))?;
        }
        live.encryption_key.clone_from(&self.encryption_key);
        Ok(())
    }
}

fn wrong_name(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-/.#".contains(c);
    let right = (1..=512).contains(&name.len()) && name.chars().all(plain);
    (!right).then(|| {
        format!(
            "`{name}` is no name that CloudWatch takes here: 1 to 512 ASCII letters, digits and \
             `_-/.#`"
        )
    })
}

async fn remove(cx: &Context, name: &str) -> Result<()> {
    let call = cx.aws.logs.delete_log_group().log_group_name(name);
    match call.send().await.map_err(refused("logs:DeleteLogGroup")) {
        Err(error) if !is_code(&error, NOT_FOUND) => Err(error),
        _ => Ok(()),
    }
}

async fn retag(cx: &Context, live: &mut Live, wanted: &Tags) -> Result<()> {
    let (set, unset) = tags::changes(&live.tags, wanted);
    if !set.is_empty() {
        let call = cx.aws.logs.tag_resource().resource_arn(&live.arn);
        let done = call.set_tags(Some(set.into_iter().collect())).send().await;
        done.map_err(refused("logs:TagResource"))?;
    }
    if !unset.is_empty() {
        let call = cx.aws.logs.untag_resource().resource_arn(&live.arn);
        let done = call.set_tag_keys(Some(unset)).send().await;
        done.map_err(refused("logs:UntagResource"))?;
    }
    live.tags.apply(wanted);
    Ok(())
}
