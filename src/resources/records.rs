//! Route 53 records, each with a companion TXT record that tells whose it is.

use futures::{StreamExt, TryStreamExt, stream};
use schemars::JsonSchema;
use serde::Deserialize;

use super::reference::{ZoneName, named};
use super::zones::listing::zones;
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Address, Cost, Diff, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Part, Presence, Resource, Target, Wanted, aws_name};

mod alias;
mod change;
mod companion;
mod kind;
mod listing;
mod place;
mod presence;
mod values;

pub use alias::{Alias, LiveAlias};
pub use kind::RecordType;
use place::Place;

/// Zones that are looked at at once: Route 53 takes 5 requests a second of an account.
const AT_ONCE: usize = 5;

/// A DNS record in a Route 53 zone. Beside it stands a TXT record `TYPE.NAME._tidewalk.ZONE`,
/// which says which stack it belongs to: a record without one is not tidewalk's and is never
/// touched. `tags:` are not written: a record has none
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The zone that it is in: the name of a zone of this playbook, or the domain or id of one in
    /// the account (of two with one domain, the public one)
    #[schemars(extend("x-fixed" = true))]
    pub zone: ZoneName,
    /// Name within the zone, such as `www`; `@` for the zone's own domain, `*` for all names that
    /// have no record. Without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Type of record
    #[schemars(extend("x-fixed" = true))]
    pub r#type: RecordType,
    /// Seconds that others may remember the answer; an alias has those of what it leads to
    #[serde(default = "minutes")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub ttl: i64,
    /// Values, as DNS writes them: an IPv4 address for A, an IPv6 address for AAAA, one domain for
    /// CNAME, `10 mail.example.com` for MX, `0 issue "example.com"` for CAA, `1 10 5269
    /// example.com` for SRV. The text of a TXT record needs no quotes
    #[serde(default)]
    pub values: Vec<String>,
    /// What an A or AAAA record leads to, in place of values
    pub alias: Option<Alias>,
}

fn minutes() -> i64 {
    300
}

/// A record in Route 53.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    id: String,
    /// Id of the zone.
    zone: String,
    /// Domain of the zone.
    domain: String,
    fqdn: String,
    r#type: String,
    ttl: Option<i64>,
    /// As Route 53 has them; none when the record is gone and its companion is not.
    values: Vec<String>,
    alias: Option<LiveAlias>,
    tags: Tags,
    /// The record sets as they are: Route 53 deletes only what is told exactly.
    #[serde(skip)]
    sets: Vec<aws_sdk_route53::types::ResourceRecordSet>,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> Option<&str> {
        Some(&self.fqdn)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.id.as_str())
            .with("fqdn", self.fqdn.as_str())
            .with("name", place::within(&self.fqdn, &self.domain))
            .with("type", self.r#type.as_str())
            .with("zone_id", self.zone.as_str())
    }

    fn parts(&self) -> Vec<Part> {
        vec![Part {
            noun: "companion record",
            id: self.place().companion().id(),
        }]
    }
}

