//! Load balancers as AWS reports them, with their listeners.

use std::collections::HashMap;

use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, Listener as SdkListener, LoadBalancer as SdkBalancer, LoadBalancerSchemeEnum,
    LoadBalancerStateEnum,
};
use futures::future::{try_join, try_join_all};
use serde::Deserialize;

use super::action::Action;
use super::certificates::{self, Certificate};
use crate::aws::{Tags, is_code, refused, tags};
use crate::base::{Cost, Node, Outputs, Result};
use crate::contract::{Context, Wanted};
use crate::resources::apart::is_asked;
use crate::resources::named::among_balancing;

pub(super) const ARN: &str = "elasticloadbalancing:loadbalancer/app/";
pub(super) const NOT_FOUND: &str = "LoadBalancerNotFound";

/// A load balancer in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) dns_name: String,
    pub(super) zone_id: String,
    /// As AWS words it: `active`.
    pub(super) state: String,
    /// As AWS words it: `internet-facing`.
    pub(super) scheme: String,
    pub(super) ip_address_type: String,
    pub(super) vpc: String,
    pub(super) subnets: Vec<String>,
    pub(super) security_groups: Vec<String>,
    pub(super) idle_timeout_seconds: i32,
    pub(super) deletion_protection: bool,
    pub(super) listeners: Vec<LiveListener>,
    pub(super) tags: Tags,
    /// What ACM has, where the playbook names certificates by domain.
    pub(super) certificates: Vec<Certificate>,
}

/// A listener in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiveListener {
    pub(super) arn: String,
    pub(super) port: u16,
    pub(super) protocol: String,
    pub(super) ssl_policy: Option<String>,
    /// ARNs, the one for clients that name no host first.
    pub(super) certificates: Vec<String>,
    pub(super) action: Action,
    /// In the order of their priority.
    pub(super) rules: Vec<LiveRule>,
}

/// A rule of a listener in AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiveRule {
    pub(super) arn: String,
    pub(super) priority: i32,
    pub(super) path: Vec<String>,
    pub(super) host: Vec<String>,
    /// Conditions that no playbook can say, in words.
    pub(super) other: Vec<String>,
    pub(super) action: Action,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.arn
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        let full_name = self.arn.split_once(":loadbalancer/").map(|(_, name)| name);
        Outputs::default()
            .with("id", self.arn.as_str())
            .with("arn", self.arn.as_str())
            .with("name", self.name.as_str())
            .with("dns_name", self.dns_name.as_str())
            .with("zone_id", self.zone_id.as_str())
            .with("url", self.url())
            .with("full_name", full_name)
    }

    fn cost(&self, region: &str) -> Option<Cost> {
        Some(super::price(region))
    }
}

impl Live {
    /// Where it answers: over HTTPS if it can, at the protocol's own port if it can.
    fn url(&self) -> Option<String> {
        let own = |it: &LiveListener| if it.protocol == "HTTPS" { 443 } else { 80 };
        let best = |it: &&LiveListener| (it.protocol != "HTTPS", it.port != own(it), it.port);
        let listener = self.listeners.iter().min_by_key(best)?;
        let scheme = listener.protocol.to_lowercase();
        let port = match listener.port {
            port if port == own(listener) => String::new(),
            port => format!(":{port}"),
        };
        Some(format!("{scheme}://{}{port}/", self.dns_name))
    }
}

impl From<SdkBalancer> for Live {
    fn from(balancer: SdkBalancer) -> Self {
        let word = |word: Option<&str>| word.unwrap_or_default().to_owned();
        let state = balancer.state.as_ref().and_then(|it| it.code.as_ref());
        let zones = balancer.availability_zones.into_iter().flatten();
        let mut subnets: Vec<_> = zones.filter_map(|zone| zone.subnet_id).collect();
        subnets.sort();
        let mut security_groups = balancer.security_groups.unwrap_or_default();
        security_groups.sort();
        Self {
            state: word(state.map(LoadBalancerStateEnum::as_str)),
            scheme: word(balancer.scheme.as_ref().map(LoadBalancerSchemeEnum::as_str)),
            ip_address_type: word(balancer.ip_address_type.as_ref().map(IpAddressType::as_str)),
            arn: balancer.load_balancer_arn.unwrap_or_default(),
            name: balancer.load_balancer_name.unwrap_or_default(),
            dns_name: balancer.dns_name.unwrap_or_default(),
            zone_id: balancer.canonical_hosted_zone_id.unwrap_or_default(),
            vpc: balancer.vpc_id.unwrap_or_default(),
            subnets,
            security_groups,
            idle_timeout_seconds: super::minute(),
            ..Self::default()
        }
    }
}

pub(super) async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
    let all = list(cx).await?;
    let (found, mut tags) = among_balancing(cx, wanted, ARN, all).await?;
    let complete = found.into_iter().map(|mut live| {
        live.tags = tags.remove(&live.arn).unwrap_or_default();
        async move {
            if live.tags.value(tags::STACK) == Some(&cx.stack) {
                complete(cx, wanted, &mut live).await?;
            }
            // Its listeners tell what its URL is.
            else if wanted.external.contains(&live.name) || wanted.external.contains(&live.arn) {
                live.listeners = listeners(cx, &live.arn, false).await?;
            }
            Ok::<_, crate::base::Error>(live)
        }
    });
    let mut found = try_join_all(complete).await?;
    let secure = |live: &Live| live.listeners.iter().any(|it| it.protocol == "HTTPS");
    let by_domain = wanted.declared.iter().any(|(_, node)| names_domains(node));
    if by_domain && found.iter().any(secure) {
        let certificates = certificates::list(cx).await?;
        for live in &mut found {
            live.certificates.clone_from(&certificates);
        }
    }
    Ok(found)
}

