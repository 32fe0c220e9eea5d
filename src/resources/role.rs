//! A role in a typed field: by its name in the playbook or the account, or by its ARN.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{Address, World};

/// The name of a role: declared in the playbook, or existing in the account; or a role's ARN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "roles", "x-kind-unless" = "^arn:"))]
pub struct RoleOrArn(pub String);

impl RoleOrArn {
    /// The role's ARN, if it exists already.
    #[must_use]
    pub fn arn<'a>(&'a self, world: &'a World) -> Option<&'a str> {
        if self.0.starts_with("arn:") {
            return Some(&self.0);
        }
        let arn = world.output(&Address::new("roles", &self.0), "arn")?;
        arn.as_str()
    }
}
