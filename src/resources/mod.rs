//! The kinds, one file each, and the registry of them. Knows the engine's traits, not the engine.

use std::sync::Arc;

use crate::contract::{Kind, Typed};

pub mod amis;
pub mod checks;
pub mod elastic_ips;
pub mod fleets;
pub mod hosts;
pub mod instances;
pub mod key_pairs;
pub mod launch_templates;
pub mod local_path;
pub mod machine;
pub mod named;
pub mod networks;
pub mod one_or_many;
pub mod place;
pub mod presence;
pub mod prices;
pub mod reference;
pub mod security_groups;
pub mod streams;
pub mod volumes;
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
        Typed::<volumes::Volume>::kind(),
        Typed::<streams::Stream>::kind(),
        Typed::<amis::Image>::kind(),
        Typed::<launch_templates::LaunchTemplate>::kind(),
        Typed::<fleets::Fleet>::kind(),
        hosts::Hosts::kind(),
        Arc::new(checks::Checks),
    ]
}
