//! The kinds, one file each, and the registry of them. Knows the engine's traits, not the engine.

use std::sync::Arc;

use crate::contract::{Kind, Typed};

pub mod capacity_share;
pub mod checks;
pub mod clusters;
pub mod elastic_ips;
pub mod hosts;
pub mod instances;
pub mod key_pairs;
pub mod local_path;
pub mod named;
pub mod networks;
pub mod one_or_many;
pub mod place;
pub mod presence;
pub mod prices;
pub mod reference;
pub mod repositories;
pub mod role;
pub mod schedules;
pub mod security_groups;
pub mod services;
pub mod streams;
pub mod target_groups;
pub mod task_definitions;
pub mod task_network;
pub mod within;

/// Every kind there is.
#[must_use]
pub fn registry() -> Vec<Arc<dyn Kind>> {
    vec![
        Typed::<key_pairs::KeyPair>::kind(),
        Typed::<networks::Network>::kind(),
        Typed::<security_groups::SecurityGroup>::kind(),
        Typed::<instances::Instance>::kind(),
        Typed::<elastic_ips::ElasticIp>::kind(),
        Typed::<streams::Stream>::kind(),
        Typed::<repositories::Repository>::kind(),
        Typed::<clusters::Cluster>::kind(),
        Typed::<task_definitions::TaskDefinition>::kind(),
        Typed::<services::Service>::kind(),
        Typed::<schedules::Schedule>::kind(),
        Typed::<target_groups::TargetGroup>::kind(),
        hosts::Hosts::kind(),
        Arc::new(checks::Checks),
    ]
}
