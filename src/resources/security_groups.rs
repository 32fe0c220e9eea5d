//! EC2 security groups, with their rules as fields.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::presence::present_by_tags;
use super::quotas;
use super::reference::{NetworkName, named};
use crate::aws::ec2::{filter, of_stack, retag, tags_of};
use crate::aws::{Tags, refused, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, Node, OutputMeaning, Outputs, Result, Shown, Value};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted};

pub mod changes;
mod creation;
mod delete;
mod members;
pub mod peer;
pub mod ports;
pub mod rule;
mod rules_applied;

use changes::Changes;
use peer::Resolver;
use rule::{Egress, Ingress, Rule, Written};

/// What AWS allows in names and descriptions of groups and rules.
const PLAIN: &str = "AWS allows up to 255 characters here: ASCII letters and digits, spaces and \
                     `._-:/()#,@[]+=&;{}!$*`";

/// A firewall around instances: what may come in and go out
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecurityGroup {
    /// Name in AWS; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Description in AWS, up to 255 characters
    #[schemars(extend("x-fixed" = true))]
    pub description: Option<String>,
    /// The network that it is in, declared in the playbook; or the id or name of an existing VPC.
    /// Without it, the region's default VPC
    #[schemars(extend("x-fixed" = true))]
    pub network: Option<NetworkName>,
    /// Id of the VPC, instead of `network`
    #[schemars(extend("x-fixed" = true))]
    pub vpc: Option<String>,
    /// What may come in; nothing, if not given
    #[serde(default)]
    pub ingress: Vec<Ingress>,
    /// What may go out; everything, if not given
    pub egress: Option<Vec<Egress>>,
}

/// A security group in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    id: String,
    name: String,
    description: String,
    vpc: String,
    ingress: Vec<Rule>,
    egress: Vec<Rule>,
    tags: Tags,
    /// The address under which AWS sees this machine, where a rule says `me`.
    own_ip: Option<IpAddr>,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.id.as_str())
            .with("name", self.name.as_str())
            .with("vpc_id", self.vpc.as_str())
    }

    fn cost(&self, _region: &str) -> Option<Cost> {
        Some(Cost::default())
    }
}

impl Resource for SecurityGroup {
    const KIND: &'static str = "security_groups";
    const IAM: Iam = Iam {
        discover: &["ec2:DescribeSecurityGroups"],
        apply: &[
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeVpcs",
            "ec2:DescribeSubnets",
            "ec2:DescribeInstances",
            "ec2:ModifyInstanceAttribute",
            "ec2:CreateSecurityGroup",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
            "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
            "ec2:CreateTags",
            "ec2:DeleteTags",
        ],
        delete: &[
            "ec2:DescribeTags",
            "ec2:DeleteSecurityGroup",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeInstances",
            "ec2:RevokeSecurityGroupIngress",
            "ec2:RevokeSecurityGroupEgress",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Id in AWS"),
        ("name", "Name in AWS"),
        ("vpc_id", "Id of its VPC"),
    ];
    const ARN: Option<&'static str> = Some("ec2:security-group/");
    const DELETE_RANK: u8 = 112;
    const QUOTA: Option<Quota> = Some(quotas::SECURITY_GROUPS);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let mut found = Vec::new();
        let at = |key: &str| vec![Step::Key(key.to_owned())];
        for (key, text) in [("name", &self.name), ("description", &self.description)] {
            if text.as_ref().is_some_and(|text| !is_plain(text)) {
                found.push((at(key), PLAIN.to_owned()));
            }
        }
        if self
            .name
            .as_ref()
            .is_some_and(|name| name.starts_with("sg-"))
        {
            found.push((
                at("name"),
                "names that begin with `sg-` are AWS's own".to_owned(),
            ));
        }
        if self.network.is_some() && self.vpc.is_some() {
            let text = "write `network` or `vpc`, not both";
            found.push((at("vpc"), text.to_owned()));
        }
        for (index, rule) in self.ingress.iter().enumerate() {
            let path = [at("ingress"), vec![Step::Index(index)]].concat();
            Written::from(rule).problems(&path, "from", &mut found);
        }
        for (index, rule) in self.egress.iter().flatten().enumerate() {
            let path = [at("egress"), vec![Step::Index(index)]].concat();
            Written::from(rule).problems(&path, "to", &mut found);
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let mut found = list(cx, vec![of_stack(&cx.stack)]).await?;
        let (ids, names): (Vec<_>, Vec<_>) = wanted
            .external
            .iter()
            .partition(|name| name.starts_with("sg-"));
        for (key, values) in [("group-id", ids), ("group-name", names)] {
            if !values.is_empty() {
                found.extend(list(cx, vec![filter(key, values)]).await?);
            }
        }
        if !found.is_empty() && wanted.declared.iter().any(|(_, node)| mentions_me(node)) {
            let own_ip = Some(cx.aws.own_ip().await?);
            for live in &mut found {
                live.own_ip = own_ip;
            }
        }
        Ok(found)
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let name = self.aws_name(target);
        let mut diff = Diff::default().fixed("name", Shown::of(&live.name), Shown::of(name));
        for (field, old, wanted) in [
            ("description", &live.description, &self.description),
            ("vpc", &live.vpc, &self.vpc),
        ] {
            if let Some(wanted) = wanted {
                diff = diff.fixed(field, Shown::of(old), Shown::of(wanted));
            }
        }
        if let Some(NetworkName(name)) = &self.network {
            let old = || Shown::of(named(target.world, "networks", &live.vpc));
            diff = match target.world.id("networks", name) {
                Some(id) if id == live.vpc => diff,
                Some(_) => diff.fixed("network", old(), Shown::of(name)),
                None => diff.fixed("network", old(), Shown::AfterApply),
            };
        }
        let with = live.resolver(target);
        let wanted = self.ingress_rules(with);
        diff = Changes::between(&live.ingress, &wanted).show(diff, "ingress", "from", with);
        let wanted = self.egress_rules(live, with);
        diff = Changes::between(&live.egress, &wanted).show(diff, "egress", "to", with);
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn uses(&self) -> Vec<(Quota, u64)> {
        let ingress = self.ingress.iter().map(Written::from);
        let egress = self.egress.iter().flatten().map(Written::from);
        vec![
            (quotas::INBOUND_RULES, ingress.map(Written::count).sum()),
            (quotas::OUTBOUND_RULES, egress.map(Written::count).sum()),
        ]
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            Some(live) => live.clone(),
            None => creation::made(self, cx, target).await?,
        };
        if self.mentions_me() {
            live.own_ip = Some(cx.aws.own_ip().await?);
        }
        rules_applied::apply(self, cx, target, &live).await?;
        retag(
            &cx.aws,
            std::slice::from_ref(&live.id),
            &live.tags,
            target.tags,
        )
        .await?;
        live.tags.apply(target.tags);
        Ok(live)
    }

    async fn release(cx: &Context, old: &Live) -> Result<()> {
        members::release(cx, old).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let by_id = |ids| list(cx, vec![filter::<String>("group-id", ids)]);
        let seen = |live: Live| (live.id, "exists".to_owned());
        present_by_tags(cx, ids, by_id, seen).await
    }
}

impl SecurityGroup {
    fn aws_name<'a>(&'a self, target: Target<'a>) -> &'a str {
        self.name.as_deref().unwrap_or(&target.address.name)
    }