impl Resource for Record {
    const KIND: &'static str = "records";
    const IAM: Iam = Iam {
        discover: &["route53:ListHostedZones", "route53:ListResourceRecordSets"],
        apply: &[
            "route53:ChangeResourceRecordSets",
            "route53:GetChange",
            "route53:ListResourceRecordSets",
        ],
        delete: &[
            "route53:ListHostedZones",
            "route53:ChangeResourceRecordSets",
            "route53:ListResourceRecordSets",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Zone, full name and type, separated by `/`"),
        ("fqdn", "Full name, such as `www.example.com`"),
        ("name", "Name within the zone; `@` for the zone's own"),
        ("type", "Type of record, such as `A`"),
        ("zone_id", "Id of the zone"),
    ];
    const ARN: Option<&'static str> = None;
    const DELETE_RANK: u8 = 16;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = Vec::new();
        if let Some(text) = self.name.as_deref().and_then(place::problem) {
            problems.push((at("name"), text));
        }
        if !(0..=2_147_483_647).contains(&self.ttl) {
            let text = "DNS takes a `ttl` of 0 to 2147483647 seconds";
            problems.push((at("ttl"), text.to_owned()));
        }
        let apex = self.name.as_deref() == Some("@");
        if apex && self.r#type == RecordType::Cname {
            let text = "the zone's own domain cannot be a CNAME: use an alias, type A";
            problems.push((at("type"), text.to_owned()));
        }
        match &self.alias {
            Some(alias) => problems.extend(alias.problems(self.r#type, &self.values)),
            None => problems.extend(values::problems(self.r#type, &self.values)),
        }
        problems
    }

    async fn discover(cx: &Context, _wanted: &Wanted) -> Result<Vec<Live>> {
        // Where the stack has records cannot be told from the playbook alone: one may have been
        // moved from a zone that it names no more.
        let zones = zones(cx).await?;
        let mut looked_at = zones.as_ref().clone();
        looked_at.retain(|zone| zone.records > listing::OWN_SETS);
        let look = |zone| async move { listing::ours(cx, &zone).await };
        let looks = stream::iter(looked_at.into_iter().map(look)).buffered(AT_ONCE);
        let found: Vec<Vec<Live>> = looks.try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let zone = |id: &str| named(target.world, "zones", id).to_owned();
        let wanted_zone = match target.world.id("zones", &self.zone.0) {
            Some(id) if id == live.zone => Shown::of(zone(id)),
            Some(_) => Shown::of(&self.zone.0),
            None => Shown::AfterApply,
        };
        let mut old_zone = Shown::of(zone(&live.zone));
        if old_zone == wanted_zone && zone(&live.zone) != self.zone.0 {
            old_zone = Shown::of(&live.zone);
        }
        let domain = target.world.output(&self.zone_address(), "domain");
        let domain = domain
            .and_then(serde_json::Value::as_str)
            .unwrap_or(&live.domain);
        let fqdn = place::fqdn(&self.name_in(target.address), domain);
        let diff = Diff::default()
            .fixed("zone", old_zone, wanted_zone)
            .fixed(
                "name",
                Shown::of(place::within(&live.fqdn, &live.domain)),
                Shown::of(place::within(&fqdn, domain)),
            )
            .fixed(
                "type",
                Shown::of(&live.r#type),
                Shown::of(self.r#type.name()),
            );
        let wanted = match &self.alias {
            None => Shown::Absent,
            Some(alias) => alias
                .target(target.world)
                .map_or(Shown::AfterApply, Shown::of),
        };
        let diff = match (&self.alias, &live.alias) {
            (None, None) => diff.field("ttl", Shown::option(live.ttl), Shown::of(self.ttl)),
            _ => diff,
        };
        let diff = diff
            .field(
                "values",
                Shown::list(values::plain(&live.r#type, &live.values)),
                Shown::list(values::plain(self.r#type.name(), &self.values)),
            )
            .field("alias", Shown::option(live.alias.as_ref()), wanted);
        Ok(tags::diff(diff, &live.tags, &companion::kept(target.tags)))
    }

    fn cost(&self, _region: &str) -> Cost {
        Cost::by_use("queries")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        change::apply(self, cx, target, live).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        change::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        presence::presence(cx, ids).await
    }
}

impl Record {
    fn zone_address(&self) -> Address {
        Address::new("zones", &self.zone.0)
    }

    fn name_in(&self, address: &Address) -> String {
        self.name.clone().unwrap_or_else(|| aws_name(address))
    }
}

impl Live {
    fn place(&self) -> Place {
        Place {
            zone: self.zone.clone(),
            domain: self.domain.clone(),
            fqdn: self.fqdn.clone(),
            r#type: self.r#type.clone(),
        }
    }
}
