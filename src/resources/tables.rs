//! `DynamoDB` tables with their global secondary indexes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;

use super::kms_key::KmsKey;
use super::named;
use super::prices::monthly;
use super::quotas;
use crate::aws::{Poll, Tags, Wait, is_code, refused, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, Error, ErrorKind, OutputMeaning, Outputs, Result};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted};

mod change;
mod creation;
mod difference;
mod field;
mod index;
mod limits;
mod listing;

pub use field::{BillingMode, Capacity, Key, StreamView, TableClass};
pub use index::{Index, Projection};

const ARN: &str = "dynamodb:table/";
const NOT_FOUND: &str = "ResourceNotFoundException";

/// A `DynamoDB` table
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Name in AWS; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Attribute that tells items apart, and that they are spread by
    #[schemars(extend("x-fixed" = true))]
    pub partition_key: Key,
    /// Attribute that items with the same partition key are ordered by; with it, both together
    /// tell items apart
    #[schemars(extend("x-fixed" = true))]
    pub sort_key: Option<Key>,
    /// `on_demand` is paid for by request, `provisioned` by the capacity that is set aside
    #[serde(default)]
    #[schemars(extend("default" = "on_demand"))]
    pub billing_mode: BillingMode,
    /// Read capacity units of a provisioned table: strongly consistent reads of 4 KB a second
    #[schemars(range(min = 1))]
    pub read_capacity: Option<i64>,
    /// Write capacity units of a provisioned table: writes of 1 KB a second
    #[schemars(range(min = 1))]
    pub write_capacity: Option<i64>,
    /// Attribute with the time, in seconds since 1970, after which `DynamoDB` deletes the item;
    /// without it, items stay. AWS takes up to an hour to change it, and no second change
    /// meanwhile
    pub ttl_attribute: Option<String>,
    /// Back up continuously, so that the table can be restored to any second of the last 35 days
    #[serde(default)]
    pub point_in_time_recovery: bool,
    /// What the table's change stream tells of an item that changed; without it, there is none
    pub stream: Option<StreamView>,
    /// KMS key that encrypts the table: the name of a key of this playbook, or the id or ARN of
    /// one in the account. Without it, a key that AWS owns
    pub key: Option<KmsKey>,
    /// `infrequent_access` costs less to store and more to use
    #[serde(default)]
    #[schemars(extend("default" = "standard"))]
    pub table_class: TableClass,
    /// Global secondary indexes, by name, at most 20. One whose keys or projection change is
    /// deleted and made anew
    #[serde(default)]
    pub indexes: BTreeMap<String, Index>,
    /// AWS refuses to delete the table; destroy says so and leaves it
    #[serde(default)]
    pub deletion_protection: bool,
}

/// A table in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    name: String,
    arn: String,
    /// As AWS words it: `ACTIVE`.
    status: String,
    partition_key: Option<Key>,
    sort_key: Option<Key>,
    billing_mode: BillingMode,
    /// Of a provisioned table.
    capacity: Option<Capacity>,
    ttl_attribute: Option<String>,
    point_in_time_recovery: bool,
    stream: Option<StreamView>,
    stream_arn: Option<String>,
    /// ARN of a KMS key of the account.
    key: Option<String>,
    table_class: TableClass,
    indexes: BTreeMap<String, Index>,
    /// Indexes that are being made or deleted.
    unfinished: Vec<String>,
    deletion_protection: bool,
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
            .with("stream_arn", self.stream_arn.as_deref())
    }
}