/// What AWS tells of one load balancer at a time only, where it is asked for.
async fn complete(cx: &Context, wanted: &Wanted, live: &mut Live) -> Result<()> {
    let its_attributes = async {
        if is_asked(wanted, &live.tags, super::ATTRIBUTES) {
            return Ok(Some(attributes(cx, &live.arn).await?));
        }
        Ok(None)
    };
    let its_listeners = async {
        if wanted.for_deletion {
            return Ok(Vec::new());
        }
        let with_rules = is_asked(wanted, &live.tags, super::RULES);
        listeners(cx, &live.arn, with_rules).await
    };
    let (attributes, listeners) = try_join(its_attributes, its_listeners).await?;
    if let Some(attributes) = attributes {
        let text = |key: &str| attributes.get(key).map(String::as_str).unwrap_or_default();
        let idle = text("idle_timeout.timeout_seconds").parse();
        live.idle_timeout_seconds = idle.unwrap_or_default();
        live.deletion_protection = text("deletion_protection.enabled") == "true";
    }
    live.listeners = listeners;
    Ok(())
}

/// Some listener of a spec has a certificate that is given by a domain name.
fn names_domains(node: &Node) -> bool {
    let listeners = node.entry("listeners").and_then(Node::as_list);
    let certificates = |listener: &Node| {
        let mut found = false;
        if let Some(node) = listener.entry("certificates") {
            node.walk(&mut |node| {
                found |= node
                    .as_text()
                    .is_some_and(|text| !certificates::is_arn(text));
            });
        }
        found
    };
    listeners.into_iter().flatten().any(certificates)
}

async fn attributes(cx: &Context, arn: &str) -> Result<HashMap<String, String>> {
    let call = cx.aws.elb.describe_load_balancer_attributes();
    let told = call.load_balancer_arn(arn).send().await;
    let told = told.map_err(refused(
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
    ))?;
    let told = told.attributes.into_iter().flatten();
    Ok(told
        .filter_map(|one| Some((one.key?, one.value?)))
        .collect())
}

/// The listeners of a load balancer, by port.
pub(super) async fn listeners(
    cx: &Context,
    arn: &str,
    with_rules: bool,
) -> Result<Vec<LiveListener>> {
    let pages = cx.aws.elb.describe_listeners().load_balancer_arn(arn);
    let mut pages = pages.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(listener) = pages.next().await {
        found.push(listener.map_err(refused("elasticloadbalancing:DescribeListeners"))?);
    }
    let found = found
        .into_iter()
        .map(|listener| listener_of(cx, listener, with_rules));
    let mut found = try_join_all(found).await?;
    found.sort_by_key(|listener| listener.port);
    Ok(found)
}

async fn listener_of(
    cx: &Context,
    listener: SdkListener,
    with_rules: bool,
) -> Result<LiveListener> {
    let arn = listener.listener_arn.unwrap_or_default();
    let protocol = listener.protocol.map(|it| it.as_str().to_owned());
    let protocol = protocol.unwrap_or_default();
    let secure = protocol == "HTTPS";
    let port = listener.port.and_then(|port| u16::try_from(port).ok());
    let mut certificates = listener.certificates.into_iter().flatten();
    let default = certificates.find_map(|one| one.certificate_arn);
    let more = async {
        if secure {
            more_certificates(cx, &arn, default.as_deref()).await
        } else {
            Ok(Vec::new())
        }
    };
    let rules = async {
        if with_rules {
            super::rules::rules(cx, &arn).await
        } else {
            Ok(Vec::new())
        }
    };
    let (more, rules) = try_join(more, rules).await?;
    let default = default.clone().filter(|_| secure);
    Ok(LiveListener {
        port: port.unwrap_or_default(),
        protocol,
        ssl_policy: listener.ssl_policy.filter(|_| secure),
        certificates: default.into_iter().chain(more).collect(),
        action: Action::read(listener.default_actions),
        rules,
        arn,
    })
}

/// The certificates beside the default one, sorted.
pub(super) async fn more_certificates(
    cx: &Context,
    listener: &str,
    default: Option<&str>,
) -> Result<Vec<String>> {
    let pages = cx.aws.elb.describe_listener_certificates();
    let mut pages = pages.listener_arn(listener).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(one) = pages.next().await {
        let one = one.map_err(refused("elasticloadbalancing:DescribeListenerCertificates"))?;
        if one.is_default != Some(true) {
            found.extend(
                one.certificate_arn
                    .filter(|arn| Some(arn.as_str()) != default),
            );
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// All load balancers of the region: AWS refuses to describe several of which one does not exist.
pub(super) async fn list(cx: &Context) -> Result<Vec<Live>> {
    let pages = cx.aws.elb.describe_load_balancers().page_size(400);
    let mut pages = pages.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(one) = pages.next().await {
        let one = one.map_err(refused("elasticloadbalancing:DescribeLoadBalancers"))?;
        found.push(Live::from(one));
    }
    Ok(found)
}

/// One load balancer, by its ARN or its name.
pub(super) async fn describe(cx: &Context, which: &str) -> Result<Option<Live>> {
    let call = cx.aws.elb.describe_load_balancers();
    let call = if which.starts_with("arn:") {
        call.load_balancer_arns(which)
    } else {
        call.names(which)
    };
    let told = call.send().await;
    match told.map_err(refused("elasticloadbalancing:DescribeLoadBalancers")) {
        Ok(told) => {
            let mut told = told.load_balancers.into_iter().flatten();
            Ok(told.next().map(Live::from))
        }
        Err(error) if is_code(&error, NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}
