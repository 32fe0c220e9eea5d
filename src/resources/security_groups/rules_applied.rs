//! Brings a security group's rules about: first what is missing, then what is too much.

use aws_sdk_ec2::types::{ResourceType, SecurityGroupRuleDescription, TagSpecification};

use super::changes::Changes;
use super::rule::Rule;
use super::{Live, SecurityGroup, list};
use crate::aws::ec2::{filter, specification};
use crate::aws::{is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};

/// How often the rules are looked at again when AWS and we disagree on what is there.
const ROUNDS: usize = 4;

pub(super) async fn apply(
    spec: &SecurityGroup,
    cx: &Context,
    target: Target<'_>,
    live: &Live,
) -> Result<()> {
    let mut live = live.clone();
    let tags = specification(ResourceType::SecurityGroupRule, target.tags);
    for _ in 0..ROUNDS {
        let with = live.resolver(target);
        let ingress = spec.ingress_rules(with);
        let egress = spec.egress_rules(&live, with);
        let changes = [
            (Side::Ingress, Changes::between(&live.ingress, &ingress)),
            (Side::Egress, Changes::between(&live.egress, &egress)),
        ];
        let mut agreed = true;
        for (side, changes) in &changes {
            agreed &= side.apply(cx, &live.id, changes, &tags).await?;
        }
        if agreed {
            return Ok(());
        }
        // A rule was there already or gone already: an earlier try whose answer was lost.
        let own_ip = live.own_ip;
        let found = list(cx, vec![filter("group-id", [&live.id])]).await?;
        live = found.into_iter().next().ok_or_else(|| {
            Error::failed(format!("security group `{}` has gone meanwhile", live.id))
        })?;
        live.own_ip = own_ip;
    }
    Err(Error::failed(format!(
        "the rules of `{}` did not settle after {ROUNDS} rounds",
        live.id
    ))
    .hint("somebody else may be changing them: run the command again"))
}

#[derive(Clone, Copy)]
pub(super) enum Side {
    Ingress,
    Egress,
}

impl Side {
    /// Makes the changes; `false` when AWS says that the rules are not as we thought.
    async fn apply(
        self,
        cx: &Context,
        id: &str,
        changes: &Changes<'_>,
        tags: &TagSpecification,
    ) -> Result<bool> {
        let authorized = self.authorize(cx, id, &changes.missing, tags).await;
        let renoted: Vec<_> = changes.renoted.iter().map(|(_, new)| *new).collect();
        let renoted = self.describe(cx, id, &renoted).await;
        let agreed = fits(authorized)? & fits(renoted)?;
        // Only once all that is missing is there: a change must not cut off what stays allowed.
        if !agreed {
            return Ok(false);
        }
        match self.revoke(cx, id, &changes.surplus).await {
            // The group that a rule names was made anew, and the rule went with the old one.
            Err(error) if is_code(&error, "InvalidGroup.NotFound") => Ok(false),
            revoked => fits(revoked),
        }
    }

    async fn authorize(
        self,
        cx: &Context,
        id: &str,
        rules: &[&Rule],
        tags: &TagSpecification,
    ) -> Result<()> {
        if rules.is_empty() {
            return Ok(());
        }
        let permissions = Some(rules.iter().map(|rule| rule.permission()).collect());
        let ec2 = &cx.aws.ec2;
        match self {
            Self::Ingress => {
                let call = ec2.authorize_security_group_ingress().group_id(id);
                let call = call
                    .set_ip_permissions(permissions)
                    .tag_specifications(tags.clone());
                let done = call.send().await.map(drop);
                done.map_err(refused("ec2:AuthorizeSecurityGroupIngress"))
            }
            Self::Egress => {
                let call = ec2.authorize_security_group_egress().group_id(id);
                let call = call
                    .set_ip_permissions(permissions)
                    .tag_specifications(tags.clone());
                let done = call.send().await.map(drop);
                done.map_err(refused("ec2:AuthorizeSecurityGroupEgress"))
            }
        }
    }

    pub(super) async fn revoke(self, cx: &Context, id: &str, rules: &[&Rule]) -> Result<()> {
        if rules.is_empty() {
            return Ok(());
        }
        let permissions = Some(rules.iter().map(|rule| rule.permission()).collect());
        let ec2 = &cx.aws.ec2;
        match self {
            Self::Ingress => {
                let call = ec2.revoke_security_group_ingress().group_id(id);
                let done = call.set_ip_permissions(permissions).send().await.map(drop);
                done.map_err(refused("ec2:RevokeSecurityGroupIngress"))
            }
            Self::Egress => {
                let call = ec2.revoke_security_group_egress().group_id(id);
                let done = call.set_ip_permissions(permissions).send().await.map(drop);
                done.map_err(refused("ec2:RevokeSecurityGroupEgress"))
            }
        }
    }

    async fn describe(self, cx: &Context, id: &str, rules: &[&Rule]) -> Result<()> {
        if rules.is_empty() {
            return Ok(());
        }
        let permissions = Some(rules.iter().map(|rule| rule.permission()).collect());
        let none: Option<Vec<SecurityGroupRuleDescription>> = None;
        let ec2 = &cx.aws.ec2;
        match self {
            Self::Ingress => {
                let call = ec2
                    .update_security_group_rule_descriptions_ingress()
                    .group_id(id);
                let call = call.set_ip_permissions(permissions);
                let done = call.set_security_group_rule_descriptions(none).send().await;
                done.map(drop)
                    .map_err(refused("ec2:UpdateSecurityGroupRuleDescriptionsIngress"))
            }
            Self::Egress => {
                let call = ec2
                    .update_security_group_rule_descriptions_egress()
                    .group_id(id);
                let call = call.set_ip_permissions(permissions);
                let done = call.set_security_group_rule_descriptions(none).send().await;
                done.map(drop)
                    .map_err(refused("ec2:UpdateSecurityGroupRuleDescriptionsEgress"))
            }
        }
    }
}

fn fits(done: Result<()>) -> Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(error)
            if is_code(&error, "InvalidPermission.Duplicate")
                || is_code(&error, "InvalidPermission.NotFound") =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