impl Resource for Table {
    const KIND: &'static str = "tables";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "dynamodb:DescribeTable",
            "dynamodb:DescribeTimeToLive",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:ListTagsOfResource",
        ],
        apply: &[
            "dynamodb:DescribeTable",
            "dynamodb:DescribeTimeToLive",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:ListTagsOfResource",
            "dynamodb:CreateTable",
            "dynamodb:UpdateTable",
            "dynamodb:UpdateTimeToLive",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:TagResource",
            "dynamodb:UntagResource",
        ],
        delete: &["dynamodb:DeleteTable", "dynamodb:DescribeTable"],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Name in AWS"),
        ("name", "Name in AWS"),
        ("arn", "Amazon resource name"),
        ("stream_arn", "ARN of its change stream, if it has one"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 72;
    const QUOTA: Option<Quota> = Some(quotas::TABLES);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        limits::problems(self)
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let names = named::names(cx, wanted, ARN).await?;
        // AWS describes one table at a time.
        let found = try_join_all(names.iter().map(|name| async {
            let Some(mut live) = listing::whole(cx, name).await? else {
                return Ok(None);
            };
            let ask = || listing::tags_of(cx, &live.arn);
            live.tags = named::tags(cx, wanted, &live.arn, ask).await?;
            Ok::<_, Error>(Some(live))
        }));
        // A dying table is absence.
        let found = found.await?.into_iter().flatten();
        Ok(found.filter(|live| live.status != "DELETING").collect())
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let diff = difference::of(self, live, target);
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, region: &str) -> Cost {
        let own = self.capacity().into_iter();
        let indexes = self.indexes.values().filter_map(Index::capacity);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 units")]
        let units = own
            .chain(indexes)
            .map(|capacity| {
                monthly("dynamodb/rcu", region, capacity.read as f64)
                    + monthly("dynamodb/wcu", region, capacity.write as f64)
            })
            .sum::<Cost>();
        let mut cost = units + Cost::by_use("storage");
        if self.billing_mode == BillingMode::OnDemand {
            cost = cost + Cost::by_use("requests");
        }
        if self.point_in_time_recovery {
            cost = cost + Cost::by_use("backups");
        }
        cost
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            // It may still be on its way from an earlier run.
            Some(live) if live.is_settled() => live.clone(),
            Some(live) => settled(cx, target, &live.clone()).await?,
            None => self.created(cx, target).await?,
        };
        change::apply(self, cx, target, &mut live).await?;
        Ok(live)
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        if live.deletion_protection {
            let text = format!("table `{}` has deletion protection", live.name);
            let hint = "write `deletion_protection: false`, apply, and destroy again";
            return Err(Error::new(ErrorKind::Kept, text).hint(hint));
        }
        let what = format!("table `{}` to be gone", live.name);
        let wait = Wait::new(what, Duration::from_mins(10), &|_| {});
        let deleted = AtomicBool::new(false);
        wait.until(async || {
            if !deleted.load(Ordering::Relaxed) {
                let call = cx.aws.dynamodb.delete_table().table_name(&live.name);
                let call = call.send().await;
                match call.map_err(refused("dynamodb:DeleteTable")) {
                    Ok(_) => deleted.store(true, Ordering::Relaxed),
                    Err(error) if is_code(&error, NOT_FOUND) => return Ok(Poll::Ready(())),
                    // It is still being made, changed or deleted.
                    Err(error) if is_code(&error, "ResourceInUseException") => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(match listing::describe(cx, &live.name).await? {
                None => Poll::Ready(()),
                Some(live) => Poll::Pending(live.status),
            })
        })
        .await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let answers = ids.iter().map(|id| async {
            match listing::describe(cx, id).await {
                Ok(None) => Presence::Absent,
                Ok(Some(live)) => Presence::Present(live.status),
                Err(error) => Presence::unknown(&error),
            }
        });
        futures::future::join_all(answers).await
    }
}

impl Table {
    /// Of a provisioned table.
    fn capacity(&self) -> Option<Capacity> {
        Some(Capacity {
            read: self.read_capacity?,
            write: self.write_capacity?,
        })
    }
}

impl Live {
    /// It takes changes.
    fn is_settled(&self) -> bool {
        self.status == "ACTIVE" && self.unfinished.is_empty()
    }
}

/// Waits until a table and its indexes take changes; what only other calls tell stays as it was.
async fn settled(cx: &Context, target: Target<'_>, before: &Live) -> Result<Live> {
    let news = |text: &str| cx.progress.doing(target.address, text);
    let what = format!("table `{}` to be active", before.name);
    // Filling an index takes as long as the table is large.
    let wait = Wait::new(what, Duration::from_hours(1), &news);
    let live = wait.until(async || {
        Ok(match listing::describe(cx, &before.name).await? {
            Some(live) if live.is_settled() => Poll::Ready(live),
            Some(live) => {
                let mut state = live.status;
                for name in live.unfinished {
                    state = format!("{state}, index `{name}` is not");
                }
                Poll::Pending(state)
            }
            None => Poll::Pending("not visible yet".to_owned()),
        })
    });
    Ok(Live {
        ttl_attribute: before.ttl_attribute.clone(),
        point_in_time_recovery: before.point_in_time_recovery,
        tags: before.tags.clone(),
        ..live.await?
    })
}
