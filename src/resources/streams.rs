//! Kinesis data streams, with their enhanced fan-out consumers.

use std::time::Duration;

use aws_sdk_kinesis::types::StreamStatus;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;

use super::named;
use super::prices::monthly;
use super::quotas;
use crate::aws::{Poll, Tags, Wait, is_code, refused, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, Error, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Part, Presence, Quota, Resource, Target, Wanted};

mod change;
mod consumers;
mod presence;

const ARN: &str = "kinesis:stream/";
const NOT_FOUND: &str = "ResourceNotFoundException";

/// A Kinesis data stream
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Name in AWS; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Shards, each taking 1 MiB or 1,000 records a second; without it, the stream is on demand
    /// and grows by itself. AWS at most doubles or halves the number in one step: larger changes
    /// take several
    #[schemars(range(min = 1, max = 10000))]
    pub shards: Option<i32>,
    /// Hours that records are kept, 24 to 8760
    #[serde(default = "day")]
    #[schemars(range(min = 24, max = 8760))]
    pub retention_hours: i32,
    /// KMS key that encrypts the records: id, ARN or `alias/NAME`; `alias/aws/kinesis` is AWS's
    /// own. Without it, they are not encrypted
    pub encryption_key: Option<String>,
    /// Names of consumers that read by enhanced fan-out, each with 2 MiB a second of its own
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub consumers: Vec<String>,
}

fn day() -> i32 {
    24
}

/// A stream in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    name: String,
    arn: String,
    /// As AWS words it: `ACTIVE`.
    status: String,
    /// `None` for a stream on demand.
    shards: Option<i32>,
    retention_hours: i32,
    encryption_key: Option<String>,
    consumers: Vec<String>,
    tags: Tags,
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
        Outputs::default()
            .with("id", self.name.as_str())
            .with("name", self.name.as_str())
            .with("arn", self.arn.as_str())
    }

    fn parts(&self) -> Vec<Part> {
        let consumers = self.consumers.iter();
        let part = |name: &String| Part {
            noun: "stream consumer",
            id: format!("{}/consumer/{name}", self.name),
        };
        consumers.map(part).collect()
    }
}

impl Resource for Stream {
    const KIND: &'static str = "streams";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "kinesis:DescribeStreamSummary",
            "kinesis:ListStreamConsumers",
            "kinesis:ListTagsForStream",
        ],
        apply: &[
            "kinesis:DescribeStreamSummary",
            "kinesis:ListTagsForStream",
            "kinesis:CreateStream",
            "kinesis:UpdateStreamMode",
            "kinesis:UpdateShardCount",
            "kinesis:IncreaseStreamRetentionPeriod",
            "kinesis:DecreaseStreamRetentionPeriod",
            "kinesis:StartStreamEncryption",
            "kinesis:StopStreamEncryption",
            "kinesis:ListStreamConsumers",
            "kinesis:RegisterStreamConsumer",
            "kinesis:DeregisterStreamConsumer",
            "kinesis:AddTagsToStream",
            "kinesis:RemoveTagsFromStream",
        ],
        delete: &[
            "kinesis:DeleteStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:ListStreamConsumers",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Name in AWS"),
        ("name", "Name in AWS"),
        ("arn", "Amazon resource name"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 68;
    const DELETE_SEES_IT_GONE: bool = true;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = Vec::new();
        if self.shards.is_some_and(|shards| shards < 1) {
            problems.push((at("shards"), "a stream has at least 1 shard".to_owned()));
        }
        if !(24..=8760).contains(&self.retention_hours) {
            let text = "Kinesis keeps records 24 to 8760 hours (a year)";
            problems.push((at("retention_hours"), text.to_owned()));
        }
        if self.consumers.len() > 20 {
            let text = "a stream has at most 20 enhanced fan-out consumers";
            problems.push((at("consumers"), text.to_owned()));
        }
        problems
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let names = named::names(cx, wanted, ARN).await?;
        // DescribeStreamSummary takes one stream: AWS has no listing with these fields.
        let found = try_join_all(names.iter().map(|name| async {
            let Some(mut live) = describe(cx, name).await? else {
                return Ok(None);
            };
            let ask = || tags_of(cx, name);
            live.tags = named::tags(cx, wanted, &live.arn, ask).await?;
            Ok::<_, Error>(Some(live))
        }));
        // A dying stream is absence.
        let found = found.await?.into_iter().flatten();
        Ok(found.filter(|live| live.status != "DELETING").collect())
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let name = named::name_of(self.name.as_ref(), target);
        let shards = |shards: Option<i32>| match shards {
            Some(shards) => Shown::of(shards),
            None => Shown::of("on demand"),
        };
        let diff = Diff::default()
            .fixed("name", Shown::of(&live.name), Shown::of(name))
            .field("shards", shards(live.shards), shards(self.shards))
            .field(
                "retention_hours",
                Shown::of(live.retention_hours),
                Shown::of(self.retention_hours),
            )
            .field(
                "encryption_key",
                Shown::option(live.encryption_key.as_ref()),
                Shown::option(self.encryption_key.as_ref()),
            )
            .field(
                "consumers",
                Shown::list(&live.consumers),
                Shown::list(consumers::sorted(&self.consumers)),
            );
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, region: &str) -> Cost {
        let shards = f64::from(self.shards.unwrap_or_default());
        let being_there = match self.shards {
            Some(_) => monthly("kinesis/shard", region, shards),
            None => monthly("kinesis/on-demand-stream", region, 1.0),
        };
        let longer = match self.retention_hours {
            ..=24 => Cost::default(),
            _ => monthly("kinesis/extended-retention-shard", region, shards),
        };
        #[expect(clippy::cast_precision_loss, reason = "at most 20 consumers")]
        let readers = shards * self.consumers.len() as f64;
        let readers = match self.consumers.as_slice() {
            [] => Cost::default(),
            _ => monthly("kinesis/consumer-shard", region, readers),
        };
        being_there + longer + readers + Cost::by_use("records")
    }

    fn uses(&self) -> Vec<(Quota, u64)> {
        vec![match self.shards {
            Some(shards) => (quotas::SHARDS, u64::try_from(shards).unwrap_or_default()),
            None => (quotas::ON_DEMAND_STREAMS, 1),
        }]
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            Some(live) => live.clone(),
            None => self.created(cx, target).await?,
        };
        change::shards(cx, target, &mut live, self.shards).await?;
        change::retention(cx, target, &mut live, self.retention_hours).await?;
        change::encryption(cx, target, &mut live, self.encryption_key.as_deref()).await?;
        consumers::bring(cx, target, &mut live, &self.consumers).await?;
        change::tags(cx, &mut live, target.tags).await?;
        Ok(live)
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        let call = cx.aws.kinesis.delete_stream().stream_name(&live.name);
        let call = call.enforce_consumer_deletion(true).send().await;
        match call.map_err(refused("kinesis:DeleteStream")) {
            Err(error) if !is_code(&error, NOT_FOUND) => return Err(error),
            _ => {}
        }
        let what = format!("stream `{}` to be gone", live.name);
        let wait = Wait::new(what, Duration::from_mins(5), &|_| {});
        wait.until(async || match describe(cx, &live.name).await? {
            None => Ok(Poll::Ready(())),
            Some(live) => Ok(Poll::Pending(live.status)),
        })
        .await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        presence::presence(cx, ids).await
    }
}

