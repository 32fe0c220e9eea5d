//! The kinds, one file each, and the registry of them. Knows the engine's traits, not the engine.

use std::sync::Arc;

use crate::contract::{Kind, Typed};

pub mod buckets;
pub mod checks;
pub mod elastic_ips;
pub mod hosts;
pub mod instances;
pub mod key_pairs;
pub mod kms_key;
pub mod local_path;
pub mod named;
pub mod one_or_many;
pub mod place;
pub mod presence;
pub mod prices;
pub mod records;
pub mod reference;
pub mod security_groups;
pub mod streams;
pub mod tables;
pub mod within;
pub mod zones;

/// Every kind there is.
#[must_use]
pub fn registry() -> Vec<Arc<dyn Kind>> {
    vec![
        Typed::<key_pairs::KeyPair>::kind(),
        Typed::<security_groups::SecurityGroup>::kind(),
        Typed::<instances::Instance>::kind(),
        Typed::<elastic_ips::ElasticIp>::kind(),
        Typed::<streams::Stream>::kind(),
        Typed::<tables::Table>::kind(),
        Typed::<buckets::Bucket>::kind(),
        Typed::<zones::Zone>::kind(),
        Typed::<records::Record>::kind(),
        hosts::Hosts::kind(),
        Arc::new(checks::Checks),
    ]
}
