//! SNS topics, with their subscriptions.

use std::time::Duration;

use aws_sdk_sns::types::Tag;
use futures::future::{join_all, try_join, try_join_all};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::named::{self, must_be_ours};
use super::quotas;
use crate::aws::{Poll, Tags, Wait, is_code, refused, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, Error, OutputMeaning, Result, Shown};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted};

mod listing;
mod policy;
mod subscriptions;

pub use listing::Live;
pub use subscriptions::{LiveSubscription, Protocol, Subscription};

use listing::{arn_of, declared_name, describe, is_there, tags_of};

const ARN: &str = "sns:";
const NOT_FOUND: &str = "NotFound";
const FIFO: &str = ".fifo";

/// A topic in SNS: what is published to it goes to all who subscribed
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Name in AWS, at most 256 letters, digits, `-` and `_`; without it, the name in the playbook.
    /// AWS wants names of ordered topics to end in `.fifo`: that is added
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Messages arrive in order and once (first in, first out); for queues of that kind only
    #[serde(default)]
    #[schemars(extend("x-fixed" = true))]
    pub fifo: bool,
    /// Sender's name in e-mails and text messages, at most 100 characters
    pub display_name: Option<String>,
    /// KMS key that encrypts the messages: id, ARN or `alias/NAME`; `alias/aws/sns` is AWS's own.
    /// Without it, they are not encrypted
    pub encryption_key: Option<String>,
    /// Who may do what with it: an IAM policy document, as a mapping or as JSON. Without it, the
    /// account may do everything
    #[schemars(extend("type" = ["object", "string", "null"]))]
    pub policy: Option<Json>,
    /// Who gets the messages
    #[serde(default)]
    pub subscriptions: Vec<Subscription>,
}

impl Resource for Topic {
    const KIND: &'static str = "topics";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:ListTagsForResource",
        ],
        apply: &[
            "sns:CreateTopic",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:ListTagsForResource",
            "sns:SetTopicAttributes",
            "sns:Subscribe",
            "sns:Unsubscribe",
            "sns:TagResource",
            "sns:UntagResource",
        ],
        delete: &[
            "sns:DeleteTopic",
            "sns:Unsubscribe",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:GetSubscriptionAttributes",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Amazon resource name"),
        ("arn", "Amazon resource name"),
        ("name", "Name in AWS"),
        (
            "unconfirmed",
            "Endpoints whose subscription nobody has confirmed yet",
        ),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 140;
    const QUOTA: Option<Quota> = Some(quotas::TOPICS);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let key = |field: &str| Step::Key(field.to_owned());
        let mut found = Vec::new();
        if let Some(text) = self.name.as_deref().and_then(wrong_name) {
            found.push((vec![key("name")], text));
        }
        let display_name = self.display_name.as_deref().unwrap_or_default();
        if display_name.chars().count() > 100 {
            let text = "a sender's name has at most 100 characters";
            found.push((vec![key("display_name")], text.to_owned()));
        }
        if let Some(written) = &self.policy
            && policy::read(written).is_none()
        {
            let text = "a policy is a mapping, or text that is a JSON object";
            found.push((vec![key("policy")], text.to_owned()));
        }
        for (index, one) in self.subscriptions.iter().enumerate() {
            if let Some(text) = one.problem() {
                found.push((vec![key("subscriptions"), Step::Index(index)], text));
            }
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let mut names: Vec<String> = wanted.declared.iter().filter_map(declared_name).collect();
        names.extend(wanted.external.iter().cloned());
        let tagged = wanted.tagged.named(&cx.aws, &cx.stack, ARN).await?;
        names.extend(tagged.into_iter().map(|(name, _)| name.to_owned()));
        let mut arns: Vec<_> = names.iter().map(|name| arn_of(cx, name)).collect();
        arns.sort();
        arns.dedup();
        // SNS tells the attributes of one topic at a time.
        let found = try_join_all(arns.iter().map(|arn| async move {
            let (found, subscriptions) =
                try_join(describe(cx, arn), subscriptions::list(cx, arn)).await?;
            let Some(mut live) = found else {
                return Ok(None);
            };
            live.subscriptions = subscriptions;
            live.tags = named::tags(cx, wanted, arn, || tags_of(cx, arn)).await?;
            Ok::<_, Error>(Some(live))
        }));
        Ok(found.await?.into_iter().flatten().collect())
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let (old_policy, new_policy) = policy::shown(&live.policy, self.policy.as_ref());
        let (old, new) = subscriptions::shown(&live.subscriptions, &self.subscriptions);
        let diff = Diff::default()
            .fixed(
                "name",
                Shown::of(&live.name),
                Shown::of(self.aws_name(target)),
            )
            .fixed("fifo", Shown::of(live.fifo), Shown::of(self.fifo))
            .field(
                "display_name",
                Shown::option(live.display_name.as_ref()),
                Shown::option(self.display_name.as_ref()),
            )
            .field(
                "encryption_key",
                Shown::option(live.encryption_key.as_ref()),
                Shown::option(self.encryption_key.as_ref()),
            )
            .field("policy", old_policy, new_policy);
        let diff = if old == new {
            diff
        } else {
            diff.field("subscriptions", old, new)
                .unsettles("unconfirmed")
        };
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, _region: &str) -> Cost {
        Cost::by_use("messages")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            Some(live) => live.clone(),
            None => self.created(cx, target).await?,
        };
        self.attributed(cx, &mut live).await?;
        subscriptions::bring(cx, target, &mut live, &self.subscriptions).await?;
        retag(cx, &mut live, target.tags).await?;
        Ok(live)
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        // AWS keeps subscriptions of a topic that is gone for days.
        for one in &live.subscriptions {
            subscriptions::end(cx, one).await?;
        }
        let call = cx.aws.sns.delete_topic().topic_arn(&live.arn);
        match call.send().await.map_err(refused("sns:DeleteTopic")) {
            Err(error) if !is_code(&error, NOT_FOUND) => return Err(error),
            _ => {}
        }
        let what = format!("topic `{}` to be gone", live.name);
        let wait = Wait::new(what, Duration::from_mins(2), &|_| {});
        wait.until(async || {
            Ok(match describe(cx, &live.arn).await? {
                None => Poll::Ready(()),
                Some(_) => Poll::Pending("still there".to_owned()),
            })
        })
        .await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        join_all(ids.iter().map(|id| is_there(cx, id))).await
    }
}

