//! What kinds have in common whose resources AWS knows by name: the names to look for, whose tags
//! they carry, and whether a name that is taken is ours.

use std::collections::{HashMap, HashSet};
use std::future::Future;

use crate::aws::{Tags, elb, tags};
use crate::base::{Error, Result};
use crate::contract::{Context, Live, Target, Wanted, aws_name};

/// Every name to look for, once: what is declared, what the playbook names, and what the Tagging
/// API lists under ARNs that begin with `begin` (`kinesis:stream/`).
///
/// # Errors
/// When the Tagging API failed.
pub async fn names(cx: &Context, wanted: &Wanted, begin: &str) -> Result<Vec<String>> {
    let mut names = wanted.names();
    names.extend(wanted.external.iter().cloned());
    let tagged = wanted.tagged.named(&cx.aws, &cx.stack, begin).await?;
    names.extend(tagged.into_iter().map(|(name, _)| name.to_owned()));
    names.sort();
    names.dedup();
    Ok(names)
}

/// The tags of what was found under this ARN: as the Tagging API lists them, else by `ask`, since
/// what was made a moment ago is not listed yet.
///
/// # Errors
/// When the Tagging API failed, or `ask`.
pub async fn tags<R>(
    cx: &Context,
    wanted: &Wanted,
    arn: &str,
    ask: impl FnOnce() -> R,
) -> Result<Tags>
where
    R: Future<Output = Result<Tags>>,
{
    let tagged = wanted.tagged.of(&cx.aws, &cx.stack).await?;
    match tagged.iter().find(|one| one.arn == arn) {
        Some(one) => Ok(one.tags.clone()),
        None => ask().await,
    }
}

/// Those of `all` the load balancers or target groups that the playbook declares or names, or that
/// the Tagging API lists under ARNs that begin with `begin`; and the tags of each by ARN: as the
/// Tagging API lists them, else as their own service tells them, in one call for twenty.
///
/// # Errors
/// What AWS said.
pub async fn among_balancing<L: Live>(
    cx: &Context,
    wanted: &Wanted,
    begin: &str,
    mut all: Vec<L>,
) -> Result<(Vec<L>, HashMap<String, Tags>)> {
    let mut known: HashSet<String> = wanted.external.iter().cloned().collect();
    for name in wanted.names() {
        known.insert(elb::name_like(&name));
        known.insert(name);
    }
    let tagged = wanted.tagged.named(&cx.aws, &cx.stack, begin).await?;
    known.extend(tagged.into_iter().map(|(_, one)| one.arn.clone()));
    all.retain(|live| {
        known.contains(live.id()) || live.name().is_some_and(|it| known.contains(it))
    });
    let tagged = wanted.tagged.of(&cx.aws, &cx.stack).await?;
    let mut tags = HashMap::new();
    let mut untold = Vec::new();
    for arn in all.iter().map(Live::id) {
        match tagged.iter().find(|one| one.arn == arn) {
            Some(one) => drop(tags.insert(arn.to_owned(), one.tags.clone())),
            None => untold.push(arn.to_owned()),
        }
    }
    tags.extend(elb::tags_of(&cx.aws, &untold).await?);
    Ok((all, tags))
}

/// The name in AWS of a declared resource: `name:` where it is given.
#[must_use]
pub fn name_of(name: Option<&String>, target: Target<'_>) -> String {
    name.cloned().unwrap_or_else(|| aws_name(target.address))
}

/// The tags it should carry, with a name that the AWS console shows.
#[must_use]
pub fn with_name(target: Target<'_>) -> Tags {
    let mut tags = target.tags.clone();
    let stack = tags.value(tags::STACK).unwrap_or_default();
    let name = format!("{stack}-{}", aws_name(target.address));
    tags.0.entry("Name".to_owned()).or_insert(name);
    tags
}

/// Refuses to go on with a resource of that name that is not this one: `noun` is what AWS calls it.
///
/// # Errors
/// When the tags say that it is another's, or do not say whose it is.
pub fn must_be_ours(noun: &str, name: &str, tags: &Tags, target: Target<'_>) -> Result<()> {
    let owner = tags.owner();
    let wanted = target.tags.owner();
    if owner.is_some() && owner == wanted {
        return Ok(());
    }
    let whose = match owner {
        Some(owner) => format!("it is `{}` of stack `{}`", owner.address, owner.stack),
        None => "it has no tags of tidewalk".to_owned(),
    };
    Err(Error::failed(format!("the {noun} `{name}` exists already"))
        .note(whose)
        .hint("write another `name:`, or delete the other one"))
}
