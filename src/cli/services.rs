//! The services of a run: which one is meant, and where it is.

use super::session::Session;
use crate::base::suggestion::hint;
use crate::base::{Address, Error, Errors, Result};
use crate::resources::services;

/// A service of the playbook that exists.
pub struct Placed {
    /// Its address.
    pub address: Address,
    /// Its cluster's name in AWS.
    pub cluster: String,
    /// Its own.
    pub name: String,
}

impl Session {
    /// The service that is named as `api` or `services.api`.
    ///
    /// # Errors
    /// When the playbook has none, it does not exist yet, or a listing fails.
    pub async fn service(&self, name: &str) -> Result<Placed, Errors> {
        let address = self.named(name)?;
        let places = self
            .engine
            .glance(std::slice::from_ref(&address), |target| {
                Ok(services::place(target))
            });
        let place = places.await?.into_iter().flatten().next();
        let (cluster, name) = place.ok_or_else(|| {
            let text = format!("the cluster of `{address}` does not exist yet");
            Error::failed(text).hint("make it with `tidewalk apply`")
        })?;
        Ok(Placed {
            address,
            cluster,
            name,
        })
    }

    fn named(&self, name: &str) -> Result<Address> {
        let name = name.strip_prefix("services.").unwrap_or(name);
        let address = Address::new("services", name);
        let playbook = self.engine.playbook()?;
        if playbook.declarations.contains_key(&address) {
            return Ok(address);
        }
        let services = playbook.declarations.keys();
        let services = services.filter(|address| address.kind == "services");
        let names: Vec<&str> = services.map(|address| address.name.as_str()).collect();
        Err(Error::usage(format!("the playbook has no service `{name}`")).hint(hint(name, &names)))
    }
}
