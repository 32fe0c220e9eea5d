//! Takes a target group out of the stack's own listeners, so that it can be made anew.

use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, FixedResponseActionConfig};

use super::{Live, listing};
use crate::aws::elb::tags_of;
use crate::aws::{refused, tags};
use crate::base::Result;
use crate::contract::Context;

/// Makes the listeners and rules of the stack that forward to `old` answer 503 for the while.
pub(super) async fn release(cx: &Context, old: &Live) -> Result<()> {
    let balancers = match listing::describe(cx, &old.arn).await? {
        Some(live) => live.load_balancers,
        None => return Ok(()),
    };
    let tags = tags_of(&cx.aws, &balancers).await?;
    let ours = balancers.iter().filter(|arn| {
        let its = tags.get(*arn);
        its.is_some_and(|its| its.value(tags::STACK) == Some(&cx.stack))
    });
    for balancer in ours {
        let pages = cx.aws.elb.describe_listeners().load_balancer_arn(balancer);
        let mut listeners = pages.into_paginator().items().send();
        while let Some(listener) = listeners.next().await {
            let listener = listener.map_err(refused("elasticloadbalancing:DescribeListeners"))?;
            let arn = listener.listener_arn.unwrap_or_default();
            if forwards(listener.default_actions.as_deref(), &old.arn) {
                let call = cx.aws.elb.modify_listener().listener_arn(&arn);
                let done = call.default_actions(unavailable()).send().await;
                done.map_err(refused("elasticloadbalancing:ModifyListener"))?;
            }
            release_rules(cx, &arn, &old.arn).await?;
        }
    }
    Ok(())
}

async fn release_rules(cx: &Context, listener: &str, group: &str) -> Result<()> {
    let pages = cx.aws.elb.describe_rules().listener_arn(listener);
    let mut rules = pages.into_paginator().items().send();
    while let Some(rule) = rules.next().await {
        let rule = rule.map_err(refused("elasticloadbalancing:DescribeRules"))?;
        let is_default = rule.is_default == Some(true);
        if !is_default && forwards(rule.actions.as_deref(), group) {
            let call = cx.aws.elb.modify_rule().set_rule_arn(rule.rule_arn);
            let done = call.actions(unavailable()).send().await;
            done.map_err(refused("elasticloadbalancing:ModifyRule"))?;
        }
    }
    Ok(())
}

/// One of the actions sends traffic to the group.
fn forwards(actions: Option<&[Action]>, group: &str) -> bool {
    actions.into_iter().flatten().any(|action| {
        let several = action.forward_config.as_ref();
        let several = several.and_then(|it| it.target_groups.as_deref());
        let mut several = several.into_iter().flatten();
        action.target_group_arn.as_deref() == Some(group)
            || several.any(|one| one.target_group_arn.as_deref() == Some(group))
    })
}

fn unavailable() -> Action {
    let answer = FixedResponseActionConfig::builder().status_code("503");
    Action::builder()
        .r#type(ActionTypeEnum::FixedResponse)
        .fixed_response_config(answer.build())
        .build()
}
