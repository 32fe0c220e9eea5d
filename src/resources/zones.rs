//! Route 53 hosted zones: declared ones are made on request, others are looked up by their domain.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;

use super::presence::present;
use super::prices::monthly;
use super::quotas;
use crate::aws::{Tags, is_code, refused, tags};
use crate::base::node::Step;
use crate::base::{Address, Cost, Diff, Error, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted, aws_name};

mod change;
mod creation;
pub mod listing;
mod vpc;

use listing::{Listed, zones};
pub use vpc::VpcName;

const NOT_FOUND: &str = "NoSuchHostedZone";

/// A Route 53 hosted zone: the DNS records of one domain
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Domain that it serves, such as `example.com`; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub domain: Option<String>,
    /// A note that AWS keeps with it, at most 256 characters
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub comment: String,
    /// Networks whose machines can look names up in it: names of the playbook, or ids of VPCs
    /// (`vpc-…`) in the same region. With any, the zone is private and nobody else sees it;
    /// without, it is public. From the one to the other, the zone is made anew
    #[serde(default)]
    #[schemars(extend("x-fixed" = "between public and private"))]
    pub networks: Vec<VpcName>,
}

/// A hosted zone in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    id: String,
    domain: String,
    comment: String,
    private: bool,
    /// Ids of the VPCs that see it, sorted.
    vpcs: Vec<String>,
    name_servers: Vec<String>,
    tags: Tags,
    /// A run ended before it was tagged: `tags` are what its reference tells.
    untagged: bool,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> Option<&str> {
        Some(&self.domain)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.id.as_str())
            .with("domain", self.domain.as_str())
            .with("arn", format!("arn:aws:route53:::hostedzone/{}", self.id))
            .with("name_servers", self.name_servers.clone())
    }
}

impl Resource for Zone {
    const KIND: &'static str = "zones";
    const IAM: Iam = Iam {
        discover: &[
            "route53:ListHostedZones",
            "route53:ListTagsForResources",
            "route53:GetHostedZone",
        ],
        apply: &[
            "route53:ListHostedZones",
            "route53:ListTagsForResources",
            "route53:GetHostedZone",
            "route53:CreateHostedZone",
            "route53:UpdateHostedZoneComment",
            "route53:AssociateVPCWithHostedZone",
            "route53:DisassociateVPCFromHostedZone",
            "route53:ChangeTagsForResource",
            // Route 53 asks for it of whoever makes a zone private.
            "ec2:DescribeVpcs",
        ],
        delete: &[
            "route53:DeleteHostedZone",
            "route53:ListResourceRecordSets",
            "route53:ListHostedZones",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Id of the zone"),
        ("domain", "The domain, without a dot at the end"),
        ("arn", "Amazon resource name"),
        (
            "name_servers",
            "Name servers that the domain's registrar must name; none for a private zone",
        ),
    ];
    // The Tagging API lists hosted zones in us-east-1 only.
    const ARN: Option<&'static str> = None;
    const DELETE_RANK: u8 = 164;
    const QUOTA: Option<Quota> = Some(quotas::HOSTED_ZONES);
    /// Route 53 takes several zones of one domain, and deletes none that still has records.
    const CREATE_FIRST: bool = true;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = Vec::new();
        if let Some(text) = self.domain.as_deref().and_then(domain_problem) {
            problems.push((at("domain"), text));
        }
        if self.comment.chars().count() > 256 {
            let text = "a comment has at most 256 characters";
            problems.push((at("comment"), text.to_owned()));
        }
        problems
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let listed = zones(cx).await?;
        let tags = listing::tags_of_ours(cx, &listed).await?;
        let named = named(&listed, &wanted.external);
        let ours = |id: &str| {
            let tags = tags.get(id).map(|(tags, _)| tags);
            tags.is_some_and(|tags| tags.value(tags::STACK) == Some(&cx.stack))
        };
        let found = listed
            .iter()
            .filter(|zone| ours(&zone.id) || named.contains(zone.id.as_str()));
        let found = try_join_all(found.map(|zone| async {
            let (tags, untagged) = tags.get(&zone.id).cloned().unwrap_or_default();
            let live = match remembered(zone, &tags) {
                Some(live) => Some(live),
                None if wanted.for_deletion => Some(bare(zone)),
                None => describe(cx, zone).await?,
            };
            Ok::<_, Error>(live.map(|live| Live {
                tags,
                untagged,
                ..live
            }))
        }));
        let mut found: Vec<Live> = found.await?.into_iter().flatten().collect();
        // What comes last is what a name means.
        found.sort_by_key(|live| !live.private);
        Ok(found)
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let diff = Diff::default()
            .fixed(
                "domain",
                Shown::of(&live.domain),
                Shown::of(self.domain(target.address)),
            )
            .field(
                "comment",
                Shown::of(&live.comment),
                Shown::of(&self.comment),
            );
        let old = vpc::shown(target.world, &live.vpcs);
        let new = vpc::wanted(target.world, &self.networks);
        let diff = if live.private == self.is_private() {
            diff.field("networks", old, new)
        } else {
            diff.fixed("networks", old, new)
        };
        let told = if live.untagged {
            "by its reference"
        } else {
            ""
        };
        let diff = diff.field("owner told", Shown::of(told), Shown::Absent);
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, region: &str) -> Cost {
        monthly("route53/hosted-zone", region, 1.0) + Cost::by_use("queries")
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let vpcs = vpc::ids(target, &self.networks)?;
        let mut live = match live {
            Some(live) => live.clone(),
            None => self.created(cx, target, &vpcs).await?,
        };
        // At once: until then nothing but its reference tells whose it is.
        let mut tags = target.tags.clone();
        let servers = live.name_servers.join(" ");
        if !live.private && !servers.is_empty() {
            tags.0.insert(tags::NAME_SERVERS.to_owned(), servers);
        }
        change::tags(cx, &mut live, &tags).await?;
        change::comment(cx, &mut live, &self.comment).await?;
        change::vpcs(cx, &mut live, vpcs).await?;
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
        let call = cx.aws.route53.delete_hosted_zone().id(&live.id);
        let call = call.send().await;
        match call.map_err(refused("route53:DeleteHostedZone")) {
            Err(error) if is_code(&error, "HostedZoneNotEmpty") => {
                Err(change::held(cx, live, error).await)
            }
            Err(error) if !is_code(&error, NOT_FOUND) => Err(error),
            _ => Ok(()),
        }
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let list = |_| async { Ok(zones(cx).await?.as_ref().clone()) };
        present(ids, list, |zone: Listed| (zone.id, zone.domain)).await
    }
}

