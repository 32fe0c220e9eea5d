//! Application load balancers, with their listeners as fields.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{IpAddressType, LoadBalancerAttribute};
use schemars::JsonSchema;
use serde::Deserialize;

use super::apart::{Apart, has, remembered};
use super::place;
use super::prices::monthly;
use super::quotas;
use super::reference::{NetworkName, SecurityGroupName, ids_of, ids_shown, names_shown};
use crate::aws::elb::{name_like, retag, wrong_name};
use crate::aws::{refused, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, Node, OutputMeaning, Result, Shown};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted, aws_name};

mod action;
mod certificates;
mod creation;
mod delete;
mod difference;
mod listener;
mod listeners;
mod listing;
mod rules;

pub use action::{Action, Destination, FixedResponse, Redirect};
pub use certificates::Certificate;
pub use listener::{Listener, Rule};
pub use listing::{Live, LiveListener, LiveRule};

const GROUPS: &str = "security_groups";

/// An application load balancer: one address for many targets, over HTTP or HTTPS
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadBalancer {
    /// Name in AWS, at most 32 letters, digits and `-`; without it, the name in the playbook, with
    /// `-` for every other character
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Who can reach it: `internet-facing` (if not given), or `internal` for the network only
    #[serde(default)]
    #[schemars(extend("x-fixed" = true, "default" = "internet-facing"))]
    pub scheme: Scheme,
    /// `ipv4` (if not given), or `dualstack` for IPv6 beside it
    #[serde(default)]
    #[schemars(extend("default" = "ipv4"))]
    pub ip_address_type: AddressType,
    /// Network that it stands in, with one subnet of each zone; without it, the region's default
    /// VPC
    #[schemars(extend("x-fixed" = true))]
    pub network: Option<NetworkName>,
    /// Ids of the subnets that it stands in, each of another zone, two at least; instead of
    /// `network`
    pub subnets: Option<Vec<String>>,
    /// Security groups; without any, it gets the VPC's default one, and what it has stays
    #[serde(default)]
    pub security_groups: Vec<SecurityGroupName>,
    /// Seconds that a connection may be silent, 1 to 4000. Given neither this nor
    /// `deletion_protection`, neither is looked at
    #[serde(default = "minute")]
    #[schemars(range(min = 1, max = 4000))]
    pub idle_timeout_seconds: i32,
    /// AWS refuses to delete it until this is `false` again. Given neither this nor
    /// `idle_timeout_seconds`, neither is looked at
    #[serde(default)]
    pub deletion_protection: bool,
    /// The ports that it answers on, and what is done with the requests
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub listeners: Vec<Listener>,
}

const ATTRIBUTES: Apart = ("attributes", |node| {
    let fields = ["idle_timeout_seconds", "deletion_protection"];
    fields.iter().any(|field| has(node, field))
});
const RULES: Apart = ("rules", |node| {
    let listeners = node.entry("listeners").and_then(Node::as_list);
    let mut listeners = listeners.into_iter().flatten();
    listeners.any(|listener| has(listener, "rules"))
});

/// What AWS sets at first.
fn minute() -> i32 {
    60
}

/// Who can reach a load balancer
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Everybody.
    #[default]
    InternetFacing,
    /// The network.
    Internal,
}

impl Scheme {
    fn word(self) -> &'static str {
        match self {
            Self::InternetFacing => "internet-facing",
            Self::Internal => "internal",
        }
    }
}

/// Which addresses a load balancer has
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AddressType {
    /// IPv4.
    #[default]
    Ipv4,
    /// IPv4 and IPv6.
    Dualstack,
}

impl AddressType {
    fn word(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Dualstack => "dualstack",
        }
    }
}

