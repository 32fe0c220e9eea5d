//! The network of a sandbox's hosts: a free /20 of 198.18.0.0/15.
//!
//! That range is for benchmarks between networks (<https://www.rfc-editor.org/rfc/rfc2544>,
//! RFC 5735) and never routed on the Internet: no real address is shadowed.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::hosts::LABEL;
use super::link_local;
use super::place::HostNetwork;
use crate::base::{Error, Result};
use crate::docker::{Engine, Network};

const RANGE: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 0, 0), 15);
const PREFIX: u8 = 20;

/// The network used when there are no hosts: only for addresses to show.
pub(super) const UNUSED: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 0, 0), PREFIX);

/// A network that was made.
pub(super) struct Made {
    /// As `sandbox.json` tells of it.
    pub(super) network: HostNetwork,
    /// Its addresses.
    pub(super) subnet: Ipv4Net,
    /// This machine's end of it.
    pub(super) device: String,
}

/// Makes a network for the sandbox of that id, where no other network is.
///
/// # Errors
/// When the range is used up, or the engine refuses.
pub(super) async fn create(engine: &Engine, id: &str) -> Result<Made> {
    let mut last = Error::failed(format!(
        "no free /{PREFIX} is left in {RANGE} for the hosts"
    ));
    let subnets = engine.subnets().await?;
    let mut taken: Vec<Ipv4Net> = subnets.iter().filter_map(|it| it.parse().ok()).collect();
    taken.extend(routed());
    let candidates: Vec<Ipv4Net> = RANGE.subnets(PREFIX).into_iter().flatten().collect();
    // Sandboxes that start at the same time begin at different places.
    let first = usize::from_str_radix(id, 16).unwrap_or_default() % candidates.len();
    for subnet in candidates.iter().cycle().skip(first).take(candidates.len()) {
        if taken
            .iter()
            .any(|other| other.contains(subnet) || subnet.contains(other))
        {
            continue;
        }
        let name = format!("tidewalk-{id}");
        let network = Network {
            name: name.clone(),
            subnet: subnet.to_string(),
            gateway: Ipv4Addr::from(u32::from(subnet.network()) + 1).to_string(),
            labels: HashMap::from([(LABEL.to_owned(), id.to_owned())]),
        };
        match engine.create_network(&network).await {
            Ok(device) => {
                let network = HostNetwork {
                    name,
                    subnet: subnet.to_string(),
                    endpoint: None,
                };
                return Ok(Made {
                    network,
                    subnet: *subnet,
                    device,
                });
            }
            // Another sandbox may have been faster: the next one then.
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Networks that this machine has routes to, the default route left out: a bridge that an engine
/// left behind is in no engine's list. Linux's own table; nothing elsewhere.
fn routed() -> Vec<Ipv4Net> {
    let table = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    table
        .lines()
        .skip(1)
        .filter_map(route)
        .filter(|net| net.prefix_len() > 0)
        .collect()
}

/// The network of one line of `/proc/net/route`: destination and mask are the second and the
/// eighth column, in hexadecimal, least significant byte first.
fn route(line: &str) -> Option<Ipv4Net> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let address = |column: usize| {
        let number = u32::from_str_radix(columns.get(column)?, 16).ok()?;
        Some(Ipv4Addr::from(number.swap_bytes()))
    };
    Ipv4Net::with_netmask(address(1)?, address(7)?).ok()
}

/// Removes the containers, networks and baked images of the sandbox of that id; says how many containers there were.
///
/// # Errors
/// What the engine said.
pub(super) async fn remove(engine: &Engine, id: &str) -> Result<usize> {
    link_local::restore(id).await;
    let containers = engine.containers_with(LABEL, id).await?;
    let removals = containers
        .iter()
        .map(|container| engine.remove_container(&container.name));
    futures::future::try_join_all(removals).await?;
    for network in engine.networks_with(LABEL, id).await? {
        engine.remove_network(&network).await?;
    }
    for image in engine.images_with(LABEL, id).await? {
        engine.remove_image(&image).await?;
    }
    Ok(containers.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_tells_its_network() {
        let line = "br-9fc4af3d267d\t00F013C6\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0";
        assert_eq!(route(line), "198.19.240.0/20".parse().ok());
        assert_eq!(route("Iface Destination"), None);
    }
}
