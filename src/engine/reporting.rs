//! What is there, for `status`.

use super::run::Engine;
use super::{Status, StatusRow};
use crate::base::Errors;
use crate::contract::{Found, tags as keys};

impl Engine {
    /// All that the stack owns in the account.
    ///
    /// # Errors
    /// Every listing that failed.
    pub async fn status(&self) -> Result<Status, Errors> {
        let survey = self.look().await?;
        let mut rows: Vec<(u8, StatusRow)> = Vec::new();
        for (address, found) in &survey.owned {
            let declared = self
                .playbook
                .as_ref()
                .map(|it| it.declarations.contains_key(address));
            let text = |name: &str| found.outputs.text(name).map(str::to_owned);
            rows.push((
                self.rank(address),
                StatusRow {
                    address: address.clone(),
                    id: found.id.clone(),
                    state: text("state"),
                    reach: text("public_ip").or_else(|| text("dns_name")),
                    since: text("launch_time"),
                    orphan: declared == Some(false),
                },
            ));
        }
        rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.address.cmp(&b.1.address)));
        let tag = |key: &str| {
            let mut values = survey
                .owned
                .values()
                .filter_map(|found: &Found| found.tags.value(key));
            values.next().map(str::to_owned)
        };
        Ok(Status {
            stack: self.cx.stack.clone(),
            account: self.cx.account.clone(),
            region: self.cx.region.clone(),
            sandbox: self.options.sandbox,
            owner: tag("Owner"),
            lease_until: tag(keys::LEASE),
            rows: rows.into_iter().map(|(_, row)| row).collect(),
        })
    }
}
