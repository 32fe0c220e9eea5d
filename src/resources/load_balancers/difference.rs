//! What differs between the listeners that are there and those that are wanted, port by port.

use super::action::{self, Action};
use super::certificates::resolve;
use super::listener::{Listener, Rule};
use super::listing::{Live, LiveListener, LiveRule};
use crate::base::{Diff, Shown, World};

/// Adds what differs.
pub(super) fn listeners(mut diff: Diff, live: &Live, wanted: &[Listener], world: &World) -> Diff {
    let mut comes_or_goes = false;
    for listener in wanted {
        let field = format!("listeners[{}]", listener.port);
        if let Some(there) = live.listeners.iter().find(|it| it.port == listener.port) {
            comes_or_goes |= there.protocol != listener.protocol().word();
            diff = one(diff, &field, live, there, listener, world);
        } else {
            comes_or_goes = true;
            let action = action::shown(listener.choice(), world);
            let text = format!("{}, {action}", listener.protocol().word());
            diff = diff.field(&field, Shown::Absent, Shown::of(text));
        }
    }
    for there in &live.listeners {
        if wanted.iter().all(|listener| listener.port != there.port) {
            comes_or_goes = true;
            let field = format!("listeners[{}]", there.port);
            let text = format!("{}, {}", there.protocol, there.action.words(world));
            diff = diff.field(&field, Shown::of(text), Shown::Absent);
        }
    }
    if comes_or_goes {
        diff.unsettles("url")
    } else {
        diff
    }
}

fn one(
    diff: Diff,
    field: &str,
    live: &Live,
    there: &LiveListener,
    wanted: &Listener,
    world: &World,
) -> Diff {
    let below = |name: &str| format!("{field}.{name}");
    let diff = diff
        .field(
            &below("protocol"),
            Shown::of(&there.protocol),
            Shown::of(wanted.protocol().word()),
        )
        .field(
            &below("ssl_policy"),
            Shown::option(there.ssl_policy.as_ref()),
            Shown::option(wanted.ssl_policy()),
        );
    let (old, new) = certificates(live, there, wanted);
    let diff = diff.field(&below("certificates"), old, new);
    let diff = diff.field(
        &below("action"),
        Shown::of(there.action.words(world)),
        action::shown(wanted.choice(), world),
    );
    let old = there.rules.iter().map(|rule| live_rule(rule, world));
    let new = wanted.rules.iter().map(|rule| rule_words(rule, world));
    let new = match new.collect::<Option<Vec<_>>>() {
        Some(new) => Shown::of(new.join("; ")),
        None => Shown::AfterApply,
    };
    let old = Shown::of(old.collect::<Vec<_>>().join("; "));
    diff.field(&below("rules"), old, new)
}

/// Both sides by domain where it is known; the same when the playbook's words mean what is there.
fn certificates(live: &Live, there: &LiveListener, wanted: &Listener) -> (Shown, Shown) {
    let written = &wanted.certificates.0;
    let arns = written
        .iter()
        .map(|one| resolve(one, &live.certificates, &there.certificates));
    let same = arns.collect::<Option<Vec<_>>>().map(in_order);
    let new = Shown::list(written);
    if same.as_deref() == Some(there.certificates.as_slice()) {
        return (new.clone(), new);
    }
    let name = |arn: &String| {
        let known = live.certificates.iter().find(|one| one.arn == *arn);
        let domain = known.and_then(|one| one.domains.first());
        domain.unwrap_or(arn).clone()
    };
    let old = Shown::list(there.certificates.iter().map(name));
    // Another one of the same name: the names do not tell.
    if old == new {
        return (Shown::list(&there.certificates), new);
    }
    (old, new)
}

/// The first one, then the others as AWS lists them.
pub(super) fn in_order(arns: Vec<String>) -> Vec<String> {
    let mut arns = arns.into_iter();
    let first = arns.next();
    let mut rest: Vec<_> = arns.filter(|arn| Some(arn) != first.as_ref()).collect();
    rest.sort();
    rest.dedup();
    first.into_iter().chain(rest).collect()
}

/// What a rule should be in AWS; `None` while its target group does not exist.
pub(super) fn rule(wanted: &Rule, world: &World) -> Option<LiveRule> {
    let sorted = |values: &[String]| {
        let mut values = values.to_vec();
        values.sort();
        values
    };
    Some(LiveRule {
        path: sorted(&wanted.path.0),
        host: sorted(&wanted.host.0),
        action: wanted.choice().action(world)?,
        ..LiveRule::default()
    })
}

fn rule_words(wanted: &Rule, world: &World) -> Option<String> {
    rule(wanted, world).map(|rule| live_rule(&rule, world))
}

fn live_rule(rule: &LiveRule, world: &World) -> String {
    let conditions = [("host", &rule.host), ("path", &rule.path)];
    let conditions = conditions
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(what, values)| format!("{what} {}", values.join(", ")))
        .chain(rule.other.clone())
        .collect::<Vec<_>>();
    format!("{}: {}", conditions.join(" "), rule.action.words(world))
}

/// Whether two rules do the same, whatever their place.
pub(super) fn same(a: &LiveRule, b: &LiveRule) -> bool {
    let key = |it: &LiveRule| -> (Vec<String>, Vec<String>, Vec<String>, Action) {
        (
            it.path.clone(),
            it.host.clone(),
            it.other.clone(),
            it.action.clone(),
        )
    };
    key(a) == key(b)
}
