//! What a stack has in the account now.

use serde_json::{Value, json};

use crate::base::Address;

/// One resource that the stack owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRow {
    /// The resource.
    pub address: Address,
    /// AWS's id.
    pub id: String,
    /// Its state in AWS's own word (`running`), where it has one.
    pub state: Option<String>,
    /// How it is reached: a public address, a DNS name.
    pub reach: Option<String>,
    /// When it was made, RFC 3339, where AWS tells.
    pub since: Option<String>,
    /// The playbook no longer has it.
    pub orphan: bool,
}

/// All that the stack owns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Name of the stack.
    pub stack: String,
    /// AWS account number.
    pub account: String,
    /// AWS region.
    pub region: String,
    /// It is about the local sandbox, not AWS.
    pub sandbox: bool,
    /// The tag `Owner`, where the resources carry one.
    pub owner: Option<String>,
    /// When the lease ends, RFC 3339.
    pub lease_until: Option<String>,
    /// The resources, in apply order.
    pub rows: Vec<StatusRow>,
}

impl Status {
    /// The status as a document, version 1.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "version": 1,
            "stack": self.stack,
            "account": self.account,
            "region": self.region,
            "sandbox": self.sandbox,
            "owner": self.owner,
            "lease_until": self.lease_until,
            "resources": self.rows.iter().map(|row| json!({
                "address": row.address.to_string(),
                "id": row.id,
                "state": row.state,
                "reach": row.reach,
                "since": row.since,
                "orphan": row.orphan,
            })).collect::<Vec<_>>(),
        })
    }
}
