//! The kinds, one file each, and the registry of them. Knows the engine's traits, not the engine.

use std::sync::Arc;

use crate::contract::{Kind, Typed};

pub mod alarms;
pub mod checks;
pub mod elastic_ips;
pub mod hosts;
pub mod instances;
pub mod key_pairs;
pub mod load_balancers;
pub mod local_path;
pub mod log_groups;
pub mod named;
pub mod one_or_many;
pub mod place;
pub mod presence;
pub mod prices;
pub mod reference;
pub mod security_groups;
pub mod streams;
pub mod target_groups;
pub mod topics;
pub mod within;

/// Every kind there is.
#[must_use]
pub fn registry() -> Vec<Arc<dyn Kind>> {
    vec![
        Typed::<key_pairs::KeyPair>::kind(),
        Typed::<security_groups::SecurityGroup>::kind(),
        Typed::<instances::Instance>::kind(),
        Typed::<elastic_ips::ElasticIp>::kind(),
        Typed::<streams::Stream>::kind(),
        Typed::<target_groups::TargetGroup>::kind(),
        Typed::<load_balancers::LoadBalancer>::kind(),
        Typed::<log_groups::LogGroup>::kind(),
        Typed::<topics::Topic>::kind(),
        Typed::<alarms::Alarm>::kind(),
        hosts::Hosts::kind(),
        Arc::new(checks::Checks),
    ]
}
