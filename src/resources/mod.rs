//! The kinds, one file each, and the registry of them. Knows the engine's traits, not the engine.

use std::sync::Arc;

use crate::contract::{Kind, Typed};

pub mod alarms;
pub mod amis;
pub mod apart;
pub mod buckets;
pub mod capacity_share;
pub mod checks;
pub mod clusters;
pub mod elastic_ips;
pub mod fleets;
pub mod generate;
pub mod hosts;
pub mod iam_groups;
pub mod iam_users;
pub mod images;
pub mod instances;
pub mod inventory;
pub mod key_pairs;
pub mod keys;
pub mod kms_key;
pub mod launch_templates;
pub mod load_balancers;
pub mod local_path;
pub mod log_groups;
pub mod lookup;
pub mod machine;
pub mod named;
pub mod networks;
pub mod one_or_many;
pub mod parameters;
pub mod place;
pub mod policies;
pub mod policy_document;
pub mod presence;
pub mod prices;
pub mod quotas;
pub mod records;
pub mod reference;
pub mod repositories;
pub mod role;
pub mod roles;
pub mod schedules;
pub mod secrets;
pub mod security_groups;
pub mod services;
pub mod streams;
pub mod tables;
pub mod target_groups;
pub mod task_definitions;
pub mod task_network;
pub mod topics;
pub mod value_from;
pub mod volumes;
pub mod within;
pub mod zones;

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
        Typed::<roles::Role>::kind(),
        Typed::<policies::Policy>::kind(),
        Typed::<target_groups::TargetGroup>::kind(),
        Typed::<repositories::Repository>::kind(),
        Typed::<clusters::Cluster>::kind(),
        Typed::<task_definitions::TaskDefinition>::kind(),
        Typed::<load_balancers::LoadBalancer>::kind(),
        Typed::<log_groups::LogGroup>::kind(),
        Typed::<topics::Topic>::kind(),
        Typed::<alarms::Alarm>::kind(),
        Typed::<services::Service>::kind(),
        Typed::<schedules::Schedule>::kind(),
        Typed::<amis::Image>::kind(),
        Typed::<launch_templates::LaunchTemplate>::kind(),
        Typed::<fleets::Fleet>::kind(),
        Typed::<tables::Table>::kind(),
        Typed::<buckets::Bucket>::kind(),
        Typed::<zones::Zone>::kind(),
        Typed::<records::Record>::kind(),
        Typed::<keys::Key>::kind(),
        Typed::<parameters::Parameter>::kind(),
        Typed::<secrets::StoredSecret>::kind(),
        lookup::Looked::<iam_users::IamUsers>::kind(),
        lookup::Looked::<inventory::Inventory>::kind(),
        lookup::Looked::<iam_groups::IamGroups>::kind(),
        Arc::new(images::Images),
        hosts::Hosts::kind(),
        Arc::new(checks::Checks),
    ]
}
