//! What all Elastic Load Balancing kinds do alike: names, and tags in both directions.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_elasticloadbalancingv2::types::{Tag, TargetHealthDescription};

use super::tags::{self, Tags};
use super::{Clients, refused};
use crate::base::Result;

/// The most ARNs in one `DescribeTags`:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html>.
const AT_ONCE: usize = 20;

/// The longest name of a load balancer or target group.
const LONGEST_NAME: usize = 32;

/// The name that AWS takes for one of the playbook: `-` for what it takes not (`_`, `.`).
#[must_use]
pub fn name_like(name: &str) -> String {
    let taken = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = name.chars().map(taken).collect();
    name.trim_matches('-').to_owned()
}

/// What is wrong with a name of a load balancer or target group.
#[must_use]
pub fn wrong_name(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let right = (1..=LONGEST_NAME).contains(&name.len())
        && name.chars().all(plain)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.starts_with("internal-");
    (!right).then(|| {
        format!(
            "`{name}` is no name that AWS takes here: 1 to {LONGEST_NAME} ASCII letters, digits \
             and `-`, no `-` at either end, no `internal-` at the start"
        )
    })
}

/// Tags to be written when something is made.
#[must_use]
pub fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect()
}

/// The tags of each of these, all of one kind and all existing.
///
/// # Errors
/// What AWS said.
pub async fn tags_of(clients: &Clients, arns: &[String]) -> Result<HashMap<String, Tags>> {
    let mut all = HashMap::new();
    for some in arns.chunks(AT_ONCE) {
        let call = clients.elb.describe_tags();
        let told = call.set_resource_arns(Some(some.to_vec())).send().await;
        let told = told.map_err(refused("elasticloadbalancing:DescribeTags"))?;
        for one in told.tag_descriptions.into_iter().flatten() {
            let tags = one.tags.into_iter().flatten();
            let tags = tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())));
            let arn = one.resource_arn.unwrap_or_default();
            all.insert(arn, Tags(tags.collect()));
        }
    }
    Ok(all)
}

/// Brings the tags of `arn` from `live` to `wanted`; tags of other people stay.
///
/// # Errors
/// What AWS said.
pub async fn retag(clients: &Clients, arn: &str, live: &mut Tags, wanted: &Tags) -> Result<()> {
    let (set, unset) = tags::changes(live, wanted);
    if !set.is_empty() {
        let call = clients.elb.add_tags().resource_arns(arn);
        let done = call.set_tags(Some(sdk_tags(&set))).send().await;
        done.map_err(refused("elasticloadbalancing:AddTags"))?;
    }
    if !unset.is_empty() {
        let call = clients.elb.remove_tags().resource_arns(arn);
        let done = call.set_tag_keys(Some(unset)).send().await;
        done.map_err(refused("elasticloadbalancing:RemoveTags"))?;
    }
    live.apply(wanted);
    Ok(())
}

/// How the targets of a group are.
///
/// # Errors
/// What AWS refuses; also that there is no such group.
pub async fn target_health(aws: &Clients, group: &str) -> Result<Vec<TargetHealthDescription>> {
    let call = aws.elb.describe_target_health().target_group_arn(group);
    let told = call.send().await;
    let told = told.map_err(refused("elasticloadbalancing:DescribeTargetHealth"))?;
    Ok(told.target_health_descriptions.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_to_fit_but_for_their_length() {
        assert_eq!(name_like("btc_api[a.b]"), "btc-api-a-b");
        assert_eq!(wrong_name("btc-api"), None);
        for name in ["", "-a", "a_b", "internal-a", &"a".repeat(33)] {
            assert!(wrong_name(name).is_some(), "{name}");
        }
    }
}
