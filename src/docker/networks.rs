//! Bridge networks.

use std::collections::HashMap;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use bollard::query_parameters::{ListNetworksOptions, ListNetworksOptionsBuilder};

use super::Engine;
use super::engine::is_absent;
use crate::base::{Result, ResultExt};

/// The largest packet that passes everywhere, inside virtual machines too.
const MTU: &str = "1400";

/// A bridge network to make.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Its addresses, such as `198.18.16.0/20`.
    pub subnet: String,
    /// This machine's address in it.
    pub gateway: String,
    /// Labels, to find it again.
    pub labels: HashMap<String, String>,
}

impl Engine {
    /// Makes a bridge network and names the device that is this machine's end of it.
    ///
    /// # Errors
    /// What the engine said; an overlapping subnet is an error.
    pub async fn create_network(&self, network: &Network) -> Result<String> {
        let request = NetworkCreateRequest {
            name: network.name.clone(),
            driver: Some("bridge".to_owned()),
            labels: Some(network.labels.clone()),
            options: Some(HashMap::from([(
                "com.docker.network.driver.mtu".to_owned(),
                MTU.to_owned(),
            )])),
            ipam: Some(Ipam {
                config: Some(vec![IpamConfig {
                    subnet: Some(network.subnet.clone()),
                    gateway: Some(network.gateway.clone()),
                    ..IpamConfig::default()
                }]),
                ..Ipam::default()
            }),
            ..NetworkCreateRequest::default()
        };
        let made = self
            .docker
            .create_network(request)
            .await
            .context(format!("creating network `{}`", network.name))?;
        // https://docs.docker.com/engine/network/drivers/bridge/: `br-` and the id as it is shown.
        Ok(format!("br-{}", made.id.get(..12).unwrap_or(&made.id)))
    }

    /// Removes a network; an absent one is fine.
    ///
    /// # Errors
    /// What the engine said, for example that containers are still in it.
    pub async fn remove_network(&self, name: &str) -> Result<()> {
        match self.docker.remove_network(name).await {
            Err(cause) if !is_absent(&cause) => {
                Err(cause).context(format!("removing network `{name}`"))
            }
            _ => Ok(()),
        }
    }

    /// The subnets of all networks.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn subnets(&self) -> Result<Vec<String>> {
        let networks = self
            .docker
            .list_networks(None::<ListNetworksOptions>)
            .await
            .context("listing networks")?;
        Ok(networks
            .into_iter()
            .filter_map(|network| network.ipam?.config)
            .flatten()
            .filter_map(|config| config.subnet)
            .collect())
    }

    /// Names of the networks that carry the label `label=value`.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn networks_with(&self, label: &str, value: &str) -> Result<Vec<String>> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{label}={value}")])]);
        let options = ListNetworksOptionsBuilder::default()
            .filters(&filters)
            .build();
        let networks = self
            .docker
            .list_networks(Some(options))
            .await
            .context("listing networks")?;
        Ok(networks
            .into_iter()
            .filter_map(|network| network.name)
            .collect())
    }
}