impl Resource for LoadBalancer {
    const KIND: &'static str = "load_balancers";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeLoadBalancerAttributes",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeListenerCertificates",
            "elasticloadbalancing:DescribeRules",
            "acm:ListCertificates",
        ],
        apply: &[
            place::ACTIONS[0],
            place::ACTIONS[1],
            "elasticloadbalancing:CreateLoadBalancer",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeListenerCertificates",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            "elasticloadbalancing:SetIpAddressType",
            "elasticloadbalancing:SetSubnets",
            "elasticloadbalancing:SetSecurityGroups",
            "elasticloadbalancing:CreateListener",
            "elasticloadbalancing:ModifyListener",
            "elasticloadbalancing:DeleteListener",
            "elasticloadbalancing:AddListenerCertificates",
            "elasticloadbalancing:RemoveListenerCertificates",
            "elasticloadbalancing:CreateRule",
            "elasticloadbalancing:ModifyRule",
            "elasticloadbalancing:DeleteRule",
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:RemoveTags",
            "acm:ListCertificates",
        ],
        delete: &[
            "elasticloadbalancing:DeleteLoadBalancer",
            "elasticloadbalancing:DescribeLoadBalancers",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Amazon resource name"),
        ("arn", "Amazon resource name"),
        ("name", "Name in AWS"),
        ("dns_name", "Host name that AWS gave it"),
        ("zone_id", "Hosted zone of that name, for alias records"),
        ("url", "Where it answers; nothing without listeners"),
        (
            "full_name",
            "What CloudWatch calls it in the dimension `LoadBalancer`",
        ),
    ];
    const ARN: Option<&'static str> = Some(listing::ARN);
    const DELETE_RANK: u8 = 40;
    const DELETE_SEES_IT_GONE: bool = true;
    const QUOTA: Option<Quota> = Some(quotas::APPLICATION_LOAD_BALANCERS);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut found = Vec::new();
        let name = self.name.as_deref();
        found.extend(name.and_then(wrong_name).map(|text| (at("name"), text)));
        if let Some(subnets) = &self.subnets {
            let different: BTreeSet<_> = subnets.iter().collect();
            if different.len() < 2 || different.len() < subnets.len() {
                let text = "a load balancer needs two or more subnets, each of another zone";
                found.push((at("subnets"), text.to_owned()));
            }
            if self.network.is_some() {
                let text = "write `network` or `subnets`, not both";
                found.push((at("subnets"), text.to_owned()));
            }
        }
        if !(1..=4000).contains(&self.idle_timeout_seconds) {
            let text = "AWS takes 1 to 4000 seconds here";
            found.push((at("idle_timeout_seconds"), text.to_owned()));
        }
        if self.listeners.len() > 50 {
            let text = "a load balancer has at most 50 listeners";
            found.push((at("listeners"), text.to_owned()));
        }
        let mut ports = BTreeSet::new();
        for (index, listener) in self.listeners.iter().enumerate() {
            let path = [at("listeners"), vec![Step::Index(index)]].concat();
            if !ports.insert(listener.port) {
                let text = format!("port {} has a listener already", listener.port);
                found.push((path.clone(), text));
            }
            listener.problems(&path, &mut found);
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        listing::discover(cx, wanted).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let diff = Diff::default()
            .fixed(
                "name",
                Shown::of(&live.name),
                Shown::of(self.aws_name(target)),
            )
            .fixed(
                "scheme",
                Shown::of(&live.scheme),
                Shown::of(self.scheme.word()),
            )
            .field(
                "ip_address_type",
                Shown::of(&live.ip_address_type),
                Shown::of(self.ip_address_type.word()),
            );
        let diff = match &self.subnets {
            None => place::diff(diff, &live.vpc, self.network.as_ref(), target.world),
            Some(subnets) => {
                let (old, new) = (Shown::list(&live.subnets), Shown::list(sorted(subnets)));
                diff.field("subnets", old, new)
            }
        };
        let diff = match self.security_groups.as_slice() {
            [] => diff,
            _ => diff.field(
                GROUPS,
                ids_shown(target.world, GROUPS, &live.security_groups),
                names_shown(target.world, GROUPS, self.group_names()),
            ),
        };
        let diff = diff
            .field(
                "idle_timeout_seconds",
                Shown::of(live.idle_timeout_seconds),
                Shown::of(self.idle_timeout_seconds),
            )
            .field(
                "deletion_protection",
                Shown::of(live.deletion_protection),
                Shown::of(self.deletion_protection),
            );
        let diff = difference::listeners(diff, live, &self.listeners, target.world);
        let diff = if creation::is_active(&live.state) {
            diff
        } else {
            diff.field("state", Shown::of(&live.state), Shown::of("active"))
        };
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, region: &str) -> Cost {
        price(region)
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            Some(live) => live.clone(),
            None => creation::created(self, cx, target).await?,
        };
        self.placed(cx, target, &mut live).await?;
        self.attributed(cx, &mut live).await?;
        listeners::bring(cx, target, &mut live, &self.listeners).await?;
        let arn = live.arn.clone();
        let tags = remembered(target, &[ATTRIBUTES, RULES]);
        retag(&cx.aws, &arn, &mut live.tags, &tags).await?;
        creation::active(cx, target, &mut live).await?;
        Ok(live)
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        delete::presence(cx, ids).await
    }
}