impl Zone {
    fn domain(&self, address: &Address) -> String {
        let domain = self.domain.clone().unwrap_or_else(|| aws_name(address));
        listing::plain(&domain)
    }

    fn is_private(&self) -> bool {
        !self.networks.is_empty()
    }
}

/// Ids of the zones that the playbook means by `names`: of two with one domain, the public one.
fn named<'a>(listed: &'a [Listed], names: &[String]) -> BTreeSet<&'a str> {
    let means = |name: &String| {
        let fitting = listed
            .iter()
            .filter(|zone| zone.id == *name || zone.domain == *name);
        fitting.min_by_key(|zone| zone.private)
    };
    let meant = names.iter().filter_map(means);
    meant.map(|zone| zone.id.as_str()).collect()
}

/// What the listing tells of a zone.
fn bare(zone: &Listed) -> Live {
    Live {
        id: zone.id.clone(),
        domain: zone.domain.clone(),
        comment: zone.comment.clone(),
        private: zone.private,
        ..Live::default()
    }
}

/// A public zone whose name servers a tag tells: nothing else is to be asked for.
fn remembered(zone: &Listed, tags: &Tags) -> Option<Live> {
    let servers = tags.value(tags::NAME_SERVERS).filter(|_| !zone.private)?;
    Some(Live {
        name_servers: servers.split(' ').map(str::to_owned).collect(),
        ..bare(zone)
    })
}

/// Only `GetHostedZone` tells a zone's name servers and VPCs. `None` when it is gone.
async fn describe(cx: &Context, zone: &Listed) -> Result<Option<Live>> {
    let call = cx.aws.route53.get_hosted_zone().id(&zone.id);
    let told = match call.send().await.map_err(refused("route53:GetHostedZone")) {
        Ok(told) => told,
        Err(error) if is_code(&error, NOT_FOUND) => return Ok(None),
        Err(error) => return Err(error),
    };
    let vpcs = told.vpcs.into_iter().flatten();
    let vpcs: BTreeSet<String> = vpcs.filter_map(|vpc| vpc.vpc_id).collect();
    let delegation = told.delegation_set;
    Ok(Some(Live {
        vpcs: vpcs.into_iter().collect(),
        name_servers: delegation.map(|it| it.name_servers).unwrap_or_default(),
        ..bare(zone)
    }))
}

/// What is wrong with a domain, if anything:
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>.
fn domain_problem(domain: &str) -> Option<String> {
    let plain = domain.strip_suffix('.').unwrap_or(domain);
    let fits = |label: &str| !label.is_empty() && label.len() <= 63;
    let whole = plain.len() <= 253 && plain.split('.').all(fits) && !plain.contains(' ');
    let text = format!(
        "`{domain}` is no domain, such as `example.com`: labels of 1 to 63 characters, separated \
         by dots, at most 253 together"
    );
    (!whole).then_some(text)
}
