//! What a stack takes of its account's quotas, held against what AWS grants a new account.

use crate::base::Address;
use crate::contract::{Quota, Scope};

/// What the resources take, one by one.
#[derive(Default)]
pub(super) struct Taken(Vec<(Address, Quota, u64)>);

impl Taken {
    /// Counts what `address` takes.
    pub(super) fn add(&mut self, address: &Address, uses: Vec<(Quota, u64)>) {
        let uses = uses.into_iter();
        self.0
            .extend(uses.map(|(quota, count)| (address.clone(), quota, count)));
    }

    /// A sentence for every quota that is passed. Accounts have theirs raised: it is no error.
    pub(super) fn warnings(&self, region: &str) -> Vec<String> {
        let mut sums: Vec<(Option<&Address>, Quota, u64)> = Vec::new();
        for (address, quota, count) in &self.0 {
            let of = (quota.scope == Scope::Resource).then_some(address);
            match sums.iter_mut().find(|sum| (sum.0, sum.1) == (of, *quota)) {
                Some(sum) => sum.2 = sum.2.saturating_add(*count),
                None => sums.push((of, *quota, *count)),
            }
        }
        let passed = sums.into_iter();
        let passed = passed.filter(|(_, quota, count)| *count > quota.most_of(region));
        passed
            .map(|(of, quota, count)| warning(of, &quota, count, region))
            .collect()
    }
}

fn warning(of: Option<&Address>, quota: &Quota, count: u64, region: &str) -> String {
    let whose = of.map_or(String::new(), |address| format!(" of `{address}`"));
    let place = match quota.scope {
        Scope::Region => format!(" in {region}"),
        Scope::Account | Scope::Resource => String::new(),
    };
    let raise = match quota.name {
        Some(name) => format!("unless it was raised: see `{name}` under Service Quotas"),
        None => "unless AWS Support raised it".to_owned(),
    };
    format!(
        "{count} {}{whose}{place} are more than the {} that AWS allows an account by default, {raise}",
        quota.noun,
        quota.most_of(region)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const IPS: Quota = Quota {
        noun: "elastic IPs",
        name: Some("EC2-VPC Elastic IPs"),
        scope: Scope::Region,
        most: 2,
        most_in: &[("us-east-1", 3)],
    };
    const RULES: Quota = Quota {
        noun: "rules",
        name: None,
        scope: Scope::Resource,
        ..IPS
    };

    #[test]
    fn a_region_is_counted_together_and_a_resource_by_itself() {
        let mut taken = Taken::default();
        for name in ["a", "b", "c"] {
            taken.add(&Address::new("ips", name), vec![(IPS, 1), (RULES, 2)]);
        }
        let warnings = taken.warnings("eu-west-1");
        assert_eq!(
            warnings,
            [
                "3 elastic IPs in eu-west-1 are more than the 2 that AWS allows an account by \
              default, unless it was raised: see `EC2-VPC Elastic IPs` under Service Quotas"
            ]
        );
        assert!(taken.warnings("us-east-1").is_empty());
        taken.add(&Address::new("ips", "c"), vec![(RULES, 2)]);
        assert!(taken.warnings("us-east-1")[0].starts_with("4 rules of `ips.c` are more than"));
    }
}
