//! The emulator's invented addresses, and the sandbox's that hosts really have: one for one.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ipnet::Ipv4Net;

use super::call::Params;
use super::xml::Element;

/// What an address is for; each has its own part of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// An instance's own address.
    Private,
    /// An address that AWS lends to a running instance.
    Public,
    /// An elastic IP.
    Elastic,
}

/// The map, and the addresses not yet given out.
pub(crate) struct Addresses {
    network: Ipv4Net,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    ours: HashMap<Ipv4Addr, Ipv4Addr>,
    theirs: HashMap<Ipv4Addr, Ipv4Addr>,
    given: [u32; 3],
    returned: [Vec<Ipv4Addr>; 3],
}

impl Use {
    /// First offset in the network and the number of addresses, for a /20: the lower half is
    /// private (the first two are the network's and this machine's; 510 from 1536 on are those of
    /// ECS tasks, which the emulator gives out), the upper half public (the last are those of load
    /// balancers, which the emulator gives out, too).
    fn range(self) -> (usize, u32, u32) {
        match self {
            Self::Private => (0, 2, 1534),
            Self::Public => (1, 2048, 1024),
            Self::Elastic => (2, 3072, 768),
        }
    }

    /// What an element of an answer holds, by its name.
    fn of(element: &str, elastic: bool) -> Option<Self> {
        match element {
            "privateIpAddress" => Some(Self::Private),
            "ipAddress" | "publicIp" if elastic => Some(Self::Elastic),
            "ipAddress" | "publicIp" => Some(Self::Public),
            _ => None,
        }
    }
}

impl Addresses {
    /// Gives out addresses of a /20.
    pub(crate) fn new(network: Ipv4Net) -> Self {
        Self {
            network,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This machine's address in the network, as the hosts see it.
    pub(crate) fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.network.network()) + 1)
    }

    /// The sandbox's address for one of the emulator's; the same one each time. `None` when all
    /// are given out.
    pub(crate) fn ours(&self, theirs: Ipv4Addr, purpose: Use) -> Option<Ipv4Addr> {
        let mut inner = self.lock();
        if inner.theirs.contains_key(&theirs) {
            return Some(theirs);
        }
        if let Some(ours) = inner.ours.get(&theirs) {
            return Some(*ours);
        }
        let (index, start, count) = purpose.range();
        let ours = if inner.given[index] < count {
            inner.given[index] += 1;
            Ipv4Addr::from(u32::from(self.network.network()) + start + inner.given[index] - 1)
        } else {
            inner.returned[index].pop()?
        };
        inner.ours.insert(theirs, ours);
        inner.theirs.insert(ours, theirs);
        Some(ours)
    }

    /// The emulator's address for one of the sandbox's.
    fn theirs(&self, ours: Ipv4Addr) -> Option<Ipv4Addr> {
        self.lock().theirs.get(&ours).copied()
    }

    /// Takes the counterpart of an address back, if it was given for that use; it is given out
    /// again only when no fresh one is left.
    pub(crate) fn take_back(&self, theirs: Ipv4Addr, purpose: Use) {
        let mut inner = self.lock();
        let Some(ours) = inner.ours.get(&theirs).copied() else {
            return;
        };
        let (index, start, count) = purpose.range();
        let offset = u32::from(ours) - u32::from(self.network.network());
        if (start..start + count).contains(&offset) {
            inner.ours.remove(&theirs);
            inner.theirs.remove(&ours);
            inner.returned[index].push(ours);
        }
    }

    /// Replaces the sandbox's addresses in a request by the emulator's.
    pub(crate) fn translate_request(&self, params: &mut Params) {
        for (key, value) in &mut params.0 {
            let may_hold = key.contains("PublicIp")
                || key.contains("PrivateIpAddress")
                || (key.starts_with("Filter.") && key.contains(".Value."));
            if may_hold
                && let Ok(address) = value.parse()
                && let Some(theirs) = self.theirs(address)
            {
                *value = theirs.to_string();
            }
        }
    }

    /// Replaces the emulator's addresses in an answer by the sandbox's. `elastic` says that public
    /// addresses in it are elastic IPs.
    pub(crate) fn translate_answer(&self, root: &mut Element, elastic: bool) {
        root.walk_mut(&mut |element| {
            if let Some(purpose) = Use::of(&element.name, elastic)
                && let Ok(theirs) = element.text.parse()
                && let Some(ours) = self.ours(theirs, purpose)
            {
                element.text = ours.to_string();
            }
        });
        // Names after the addresses: by now each address has its counterpart.
        root.walk_mut(&mut |element| {
            if matches!(
                element.name.as_str(),
                "privateDnsName" | "dnsName" | "publicDnsName"
            ) && let Some(text) = self.translate_name(&element.text)
            {
                element.text = text;
            }
        });
    }

    /// `ip-10-0-0-1.REST` and `ec2-54-0-0-1.REST` with the sandbox's address.
    fn translate_name(&self, name: &str) -> Option<String> {
        let (host, rest) = name.split_once('.')?;
        let (prefix, dashed) = host.split_once('-')?;
        let theirs: Ipv4Addr = dashed.replace('-', ".").parse().ok()?;
        let ours = self.lock().ours.get(&theirs).copied()?;
        Some(format!(
            "{prefix}-{}.{rest}",
            ours.to_string().replace('.', "-")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_replaced_both_ways_and_only_where_addresses_stand() {
        let addresses = Addresses::new("198.18.16.0/20".parse().unwrap());
        let text = "<i><privateIpAddress>10.1.2.3</privateIpAddress><ipAddress>54.1.1.1</ipAddress><privateDnsName>ip-10-1-2-3.ec2.internal</privateDnsName><cidrIp>10.1.2.3</cidrIp></i>";
        let mut root = Element::parse(text).unwrap();
        addresses.translate_answer(&mut root, false);
        assert_eq!(root.text_of("privateIpAddress"), Some("198.18.16.2"));
        assert_eq!(root.text_of("ipAddress"), Some("198.18.24.0"));
        assert_eq!(
            root.text_of("privateDnsName"),
            Some("ip-198-18-16-2.ec2.internal")
        );
        assert_eq!(root.text_of("cidrIp"), Some("10.1.2.3"));

        let mut params = Params::default();
        params.set("PublicIp.1", "198.18.24.0");
        params.set("Description", "198.18.24.0");
        addresses.translate_request(&mut params);
        assert_eq!(params.value("PublicIp.1"), Some("54.1.1.1"));
        assert_eq!(params.value("Description"), Some("198.18.24.0"));
    }

    #[test]
    fn an_address_taken_back_is_given_out_last() {
        let addresses = Addresses::new("198.18.0.0/20".parse().unwrap());
        let give = |last: u32| addresses.ours(Ipv4Addr::from(last), Use::Elastic);
        let first = give(1).unwrap();
        addresses.take_back(Ipv4Addr::from(1), Use::Private);
        assert_eq!(give(1), Some(first));
        addresses.take_back(Ipv4Addr::from(1), Use::Elastic);
        for last in 2..=768 {
            assert_ne!(give(last), Some(first));
        }
        assert_eq!(give(769), Some(first));
        assert_eq!(give(770), None);
    }
}