impl Topic {
    fn aws_name(&self, target: Target<'_>) -> String {
        fifo_name(named::name_of(self.name.as_ref(), target), self.fifo)
    }

    async fn created(&self, cx: &Context, target: Target<'_>) -> Result<Live> {
        let name = self.aws_name(target);
        if let Some(text) = wrong_name(&name) {
            return Err(Error::playbook(text, target.at).hint("write another `name:`"));
        }
        // CreateTopic gives an existing one of that name, whoever owns it.
        let arn = arn_of(cx, &name);
        if let Some(mut live) = describe(cx, &arn).await? {
            live.tags = tags_of(cx, &arn).await?;
            must_be_ours("topic", &name, &live.tags, target)?;
            live.subscriptions = subscriptions::list(cx, &arn).await?;
            return Ok(live);
        }
        let call = cx.aws.sns.create_topic().name(&name);
        let call = if self.fifo {
            call.attributes("FifoTopic", "true")
        } else {
            call
        };
        let call = call.set_tags(Some(sdk_tags(&target.tags.0)));
        let made = call.send().await.map_err(refused("sns:CreateTopic"))?;
        Ok(Live {
            arn: made.topic_arn.unwrap_or(arn),
            name,
            fifo: self.fifo,
            tags: target.tags.clone(),
            ..Live::default()
        })
    }

    async fn attributed(&self, cx: &Context, live: &mut Live) -> Result<()> {
        let arn = live.arn.clone();
        let set = async |name: &str, value: &str| {
            let call = cx.aws.sns.set_topic_attributes().topic_arn(&arn);
            let call = call.attribute_name(name).attribute_value(value);
            let done = call.send().await.map_err(refused("sns:SetTopicAttributes"));
            done.map(|_| ())
        };
        for (name, old, new) in [
            ("DisplayName", &mut live.display_name, &self.display_name),
            (
                "KmsMasterKeyId",
                &mut live.encryption_key,
                &self.encryption_key,
            ),
        ] {
            if old != new {
                set(name, new.as_deref().unwrap_or_default()).await?;
                old.clone_from(new);
            }
        }
        let (old, new) = policy::shown(&live.policy, self.policy.as_ref());
        if old != new {
            let wanted = self.policy.as_ref().and_then(policy::read);
            let wanted = wanted.unwrap_or_else(|| policy::default(&arn, &cx.account));
            set("Policy", &wanted.to_string()).await?;
            live.policy = wanted;
        }
        Ok(())
    }
}

fn fifo_name(name: String, fifo: bool) -> String {
    if fifo && !name.ends_with(FIFO) {
        format!("{name}{FIFO}")
    } else {
        name
    }
}

fn wrong_name(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let own = name.strip_suffix(FIFO).unwrap_or(name);
    let right = !own.is_empty() && name.len() <= 256 && own.chars().all(plain);
    (!right).then(|| {
        format!("`{name}` is no name that SNS takes: 1 to 256 ASCII letters, digits, `-` and `_`")
    })
}

fn sdk_tags(tags: &std::collections::BTreeMap<String, String>) -> Vec<Tag> {
    // Key and value are given: nothing is missing.
    let tag = |(key, value)| Tag::builder().key(key).value(value).build().ok();
    tags.iter().filter_map(tag).collect()
}

async fn retag(cx: &Context, live: &mut Live, wanted: &Tags) -> Result<()> {
    let (set, unset) = tags::changes(&live.tags, wanted);
    if !set.is_empty() {
        let call = cx.aws.sns.tag_resource().resource_arn(&live.arn);
        let done = call.set_tags(Some(sdk_tags(&set))).send().await;
        done.map_err(refused("sns:TagResource"))?;
    }
    if !unset.is_empty() {
        let call = cx.aws.sns.untag_resource().resource_arn(&live.arn);
        let done = call.set_tag_keys(Some(unset)).send().await;
        done.map_err(refused("sns:UntagResource"))?;
    }
    live.tags.apply(wanted);
    Ok(())
}