/// What one costs a month, whatever its settings.
fn price(region: &str) -> Cost {
    monthly("elb/application", region, 1.0) + Cost::by_use("traffic")
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names
}

impl LoadBalancer {
    fn aws_name(&self, target: Target<'_>) -> String {
        let name = self.name.clone();
        name.unwrap_or_else(|| name_like(&aws_name(target.address)))
    }

    fn group_names(&self) -> impl Iterator<Item = &str> {
        let names = self.security_groups.iter();
        names.map(|SecurityGroupName(name)| name.as_str())
    }

    fn group_ids(&self, target: Target<'_>) -> Result<Vec<String>> {
        ids_of(target, GROUPS, "security group", self.group_names())
    }

    /// Where it stands, and behind which security groups.
    async fn placed(&self, cx: &Context, target: Target<'_>, live: &mut Live) -> Result<()> {
        let elb = &cx.aws.elb;
        // Dual stack needs subnets with IPv6: those come first.
        if let Some(subnets) = &self.subnets
            && live.subnets != sorted(subnets)
        {
            let call = elb.set_subnets().load_balancer_arn(&live.arn);
            let done = call.set_subnets(Some(subnets.clone())).send().await;
            done.map_err(refused("elasticloadbalancing:SetSubnets"))?;
            live.subnets = sorted(subnets);
        }
        let kind = self.ip_address_type.word();
        if live.ip_address_type != kind {
            let call = elb.set_ip_address_type().load_balancer_arn(&live.arn);
            let done = call.ip_address_type(IpAddressType::from(kind)).send().await;
            done.map_err(refused("elasticloadbalancing:SetIpAddressType"))?;
            kind.clone_into(&mut live.ip_address_type);
        }
        let groups = self.group_ids(target)?;
        if !groups.is_empty() && live.security_groups != groups {
            let call = elb.set_security_groups().load_balancer_arn(&live.arn);
            let done = call.set_security_groups(Some(groups.clone())).send().await;
            done.map_err(refused("elasticloadbalancing:SetSecurityGroups"))?;
            live.security_groups = groups;
        }
        Ok(())
    }

    async fn attributed(&self, cx: &Context, live: &mut Live) -> Result<()> {
        let wanted = (self.idle_timeout_seconds, self.deletion_protection);
        if (live.idle_timeout_seconds, live.deletion_protection) == wanted {
            return Ok(());
        }
        let attribute = |key: &str, value: String| {
            let attribute = LoadBalancerAttribute::builder().key(key);
            attribute.value(value).build()
        };
        let call = cx.aws.elb.modify_load_balancer_attributes();
        let call = call
            .load_balancer_arn(&live.arn)
            .attributes(attribute(
                "idle_timeout.timeout_seconds",
                wanted.0.to_string(),
            ))
            .attributes(attribute(
                "deletion_protection.enabled",
                wanted.1.to_string(),
            ));
        let done = call.send().await;
        done.map_err(refused("elasticloadbalancing:ModifyLoadBalancerAttributes"))?;
        (live.idle_timeout_seconds, live.deletion_protection) = wanted;
        Ok(())
    }
}