    fn ingress_rules(&self, with: Resolver<'_>) -> Vec<Rule> {
        let rules = self.ingress.iter().map(Written::from);
        rules.flat_map(|rule| rule.rules(with)).collect()
    }

    /// What may go out. If not given, what AWS gives a new group: everything, over IPv6 too if
    /// the VPC has it.
    fn egress_rules(&self, live: &Live, with: Resolver<'_>) -> Vec<Rule> {
        if let Some(egress) = &self.egress {
            let rules = egress.iter().map(Written::from);
            return rules.flat_map(|rule| rule.rules(with)).collect();
        }
        let v6 = Rule::everything("::/0");
        let v6 = live.egress.contains(&v6).then_some(v6);
        [Rule::everything("0.0.0.0/0")]
            .into_iter()
            .chain(v6)
            .collect()
    }

    fn mentions_me(&self) -> bool {
        let from = self.ingress.iter().flat_map(|rule| &rule.from.0);
        let to = self.egress.iter().flatten().flat_map(|rule| &rule.to.0);
        from.chain(to).any(|peer| peer.0 == "me")
    }
}

impl Live {
    fn resolver<'a>(&'a self, target: Target<'a>) -> Resolver<'a> {
        Resolver {
            own_ip: self.own_ip,
            own_address: target.address,
            own_id: &self.id,
            world: target.world,
        }
    }
}

impl From<aws_sdk_ec2::types::SecurityGroup> for Live {
    fn from(group: aws_sdk_ec2::types::SecurityGroup) -> Self {
        Self {
            id: group.group_id.unwrap_or_default(),
            name: group.group_name.unwrap_or_default(),
            description: group.description.unwrap_or_default(),
            vpc: group.vpc_id.unwrap_or_default(),
            ingress: Rule::read(group.ip_permissions),
            egress: Rule::read(group.ip_permissions_egress),
            tags: tags_of(group.tags),
            own_ip: None,
        }
    }
}

async fn list(cx: &Context, filters: Vec<aws_sdk_ec2::types::Filter>) -> Result<Vec<Live>> {
    let call = cx
        .aws
        .ec2
        .describe_security_groups()
        .set_filters(Some(filters));
    let pages = call.into_paginator().page_size(1000).items().send();
    let groups: std::result::Result<Vec<_>, _> = pages.collect().await;
    let groups = groups.map_err(refused("ec2:DescribeSecurityGroups"))?;
    Ok(groups.into_iter().map(Live::from).collect())
}

fn mentions_me(node: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |node| found |= matches!(&node.value, Value::Text(text) if text == "me"));
    found
}

fn is_plain(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    text.len() <= 255 && text.chars().all(allowed)
}
