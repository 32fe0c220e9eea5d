//! Brings a load balancer's listeners to what the playbook says.

use aws_sdk_elasticloadbalancingv2::types::{Certificate as SdkCertificate, ProtocolEnum};

use super::action::Choice;
use super::certificates::{self, Certificate, is_arn, must_resolve};
use super::difference::{self, in_order};
use super::listener::Listener;
use super::listing::{self, Live, LiveListener};
use super::rules;
use crate::aws::{is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};

pub(super) async fn bring(
    cx: &Context,
    target: Target<'_>,
    live: &mut Live,
    wanted: &[Listener],
) -> Result<()> {
    let by_domain = |it: &Listener| it.certificates.0.iter().any(|one| !is_arn(one));
    if wanted.iter().any(by_domain) {
        live.certificates = certificates::list(cx).await?;
    }
    let (staying, going): (Vec<_>, Vec<_>) = std::mem::take(&mut live.listeners)
        .into_iter()
        .partition(|there| wanted.iter().any(|it| it.port == there.port));
    for there in going {
        let call = cx.aws.elb.delete_listener().listener_arn(there.arn);
        let done = call.send().await;
        match done.map_err(refused("elasticloadbalancing:DeleteListener")) {
            Err(error) if !is_code(&error, "ListenerNotFound") => return Err(error),
            _ => {}
        }
    }
    for listener in wanted {
        let there = staying.iter().find(|it| it.port == listener.port);
        let there = one(cx, target, live, there, listener).await?;
        live.listeners.push(there);
    }
    live.listeners.sort_by_key(|listener| listener.port);
    Ok(())
}

/// One listener as it should be; its rules may still be others.
async fn one(
    cx: &Context,
    target: Target<'_>,
    live: &Live,
    there: Option<&LiveListener>,
    wanted: &Listener,
) -> Result<LiveListener> {
    let used = there.map_or(&[][..], |there| &there.certificates);
    let mut listener = LiveListener {
        port: wanted.port,
        protocol: wanted.protocol().word().to_owned(),
        ssl_policy: wanted.ssl_policy().map(str::to_owned),
        certificates: resolved(wanted, &live.certificates, used)
            .map_err(|error| error.at(target.at))?,
        action: wanted
            .choice()
            .action(target.world)
            .ok_or_else(|| missing(wanted.choice(), target))?,
        ..LiveListener::default()
    };
    let there = match there {
        Some(there) => there.clone(),
        None => created(cx, live, &listener).await?,
    };
    listener.arn.clone_from(&there.arn);
    if head(&there) != head(&listener) {
        let call = cx.aws.elb.modify_listener().listener_arn(&listener.arn);
        let call = call
            .protocol(ProtocolEnum::from(listener.protocol.as_str()))
            .set_ssl_policy(listener.ssl_policy.clone())
            .set_certificates(default_certificate(&listener))
            .default_actions(listener.action.sdk());
        let done = call.send().await;
        done.map_err(refused("elasticloadbalancing:ModifyListener"))?;
    }
    more_certificates(cx, &there, &listener).await?;
    let wanted_rules = wanted.rules.iter().map(|rule| {
        let wanted = difference::rule(rule, target.world);
        wanted.ok_or_else(|| missing(rule.choice(), target))
    });
    let wanted_rules = wanted_rules.collect::<Result<Vec<_>>>()?;
    listener.rules = rules::bring(cx, &listener.arn, &there.rules, wanted_rules).await?;
    Ok(listener)
}

/// What a listener is made with.
fn head(it: &LiveListener) -> impl PartialEq + use<'_> {
    let default = it.certificates.first();
    (&it.protocol, &it.ssl_policy, default, &it.action)
}

fn missing(choice: Choice<'_>, target: Target<'_>) -> Error {
    let name = choice.forward.map_or("", |name| &name.0);
    Error::playbook(format!("target group `{name}` does not exist"), target.at)
}

fn resolved(wanted: &Listener, known: &[Certificate], used: &[String]) -> Result<Vec<String>> {
    let written = wanted.certificates.0.iter();
    let arns = written.map(|written| must_resolve(written, known, used));
    Ok(in_order(arns.collect::<Result<Vec<_>>>()?))
}

fn default_certificate(listener: &LiveListener) -> Option<Vec<SdkCertificate>> {
    let arn = listener.certificates.first()?;
    Some(vec![SdkCertificate::builder().certificate_arn(arn).build()])
}

async fn created(cx: &Context, live: &Live, wanted: &LiveListener) -> Result<LiveListener> {
    let call = cx.aws.elb.create_listener().load_balancer_arn(&live.arn);
    let call = call
        .port(i32::from(wanted.port))
        .protocol(ProtocolEnum::from(wanted.protocol.as_str()))
        .set_ssl_policy(wanted.ssl_policy.clone())
        .set_certificates(default_certificate(wanted))
        .default_actions(wanted.action.sdk());
    let made = call.send().await;
    match made.map_err(refused("elasticloadbalancing:CreateListener")) {
        Ok(made) => {
            let made = made.listeners.into_iter().flatten().next();
            let arn = made.and_then(|made| made.listener_arn).unwrap_or_default();
            let certificates = wanted.certificates.first().cloned();
            Ok(LiveListener {
                arn,
                port: wanted.port,
                protocol: wanted.protocol.clone(),
                ssl_policy: wanted.ssl_policy.clone(),
                certificates: certificates.into_iter().collect(),
                action: wanted.action.clone(),
                rules: Vec::new(),
            })
        }
        // An answer was lost.
        Err(error) if is_code(&error, "DuplicateListener") => {
            let there = listing::listeners(cx, &live.arn, true).await?;
            let there = there.into_iter().find(|it| it.port == wanted.port);
            there.ok_or(error)
        }
        Err(error) => Err(error),
    }
}

/// The certificates beside the default one.
async fn more_certificates(
    cx: &Context,
    there: &LiveListener,
    wanted: &LiveListener,
) -> Result<()> {
    let same = there.certificates == wanted.certificates;
    if same || (there.certificates.len() < 2 && wanted.certificates.len() < 2) {
        return Ok(());
    }
    let default = wanted.certificates.first().map(String::as_str);
    let wanted_more = wanted.certificates.iter().skip(1);
    let more = listing::more_certificates(cx, &wanted.arn, default).await?;
    let of = |arn: &String| SdkCertificate::builder().certificate_arn(arn).build();
    let fresh: Vec<_> = wanted_more
        .clone()
        .filter(|it| !more.contains(it))
        .collect();
    if !fresh.is_empty() {
        let call = cx.aws.elb.add_listener_certificates();
        let call = call.listener_arn(&wanted.arn);
        let fresh = fresh.into_iter().map(of).collect();
        let done = call.set_certificates(Some(fresh)).send().await;
        done.map_err(refused("elasticloadbalancing:AddListenerCertificates"))?;
    }
    let gone = more.iter().filter(|it| !wanted.certificates.contains(it));
    let gone: Vec<_> = gone.map(of).collect();
    if !gone.is_empty() && wanted.protocol == "HTTPS" {
        let call = cx.aws.elb.remove_listener_certificates();
        let call = call.listener_arn(&wanted.arn).set_certificates(Some(gone));
        let done = call.send().await;
        done.map_err(refused("elasticloadbalancing:RemoveListenerCertificates"))?;
    }
    Ok(())
}
