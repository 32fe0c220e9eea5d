//! An alias: a record that answers with the addresses of a load balancer or another AWS resource.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::RecordType;
use crate::base::node::Step;
use crate::base::{Address, World};
use crate::resources::reference::LoadBalancerName;
use crate::resources::zones::listing::plain;

/// What an alias leads to: a load balancer, or the DNS name and zone of another AWS resource
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The load balancer that it leads to
    pub load_balancer: Option<LoadBalancerName>,
    /// DNS name of what it leads to, with `zone_id`
    pub dns_name: Option<String>,
    /// Id of the hosted zone that `dns_name` is in: AWS's own for its services, such as
    /// `Z2FDTNDATAQYW2` for `CloudFront`
    pub zone_id: Option<String>,
    /// Answer only with what is healthy; `CloudFront` cannot be asked that
    #[serde(default = "yes")]
    pub evaluate_target_health: bool,
}

fn yes() -> bool {
    true
}

/// An alias as Route 53 has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveAlias {
    /// DNS name of what it leads to, without a dot at the end.
    pub dns_name: String,
    /// Id of the zone that it is in.
    pub zone_id: String,
    /// It answers only with what is healthy.
    pub evaluate_target_health: bool,
}

impl fmt::Display for LiveAlias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.dns_name, self.zone_id)?;
        if !self.evaluate_target_health {
            f.write_str(", healthy or not")?;
        }
        Ok(())
    }
}

impl Alias {
    /// What Route 53 has to be told; `None` while the load balancer does not exist.
    pub(super) fn target(&self, world: &World) -> Option<LiveAlias> {
        let output = |name: &str| {
            let address = Address::new("load_balancers", &self.load_balancer.as_ref()?.0);
            let value = world.output(&address, name)?;
            value.as_str().map(str::to_owned)
        };
        let dns_name = self.dns_name.clone().or_else(|| output("dns_name"))?;
        Some(LiveAlias {
            dns_name: plain(&dns_name),
            zone_id: self.zone_id.clone().or_else(|| output("zone_id"))?,
            evaluate_target_health: self.evaluate_target_health,
        })
    }

    /// What is wrong with it, and where.
    pub(super) fn problems(&self, kind: RecordType, values: &[String]) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = Vec::new();
        if !values.is_empty() {
            let text = "a record has `values` or an `alias`, not both";
            problems.push((at("values"), text.to_owned()));
        }
        if !matches!(kind, RecordType::A | RecordType::Aaaa) {
            let text = "an alias is of type A or AAAA";
            problems.push((at("type"), text.to_owned()));
        }
        let by_name = (self.dns_name.is_some(), self.zone_id.is_some());
        let fits = matches!(
            (self.load_balancer.is_some(), by_name),
            (true, (false, false)) | (false, (true, true))
        );
        if !fits {
            let text = "an alias names a `load_balancer`, or both `dns_name` and `zone_id`";
            problems.push((at("alias"), text.to_owned()));
        }
        problems
    }
}