impl Stream {
    async fn created(&self, cx: &Context, target: Target<'_>) -> Result<Live> {
        let name = named::name_of(self.name.as_ref(), target);
        let call = cx.aws.kinesis.create_stream().stream_name(&name);
        let call = call.stream_mode_details(change::mode(self.shards));
        let call = call.set_shard_count(self.shards);
        let tags = target.tags.0.clone().into_iter().collect();
        let made = call.set_tags(Some(tags)).send().await;
        match made.map_err(refused("kinesis:CreateStream")) {
            Ok(_) => {}
            // An answer was lost, or somebody has a stream of that name.
            Err(error) if is_code(&error, "ResourceInUseException") => {
                let tags = tags_of(cx, &name).await?;
                named::must_be_ours("stream", &name, &tags, target)?;
            }
            Err(error) => return Err(error),
        }
        let mut live = active(cx, target, &name).await?;
        live.tags = target.tags.clone();
        Ok(live)
    }
}

/// Waits until the stream can be used or changed.
async fn active(cx: &Context, target: Target<'_>, name: &str) -> Result<Live> {
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("stream `{name}` to be active");
    let wait = Wait::new(what, Duration::from_mins(10), &news);
    wait.until(async || {
        Ok(match describe(cx, name).await? {
            Some(live) if live.status == StreamStatus::Active.as_str() => Poll::Ready(live),
            Some(live) => Poll::Pending(live.status),
            None => Poll::Pending("not visible yet".to_owned()),
        })
    })
    .await
}

async fn describe(cx: &Context, name: &str) -> Result<Option<Live>> {
    let call = cx.aws.kinesis.describe_stream_summary().stream_name(name);
    let told = match call.send().await {
        Ok(told) => told,
        Err(error) => {
            let error = refused("kinesis:DescribeStreamSummary")(error);
            return if is_code(&error, NOT_FOUND) {
                Ok(None)
            } else {
                Err(error)
            };
        }
    };
    let Some(told) = told.stream_description_summary else {
        return Ok(None);
    };
    let mode = told.stream_mode_details.as_ref();
    let consumers = match told.consumer_count {
        Some(0) => Vec::new(),
        _ => consumers::list(cx, &told.stream_arn).await?,
    };
    Ok(Some(Live {
        shards: change::is_provisioned(mode).then_some(told.open_shard_count),
        name: told.stream_name,
        arn: told.stream_arn,
        status: told.stream_status.as_str().to_owned(),
        retention_hours: told.retention_period_hours,
        encryption_key: told.key_id.filter(|_| {
            let kind = told.encryption_type.as_ref();
            kind.is_some_and(|kind| kind.as_str() == "KMS")
        }),
        consumers,
        tags: Tags::default(),
    }))
}

async fn tags_of(cx: &Context, name: &str) -> Result<Tags> {
    let call = cx.aws.kinesis.list_tags_for_stream().stream_name(name);
    let told = call
        .send()
        .await
        .map_err(refused("kinesis:ListTagsForStream"))?;
    let tags = told.tags.into_iter();
    Ok(Tags(
        tags.map(|tag| (tag.key, tag.value.unwrap_or_default()))
            .collect(),
    ))
}
