//! AWS's default quotas of new accounts, as its documentation has them; a plan beyond one is warned
//! of. Left out: what AWS grants each account by its age and use (vCPUs of On-Demand instances).

use crate::contract::{Quota, Scope};

/// The regions where Kinesis gives a new account more shards than elsewhere (1,000 or 6,000).
const SHARDS_IN: &[(&str, u64)] = &[
    ("eu-west-1", 20_000),
    ("us-east-1", 20_000),
    ("us-west-2", 20_000),
];

/// What one resource of a kind takes at least, kind by kind.
pub const OF_KINDS: &[(&str, Quota)] = &[
    ("elastic_ips", ELASTIC_IPS),
    ("networks", VPCS),
    ("security_groups", SECURITY_GROUPS),
    ("key_pairs", KEY_PAIRS),
    ("launch_templates", LAUNCH_TEMPLATES),
    ("fleets", AUTO_SCALING_GROUPS),
    ("load_balancers", APPLICATION_LOAD_BALANCERS),
    ("target_groups", TARGET_GROUPS),
    ("clusters", CLUSTERS),
    ("tables", TABLES),
    ("log_groups", LOG_GROUPS),
    ("topics", TOPICS),
    ("keys", KEYS),
    ("secrets", SECRETS),
    ("repositories", REPOSITORIES),
    ("buckets", BUCKETS),
    ("zones", HOSTED_ZONES),
    ("roles", ROLES),
    ("policies", POLICIES),
];

const fn quota(noun: &'static str, name: &'static str, scope: Scope, most: u64) -> Quota {
    Quota {
        noun,
        name: Some(name),
        scope,
        most,
        most_in: &[],
    }
}

/// Elastic IPs in a region: <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>.
pub const ELASTIC_IPS: Quota = quota("elastic IPs", "EC2-VPC Elastic IPs", Scope::Region, 5);

/// VPCs in a region: <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>.
pub const VPCS: Quota = quota("VPCs", "VPCs per Region", Scope::Region, 5);

/// Security groups in a region: <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>.
pub const SECURITY_GROUPS: Quota = quota(
    "security groups",
    "VPC security groups per Region",
    Scope::Region,
    2500,
);

/// Inbound rules of one security group, IPv4 and IPv6 apart: <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>.
pub const INBOUND_RULES: Quota = quota(
    "inbound rules",
    "Inbound or outbound rules per security group",
    Scope::Resource,
    60,
);

/// Outbound rules of one security group, IPv4 and IPv6 apart: <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>.
pub const OUTBOUND_RULES: Quota = quota(
    "outbound rules",
    "Inbound or outbound rules per security group",
    Scope::Resource,
    60,
);

/// Key pairs in a region: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateKeyPair.html>.
pub const KEY_PAIRS: Quota = Quota {
    name: None,
    ..quota("key pairs", "", Scope::Region, 5000)
};

/// Launch templates in a region: <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html>.
pub const LAUNCH_TEMPLATES: Quota = quota(
    "launch templates",
    "Launch templates per region",
    Scope::Region,
    5000,
);

/// Auto Scaling groups in a region: <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html>.
pub const AUTO_SCALING_GROUPS: Quota = quota(
    "Auto Scaling groups",
    "Auto Scaling groups per region",
    Scope::Region,
    500,
);

/// Application load balancers in a region: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>.
pub const APPLICATION_LOAD_BALANCERS: Quota = quota(
    "application load balancers",
    "Application Load Balancers per Region",
    Scope::Region,
    50,
);

/// Target groups in a region: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>.
pub const TARGET_GROUPS: Quota = quota(
    "target groups",
    "Target Groups per Region",
    Scope::Region,
    3000,
);

/// Clusters in a region: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html>.
pub const CLUSTERS: Quota = quota("clusters", "Clusters per account", Scope::Region, 10_000);

/// Streams on demand in a region: <https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html>.
pub const ON_DEMAND_STREAMS: Quota = quota(
    "streams on demand",
    "On-demand data streams per account",
    Scope::Region,
    50,
);

/// Shards in a region: <https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html>.
pub const SHARDS: Quota = Quota {
    most_in: SHARDS_IN,
    ..quota("shards", "Shards per Region", Scope::Region, 1000)
};

/// Tables in a region: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>.
pub const TABLES: Quota = quota("tables", "Maximum number of tables", Scope::Region, 2500);

/// Log groups in a region: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>.
pub const LOG_GROUPS: Quota = quota("log groups", "Log groups", Scope::Region, 1_000_000);

/// Topics in a region: <https://docs.aws.amazon.com/general/latest/gr/sns.html>.
pub const TOPICS: Quota = quota("topics", "Topics per Account", Scope::Region, 100_000);

/// KMS keys in a region: <https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html>.
pub const KEYS: Quota = quota(
    "KMS keys",
    "Customer Master Keys (CMKs)",
    Scope::Region,
    100_000,
);

/// Secrets in a region: <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>.
pub const SECRETS: Quota = quota("secrets", "Secrets per Region", Scope::Region, 500_000);

/// Repositories in a region: <https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html>.
pub const REPOSITORIES: Quota = quota(
    "repositories",
    "Registered repositories",
    Scope::Region,
    100_000,
);

/// Buckets in an account: <https://docs.aws.amazon.com/general/latest/gr/s3.html>.
pub const BUCKETS: Quota = quota("buckets", "General purpose buckets", Scope::Account, 10_000);

/// Hosted zones in an account: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>.
pub const HOSTED_ZONES: Quota = quota("hosted zones", "Hosted zones", Scope::Account, 500);

/// Roles in an account: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub const ROLES: Quota = quota("roles", "Roles per account", Scope::Account, 1000);

/// Customer managed policies in an account: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub const POLICIES: Quota = quota(
    "customer managed policies",
    "Customer managed policies per account",
    Scope::Account,
    1500,
);
