//! What a playbook says of a host.

use schemars::JsonSchema;
use serde::Deserialize;

use super::bootstrap::Bootstrap;
use super::way::Carrier;
use crate::base::deserialize::from_node;
use crate::base::node::Value;
use crate::base::{Node, Result};
use crate::operations::registry::{AnyOperation, AnySetup};
use crate::resources::checks::Check;
use crate::resources::within::Within;

/// A Linux host and what is to be on it. Give `instance`, or `address` and `host_key`; or `bootstrap`,
/// for hosts that come and go by themselves.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the playbook's words")]
pub(super) struct Host {
    /// The instance that it is.
    #[schemars(extend("x-kind" = "instances"))]
    pub(crate) instance: Option<String>,
    /// `user_data`: nobody connects. What the host needs is put into `bucket`, and the output `user_data`
    /// is for an instance or a launch template: a machine that starts with it fetches its configuration
    /// and applies it by itself. Its instance profile must allow `s3:GetObject` there, and its image must
    /// have Python 3, as all with cloud-init have. What is written about it there is in the console's
    /// output and in `/var/log/cloud-init-output.log`.
    pub(crate) bootstrap: Option<Bootstrap>,
    /// With `bootstrap`: the bucket that the host fetches from.
    #[schemars(extend("x-kind" = "buckets"))]
    pub(crate) bucket: Option<String>,
    /// With `bootstrap`: path of the tidewalk program for the host, where its processor or C library is
    /// another than this machine's; this very program when not given.
    pub(crate) program: Option<String>,
    /// IP address or host name, for a host outside AWS.
    pub(crate) address: Option<String>,
    /// What carries commands there: `ssh`, or `ssm`, which is AWS Systems Manager's Run Command. `ssm`
    /// reaches an `instance` that is a managed node, and needs no key pair, open port or address; what
    /// it carries is encrypted end to end, so that nobody reads it in the command history.
    #[serde(default)]
    #[schemars(extend("default" = "ssh"))]
    pub(crate) transport: Carrier,
    /// Login name; what your ssh configuration says when not given.
    pub(crate) user: Option<String>,
    /// SSH port; 22 or what your ssh configuration says when not given.
    pub(crate) port: Option<u16>,
    /// Path of the private key; your ssh agent and configuration when not given.
    pub(crate) identity: Option<String>,
    /// Host to go through: `user@host:port`; several with commas.
    pub(crate) jump: Option<String>,
    /// Public host key of the (last) jump host, `ssh-ed25519 AAAA…`; what your `known_hosts` has when
    /// not given.
    pub(crate) jump_host_key: Option<String>,
    /// Public host key, `ssh-ed25519 AAAA…`, of a host outside AWS.
    pub(crate) host_key: Option<String>,
    /// How long an apply waits for a host that is starting until it answers; `5m` when not given.
    pub(crate) answers_within: Option<Within>,
    /// Look that must succeed after a change, before the host is done: with `serial`, before the next one
    /// is begun.
    pub(crate) healthy: Option<Check>,
    /// Become root by `sudo` where the login is not root.
    #[serde(default = "yes")]
    pub(crate) sudo: bool,
    /// Reusable lists of operations, before its own ones: names, or a name with values for the setup's
    /// variables (`- redis: { port: 6380 }`). A setup is the file `setups/NAME.yml` beside the playbook,
    /// or a bundled one.
    #[serde(default)]
    #[schemars(with = "Vec<AnySetup>", extend("x-setups" = true))]
    #[expect(dead_code, reason = "their operations are read in place of them")]
    setups: Option<serde::de::IgnoredAny>,
    /// What is to be on it, in this order.
    #[serde(default)]
    #[schemars(with = "Vec<AnyOperation>")]
    #[expect(dead_code, reason = "read one by one, with their places")]
    operations: Option<serde::de::IgnoredAny>,
}

fn yes() -> bool {
    true
}

/// The spec without its operations; `None` while some part is known only after apply.
pub(super) fn spec(node: &Node) -> Result<Option<Host>> {
    let mut rest = node.clone();
    if let Value::Map(map) = &mut rest.value {
        map.shift_remove("operations");
    }
    if rest.has_unknown() {
        return Ok(None);
    }
    from_node(&rest).map(Some)
}
